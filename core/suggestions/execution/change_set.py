"""A change set: what a seller uploads or copies to make approved changes. Pure.

The same changes always make the same bytes. Text from listings and models is data:
in a table it is neutralised, so that no spreadsheet takes it for a formula.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.catalog.asin import product_url
from core.catalog.marketplaces import Marketplace, get_marketplace
from core.catalog.money import to_decimal
from core.suggestions.change_values import format_value
from core.suggestions.rules import Change
from core.text import spreadsheets

COLUMNS = ("marketplace", "asin", "field", "current value", "new value", "currency", "reason")
_PATHS: Mapping[Change, str] = {
    Change.UPDATE_PRICE: "/attributes/purchasable_offer",
    Change.SET_COUPON: "/attributes/coupon",
    Change.UPDATE_TITLE: "/attributes/item_name",
    Change.UPDATE_BULLETS: "/attributes/bullet_point",
    Change.UPDATE_DESCRIPTION: "/attributes/product_description",
    Change.UPDATE_SEARCH_TERMS: "/attributes/generic_keyword",
    Change.ADD_IMAGES: "/attributes/product_image_locator",
    Change.UPDATE_BRAND: "/attributes/brand",
    Change.UPDATE_CATEGORY: "/attributes/recommended_browse_nodes",
}
_BY_HAND = frozenset({Change.ADD_IMAGES, Change.SET_COUPON, Change.UPDATE_CATEGORY})
_STEPS: Mapping[Change, str] = {
    Change.UPDATE_PRICE: "Set the price",
    Change.SET_COUPON: "Make a coupon",
    Change.UPDATE_TITLE: "Replace the title",
    Change.UPDATE_BULLETS: "Replace all bullets",
    Change.UPDATE_DESCRIPTION: "Replace the description",
    Change.UPDATE_SEARCH_TERMS: "Replace the search terms",
    Change.ADD_IMAGES: "Add images until there are",
    Change.UPDATE_BRAND: "Set the brand",
    Change.UPDATE_CATEGORY: "Move it to the category",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One change of a listing or price that a seller is to make."""

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

    csv: bytes  # UTF-8 with a byte order mark: spreadsheets read it as text then
    xlsx: bytes
    json: bytes
    checklist: tuple[Step, ...]


def make_change_set(lines: Sequence[Line]) -> ChangeSet:
    """Return the files of some changes, in their order."""
    rows = [row for line in lines for row in _rows(line)]
    return ChangeSet(
        csv=spreadsheets.csv_file(COLUMNS, rows),
        xlsx=spreadsheets.xlsx_file("Changes", COLUMNS, rows),
        json=json.dumps(patches(lines), ensure_ascii=False, indent=2).encode(),
        checklist=tuple(_step(line) for line in lines),
    )


# The flat file


def _rows(line: Line) -> Iterator[tuple[str, ...]]:
    """Return a row per field that is written: a bullet has a field of its own."""
    currency = get_marketplace(line.marketplace).currency if _has_amount(line) else ""
    for field, before, after in _fields(line):
        yield line.marketplace, line.asin, field, before, after, currency, line.reason


def _fields(line: Line) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys((*line.after, *line.before)):
        before, after = line.before.get(key), line.after.get(key)
        if isinstance(after, list | tuple) and key == "bullets":
            old = [*(before or ())]
            for place in range(max(len(old), len(after))):
                yield f"bullet_{place + 1}", *(_at(old, place), _at(after, place))
        elif after is not None or key in line.after:
            yield key, _cell(line, key, before), _cell(line, key, after)


def _at(texts: Sequence[str], place: int) -> str:
    return str(texts[place]) if place < len(texts) else ""


def _cell(line: Line, key: str, value: object) -> str:
    """Return a value as a cell holds it: an amount in the currency's unit, "" for none."""
    if value is None:
        return ""
    if key in ("price", "amount") and isinstance(value, int):
        return str(to_decimal(value, get_marketplace(line.marketplace).currency))
    return " > ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _has_amount(line: Line) -> bool:
    return "price" in line.after or "amount" in line.after


# The patch


def patches(lines: Sequence[Line]) -> dict[str, Any]:
    """Return the changes as a JSON listing patch, a document per product."""
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
    return {
        "op": "replace",
        "path": _PATHS[line.change],
        "value": _patch_value(line),
        "byHand": line.change in _BY_HAND,
    }


def _patch_value(line: Line) -> list[dict[str, Any]]:
    """Return what the attribute becomes, in the shape of Amazon's Listings Items API."""
    marketplace, after = get_marketplace(line.marketplace), line.after
    if line.change is Change.UPDATE_PRICE:
        return _price_value(marketplace, after["price"])
    usual = {"language_tag": marketplace.locale, "marketplace_id": marketplace.marketplace_id}
    if isinstance(after.get("bullets"), list | tuple):
        return [{"value": text, **usual} for text in after["bullets"]]
    return [{"value": value, **usual} for value in after.values() if value is not None]


def _price_value(marketplace: Marketplace, minor: int | None) -> list[dict[str, Any]]:
    if minor is None:
        return []
    # JSON knows no decimals; the shortest form of such a number is the amount itself.
    amount = float(to_decimal(minor, marketplace.currency))
    schedule = [{"schedule": [{"value_with_tax": amount}]}]
    offer = {"currency": marketplace.currency, "our_price": schedule}
    return [{**offer, "marketplace_id": marketplace.marketplace_id}]


# The checklist


def _step(line: Line) -> Step:
    return Step(
        action_id=line.action_id,
        instruction=f"{_STEPS[line.change]}: {line.asin} ({line.marketplace})",
        url=product_url(line.marketplace, line.asin),
        to_copy=_to_copy(line),
    )


def _to_copy(line: Line) -> str:
    """Return what a seller pastes: text as it is, an amount without its sign."""
    if all(value is None for value in line.after.values()):
        return "none"  # it had no such value before
    if _has_amount(line):
        key = "price" if "price" in line.after else "amount"
        return _cell(line, key, line.after[key])
    if isinstance(line.after.get("bullets"), list | tuple):
        return "\n".join(line.after["bullets"])
    return format_value(line.change, line.after, line.marketplace)
