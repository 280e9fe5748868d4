"""Change sets: files and a checklist from which a seller publishes approved changes. Pure.

The same changes always give the same bytes. Text from listings and models is data:
tables neutralise it, so that no spreadsheet runs it as a formula.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.catalog.asin import product_url
from core.catalog.marketplaces import get_marketplace
from core.suggestions.changes.registry import get_published_spec
from core.suggestions.rules import Change
from core.text import spreadsheets

COLUMNS = ("marketplace", "asin", "field", "current value", "new value", "currency", "reason")


@dataclass(frozen=True, slots=True)
class Line:
    """One price or listing change that a seller publishes."""

    action_id: int
    marketplace: str
    asin: str
    change: Change
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the checklist: what to do, where, and the text to copy."""

    action_id: int
    instruction: str
    url: str
    to_copy: str


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The files and the checklist of some changes."""

    csv: bytes  # UTF-8 with a byte order mark, by which spreadsheets recognise it
    xlsx: bytes
    json: bytes
    checklist: tuple[Step, ...]


def make_change_set(lines: Sequence[Line]) -> ChangeSet:
    """Return the files and the checklist of changes, in their order."""
    rows = [row for line in lines for row in _rows(line)]
    return ChangeSet(
        csv=spreadsheets.csv_file(COLUMNS, rows),
        xlsx=spreadsheets.xlsx_file("Changes", COLUMNS, rows),
        json=json.dumps(make_patches(lines), ensure_ascii=False, indent=2).encode(),
        checklist=tuple(_step(line) for line in lines),
    )


# The flat file


def _rows(line: Line) -> Iterator[tuple[str, ...]]:
    """Yield a row per field; each bullet is a field of its own."""
    spec = get_published_spec(line.change)
    is_money = spec.has_amount(line.after)
    currency = get_marketplace(line.marketplace).currency if is_money else ""
    for field, before, after in spec.cells(line.before, line.after, line.marketplace):
        yield line.marketplace, line.asin, field, before, after, currency, line.reason


# The patch


def make_patches(lines: Sequence[Line]) -> dict[str, Any]:
    """Return the changes as JSON listing patches, one document per product."""
    products: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines:
        products.setdefault((line.marketplace, line.asin), []).append(_patch(line))
    return {
        "listings": [
            {
                "marketplaceIds": [get_marketplace(marketplace).marketplace_id],
                "asin": asin,
                "productType": "PRODUCT",
                "patches": found,
            }
            for (marketplace, asin), found in products.items()
        ]
    }


def _patch(line: Line) -> dict[str, Any]:
    spec = get_published_spec(line.change)
    return {
        "op": "replace",
        "path": spec.patch_path,
        "value": spec.patch_value(line.after, line.marketplace),
        "byHand": spec.is_made_by_hand,
    }


# The checklist


def _step(line: Line) -> Step:
    spec = get_published_spec(line.change)
    return Step(
        action_id=line.action_id,
        instruction=f"{spec.instruction}: {line.asin} ({line.marketplace})",
        url=product_url(line.marketplace, line.asin),
        to_copy=spec.to_copy(line.after, line.marketplace),
    )
