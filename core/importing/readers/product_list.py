"""Read products to track: lists with a header, lists without one, and pasted text. Pure.

Lists yield no observations; a price in a list is not read.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.catalog.asin import Mention, MentionVerdict, read_mentions
from core.catalog.marketplaces import Marketplace
from core.importing.files.tabular_reader import Line, Record
from core.importing.readers.columns import ProductColumns, find_column, read_product
from core.importing.values.rows import (
    Refusal,
    RefusalReason,
    Row,
    RowResult,
    TrackRequest,
    needs_marketplace,
    shorten_asked,
)
from core.scraping.parsers import value_parsers
from core.thresholds import is_threshold
from core.tracking.rules import LONGEST_NOTE, LONGEST_TAG

_NAMES: dict[str, tuple[str, ...]] = {
    "tags": ("tags", "tag", "labels", "label", "groups", "group"),
    "role": ("role", "relation", "ownership", "own_competitor", "own_or_competitor", "kind"),
    "own": ("own", "is_own", "mine"),
    "competitor": ("competitor", "is_competitor"),
    "cadence": ("cadence", "interval", "frequency", "check_every", "schedule"),
    "price_change_percent": (
        "price_change_percent", "price_threshold", "price_change", "price_alert",
        "price_threshold_percent", "price_percent",
    ),
    "rank_change_percent": (
        "rank_change_percent", "rank_threshold", "bsr_threshold", "bsr_change_percent",
        "rank_change", "bsr_change", "rank_threshold_percent", "bsr_threshold_percent",
    ),
    "note": ("note", "notes", "comment", "comments", "remark"),
}  # fmt: skip
ROLES = {
    "own": "own", "mine": "own", "ours": "own", "my product": "own", "self": "own",
    "competitor": "competitor", "competition": "competitor", "rival": "competitor",
    "theirs": "competitor", "watched": "watched", "watch": "watched", "other": "watched",
}  # fmt: skip
CADENCES = {
    "hourly": "hourly", "1h": "hourly", "hour": "hourly", "every hour": "hourly",
    "6h": "6h", "6 h": "6h", "6 hours": "6h", "every 6 hours": "6h", "six hours": "6h",
    "daily": "daily", "day": "daily", "24h": "daily", "1d": "daily", "every day": "daily",
    "weekly": "weekly", "week": "weekly", "7d": "weekly", "every week": "weekly",
}  # fmt: skip
LIST_LABELS = {
    "tags": "Tags", "role": "Role", "own": "Own product",
    "competitor": "Competitor", "cadence": "How often to check",
    "price_change_percent": "Price threshold", "rank_change_percent": "Rank threshold",
    "note": "Note",
}  # fmt: skip
LIST_ONLY = ("tags", "role", "cadence", "price_change_percent", "rank_change_percent")
_PERCENT = re.compile(r"±?\s*(\d{1,5}(?:[.,]\d{1,4})?)\s*%?", re.ASCII)
_TAG_MARKS = re.compile(r"[;,|]")
_MOST_TAGS = 20


_NOTHING_MEANT = Refusal(
    RefusalReason.INVALID,
    "The text names no product: paste ASINs, or links to product pages on Amazon.",
)


class _CellError(Exception):
    """A cell of a list can't be used; the message is the verdict."""


@dataclass(frozen=True, slots=True)
class ListColumns:
    """What a list's columns hold."""

    product: ProductColumns
    by_field: Mapping[str, str]
    has_tracking_columns: bool  # it has tracking settings, which history tables never have

    @classmethod
    def from_header(
        cls, columns: Iterable[str], cells: Mapping[str, Sequence[str]] | None = None
    ) -> "ListColumns":
        """Return the columns by their names; `cells` decide which can hold tracking settings."""
        present, cells = list(columns), cells or {}
        found = {field: find_column(present, names) for field, names in _NAMES.items()}
        by_field = {field: column for field, column in found.items() if column}
        has_tracking_columns = any(
            field in by_field and _can_hold(field, cells.get(by_field[field], ()))
            for field in LIST_ONLY
        )
        return cls(ProductColumns.from_header(present, cells), by_field, has_tracking_columns)

    def list_meanings(self, columns: Iterable[str]) -> dict[str, str | None]:
        """Return what each column is read as, None for one that is not used."""
        used = {column: LIST_LABELS[field] for field, column in self.by_field.items()}
        used |= self.product.list_meanings()
        return {column: used.get(column) for column in columns if column}


def _can_hold(field: str, cells: Sequence[str]) -> bool:
    """Return whether a column may hold a field: a cell can be read, or all are blank."""
    can_be_read = _CAN_BE_READ.get(field)
    return not cells or can_be_read is None or any(map(can_be_read, cells))


_CAN_BE_READ: Mapping[str, Callable[[str], bool]] = {
    "tags": lambda cell: all(len(tag.strip()) <= LONGEST_TAG for tag in _TAG_MARKS.split(cell)),
    "role": lambda cell: " ".join(cell.split()).lower() in ROLES,
    "cadence": lambda cell: " ".join(cell.split()).lower() in CADENCES,
    "price_change_percent": lambda cell: _PERCENT.fullmatch(cell) is not None,
    "rank_change_percent": lambda cell: _PERCENT.fullmatch(cell) is not None,
}


def parse_record(
    record: Record, columns: ListColumns, default: Marketplace | None
) -> TrackRequest | Refusal:
    """Return what a list's row asks to track, or why it can't be used."""
    if record.problem:
        return Refusal(RefusalReason.INVALID, record.problem)
    product = read_product(record.cells, columns.product, default)
    if isinstance(product, Refusal):
        return product
    marketplace, asin = product
    cells = {field: record.cells.get(column, "") for field, column in columns.by_field.items()}
    try:
        return TrackRequest(
            marketplace=marketplace.code,
            asin=asin,
            tags=_read_tags(cells.get("tags", "")),
            role=_read_role(cells),
            cadence=_choose_known(cells.get("cadence", ""), CADENCES, "cadence"),
            price_change_percent=_read_percent(cells, "price_change_percent"),
            rank_change_percent=_read_percent(cells, "rank_change_percent"),
            note=_read_note(cells.get("note", "")),
        )
    except _CellError as error:
        return Refusal(RefusalReason.INVALID, str(error), asin)


def read_list(
    records: Iterable[Record], columns: ListColumns, default: Marketplace | None
) -> Iterator[Row]:
    """Yield one row for each record of a list with a header."""
    for record in records:
        yield Row(
            record.number, _find_asked_text(record, columns), parse_record(record, columns, default)
        )


def read_bare_lines(lines: Iterable[Line], default: Marketplace | None) -> Iterator[Row]:
    """Yield one row for each line of a list without a header."""
    for number, line in enumerate(lines, start=1):
        written = "\t".join(cell.strip() for cell in line)
        yield Row(number, shorten_asked(written), _read_bare_line(written, default))


def read_pasted(lines: Iterable[str], default: Marketplace | None) -> Iterator[Row]:
    """Yield one row for each mention of a product in a text; a text without any yields one row."""
    number = 0
    first = ""
    for line in lines:
        first = first or line.strip()
        for mention in read_mentions(line, default.code if default else None):
            if mention.verdict is not MentionVerdict.NO_ASIN or "/" in mention.text:
                number += 1
                yield Row(number, shorten_asked(mention.text), make_result(mention))
    if not number:
        yield Row(1, shorten_asked(first), _NOTHING_MEANT)


def make_result(mention: Mention) -> TrackRequest | Refusal:
    """Return the request to track a mentioned product, or why it can't be used."""
    if mention.verdict is MentionVerdict.FOUND and mention.marketplace and mention.asin:
        return TrackRequest(marketplace=mention.marketplace, asin=mention.asin)
    if mention.verdict is MentionVerdict.NEEDS_MARKETPLACE:
        return needs_marketplace(mention.asin)
    return Refusal(RefusalReason.INVALID, mention.detail, mention.asin)


def _read_bare_line(written: str, default: Marketplace | None) -> RowResult:
    mentions = read_mentions(written, default.code if default else None)
    good = [mention for mention in mentions if mention.asin]
    if not mentions:
        return Refusal(RefusalReason.INVALID, "The line names no product.")
    if len({(mention.marketplace, mention.asin) for mention in good}) > 1:
        return Refusal(
            RefusalReason.INVALID, "The line names several products: write one in each line."
        )
    return make_result((good or mentions)[0])


def _read_tags(written: str) -> tuple[str, ...]:
    named = (" ".join(tag.split()) for tag in _TAG_MARKS.split(written))
    tags = tuple(dict.fromkeys(tag for tag in named if tag))
    long = next((tag for tag in tags if len(tag) > LONGEST_TAG), None)
    if long:
        raise _CellError(
            f"“{long[:40]}…” is too long for a tag: write at most {LONGEST_TAG} characters."
        )
    if len(tags) > _MOST_TAGS:
        raise _CellError(f"The row has {len(tags)} tags: write at most {_MOST_TAGS}.")
    return tags


def _read_note(written: str) -> str | None:
    if len(written) > LONGEST_NOTE:
        raise _CellError(f"The note is too long: write at most {LONGEST_NOTE:,} characters.")
    return value_parsers.clean_text(written, LONGEST_NOTE)


def _read_role(cells: Mapping[str, str]) -> str | None:
    stated = _choose_known(cells.get("role", ""), ROLES, "role")
    if stated:
        return stated
    for role in ("own", "competitor"):
        written = cells.get(role, "").strip().lower()
        if written in ("yes", "true", "1", "x", "y"):
            return role
    return None


def _choose_known(written: str, known: Mapping[str, str], name: str) -> str | None:
    word = " ".join(written.split()).lower()
    if not word:
        return None
    if word not in known:
        choices = ", ".join(dict.fromkeys(known.values()))
        raise _CellError(f"“{written.strip()[:40]}” is not a {name}: write one of {choices}.")
    return known[word]


def _read_percent(cells: Mapping[str, str], field: str) -> Decimal | None:
    written = cells.get(field, "").strip()
    if not written:
        return None
    match = _PERCENT.fullmatch(written)
    percent = Decimal(match[1].replace(",", ".")) if match else Decimal(0)
    if not is_threshold(percent):
        raise _CellError(
            f"“{written[:40]}” is not a threshold: write a percentage such as 10 or 7.5."
        )
    return percent


def _find_asked_text(record: Record, columns: ListColumns) -> str:
    product = columns.product
    cells = (record.cells.get(column or "", "") for column in (product.asin, product.address))
    return shorten_asked(next((each for each in cells if each.strip()), ""))
