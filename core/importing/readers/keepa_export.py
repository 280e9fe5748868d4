"""Read rows of Keepa's table exports: one moment, many products. Pure; one row at a time.

The files name no marketplace and no time; both are confirmed before the import.
Money is written as "113.38 -409" (a broken Excel locale code), "$17.00 ", "85.98" or a
mixture, always with a decimal point unless the export was localised.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from core.catalog.categories import UNNAMED_CATEGORY
from core.catalog.marketplaces import Marketplace
from core.catalog.sellers import find_seller_id
from core.history.observation import (
    CategoryRank,
    Failure,
    Fulfilment,
    Listing,
    Observation,
    Outcome,
    Seen,
    Source,
)
from core.importing.files.tabular_reader import Record
from core.importing.readers.columns import clean_attributes, restore_asin
from core.importing.readers.keepa_headers import ExportColumns
from core.importing.values.rows import (
    ReadContext,
    Refusal,
    RefusalReason,
    Row,
    bad_row,
    explain_nothing_read,
    needs_marketplace,
    shorten_asked,
    shown_price,
)
from core.scraping.parsers import localized_text, value_parsers
from core.scraping.parsers.value_parsers import UnreadableValueError

T = TypeVar("T")

PATH_SEPARATOR = "›"
_NAME_AND_ID = re.compile(r"(?P<name>.*\S)\s*(?:/|\()\s*(?P<id>A[0-9A-Z]+)\)?")
_DIGIT = re.compile(r"\d")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?")
_SIGNS = re.compile(r"^[^\d]{0,6}?\s*(?=\d)|\s*[^\d\s.,]{1,4}\s*$")
_YES = ("yes", "ja", "oui", "sì", "si", "sí", "はい", "是")
_NO = ("no", "nein", "non", "いいえ", "否")
_UNKNOWN_LANGUAGE = (
    "The export's headers are unknown: set Keepa's site to English and export again."
)
_AMOUNTS = (
    ("list_price", Seen.LIST_PRICE), ("buy_box_price", Seen.BUY_BOX),
    ("amazon_price", Seen.AMAZON_PRICE), ("new_price", Seen.NEW_PRICE),
    ("new_fba_price", Seen.NEW_FBA_PRICE), ("used_price", Seen.USED_PRICE),
    ("deal_price", Seen.DEAL),
)  # fmt: skip
_COUNTS = (
    ("ratings_count", Seen.RATINGS_COUNT), ("offers_new", Seen.OFFERS_NEW),
    ("offers_used", Seen.OFFERS_USED),
)  # fmt: skip


def read_record(
    record: Record, columns: ExportColumns, marketplace: Marketplace | None, context: ReadContext
) -> Row:
    """Return one row's result and its unreadable cells."""
    asked = shorten_asked(record.cells.get(columns.by_field.get("asin", ""), ""))
    if record.problem:
        return Row(record.number, asked, bad_row(record.problem))
    cells = _ExportCells(record.cells, columns)
    return Row(record.number, asked, _read_row(cells, marketplace, context), cells.unreadable)


def _read_row(
    row: "_ExportCells", marketplace: Marketplace | None, context: ReadContext
) -> Observation | Failure | Refusal:
    """Return a product's observation at the confirmed time, or why there is none."""
    written = row.get_cell("asin")
    asin = restore_asin(written)
    if asin is None:
        named = f"“{written[:40]}” isn't an ASIN" if written else "The row has no ASIN"
        return Refusal(
            RefusalReason.INVALID, f"{named}: export the table again with its ASIN column."
        )
    if marketplace is None:
        return needs_marketplace(asin)
    if context.captured_at is None:
        return bad_row(
            "A Keepa export has no time: enter when it was made.", asin, marketplace.code
        )
    observation = _make_observation(row, marketplace, asin, context)
    if observation.seen:
        return observation
    why = "" if row.unreadable else f" {_UNKNOWN_LANGUAGE}"
    return Failure(
        outcome=Outcome.PARSE_ERROR, detail=explain_nothing_read(row.unreadable) + why,
        marketplace=marketplace.code, asin=asin, captured_at=context.captured_at,
    )  # fmt: skip


def _make_observation(
    row: "_ExportCells", marketplace: Marketplace, asin: str, context: ReadContext
) -> Observation:
    assert context.captured_at is not None
    amounts = {name: row.read_amount(name, bit, marketplace) for name, bit in _AMOUNTS}
    counts = {
        name: row.read_value(name, bit, value_parsers.parse_whole_number) for name, bit in _COUNTS
    }
    price, basis = shown_price(amounts)
    ranks = _read_ranks(row)
    listing = _read_listing(row)
    rating = row.read_value("rating", Seen.RATING, localized_text.parse_rating)
    seller, seller_id, fulfilment = _read_seller(row)
    if row.seen & (Seen.BUY_BOX | Seen.NEW_PRICE | Seen.AMAZON_PRICE):
        row.seen |= Seen.PRICE
    return Observation(
        marketplace=marketplace.code,
        asin=asin,
        captured_at=context.captured_at,
        source=Source.KEEPA_EXPORT,
        seen=row.seen,
        unreadable=row.unreadable_fields(),
        currency=marketplace.currency,
        price=price,
        price_basis=basis,
        ranks=ranks,
        rating=rating,
        buy_box_seller=seller,
        buy_box_seller_id=seller_id,
        fulfilment=fulfilment,
        listing=listing,
        list_price=amounts["list_price"],
        buy_box_price=amounts["buy_box_price"],
        amazon_price=amounts["amazon_price"],
        new_price=amounts["new_price"],
        new_fba_price=amounts["new_fba_price"],
        used_price=amounts["used_price"],
        deal_price=amounts["deal_price"],
        ratings_count=counts["ratings_count"],
        offers_new=counts["offers_new"],
        offers_used=counts["offers_used"],
    )


class _ExportCells:
    """A row's cells by our field names, with a record of what was seen and unreadable."""

    def __init__(self, cells: Mapping[str, str], columns: ExportColumns) -> None:
        self._cells = cells
        self.columns = columns
        self.seen = Seen.NONE
        self.unreadable: dict[str, str] = {}  # cell texts by column
        self._unreadable: dict[Seen, str] = {}

    def has_field(self, name: str) -> bool:
        return name in self.columns.by_field

    def get_cell(self, name: str) -> str:
        """Return a cell's text, "" if it is empty or the file has no such column."""
        written = self._cells.get(self.columns.by_field.get(name, ""), "").strip()
        return "" if written == "-" else written

    def get_column(self, column: str) -> str:
        return self._cells.get(column, "").strip()

    def read_amount(self, name: str, bit: Seen, marketplace: Marketplace) -> int | None:
        """Return an amount in minor units; a blank cell means that there was none."""
        return self.read_value(name, bit, lambda cell: export_amount(cell, marketplace))

    def read_value(self, name: str, bit: Seen, parse: Callable[[str], T | None]) -> T | None:
        """Return a value; an unreadable one is recorded as unreadable, not as seen."""
        if not self.has_field(name):
            return None
        try:
            value = parse(self.get_cell(name))
        except UnreadableValueError:
            self.unreadable[self.columns.by_field[name]] = self.get_cell(name)
            self._unreadable[bit] = value_parsers.make_excerpt(self.get_cell(name))
            return None
        self.seen |= bit
        return value

    def unreadable_fields(self) -> dict[Seen, str]:
        """Return the cell texts of unreadable fields that no other cell provides."""
        return {bit: cell for bit, cell in self._unreadable.items() if not bit & self.seen}


def export_amount(written: str, marketplace: Marketplace) -> int | None:
    """Return an amount of a Keepa export in minor units; None for an empty cell."""
    bare = written.strip()
    unsigned = _SIGNS.sub("", bare).strip()
    if _GROUPED.fullmatch(unsigned):
        return value_parsers.parse_amount_text(unsigned.replace(",", ""), marketplace)
    return value_parsers.parse_amount_text(unsigned if _is_plain(unsigned) else bare, marketplace)


def _is_plain(written: str) -> bool:
    return written.replace(".", "", 1).isdigit()


def _read_ranks(row: _ExportCells) -> tuple[CategoryRank, ...]:
    """Return the rank in the root category, the only one in Keepa's exports."""
    rank = row.read_value("rank", Seen.BSR, value_parsers.parse_rank_number)
    root = row.get_cell("root") or next(iter(_read_path(row)), UNNAMED_CATEGORY)
    return (CategoryRank(root[: value_parsers.LONGEST_NAME], rank),) if rank else ()


def _read_seller(row: _ExportCells) -> tuple[str | None, str | None, Fulfilment | None]:
    """Return the Buy Box seller's name and id, and who ships."""
    if not row.has_field("buy_box_seller"):
        return None, None, None
    written = value_parsers.clean_text(row.get_cell("buy_box_seller"), value_parsers.LONGEST_NAME)
    seller, seller_id = split_seller(written or "")
    if seller is not None or written is None:
        row.seen |= Seen.SELLER
    if seller_id is not None or written is None:
        row.seen |= Seen.SELLER_ID
    is_fba = row.get_cell("is_fba").lower()
    by_amazon = Fulfilment.FBA if is_fba in _YES else Fulfilment.FBM if is_fba in _NO else None
    if by_amazon is None:
        return seller, seller_id, None
    row.seen |= Seen.FULFILMENT
    is_amazon = localized_text.is_amazon(seller)
    return seller, seller_id, Fulfilment.AMAZON if is_amazon else by_amazon


def split_seller(written: str) -> tuple[str | None, str | None]:
    """Return the name and the id in a cell: either, or "Name / id" or "Name (id)"."""
    match = _NAME_AND_ID.fullmatch(written)
    if match and (seller_id := find_seller_id(match["id"])):
        return match["name"], seller_id
    # Names can look like ids, but then they seldom have a digit.
    seller_id = find_seller_id(written) if written.isupper() and _DIGIT.search(written) else None
    return (None, seller_id) if seller_id else (written or None, None)


def _read_path(row: _ExportCells) -> tuple[str, ...]:
    steps = (step.strip() for step in row.get_cell("path").split(PATH_SEPARATOR))
    return tuple(step[: value_parsers.LONGEST_NAME] for step in steps if step)


def _read_listing(row: _ExportCells) -> Listing | None:
    title = value_parsers.clean_text(row.get_cell("title"), value_parsers.LONGEST_TITLE)
    if title is None:
        return None
    row.seen |= Seen.LISTING
    columns = row.columns
    return Listing(
        title=title,
        brand=value_parsers.clean_text(row.get_cell("brand"), value_parsers.LONGEST_NAME),
        bullets=value_parsers.clean_lines([row.get_column(column) for column in columns.bullets]),
        description=value_parsers.clean_text(
            row.get_cell("description"), value_parsers.LONGEST_TEXT
        ),
        category_path=_read_path(row),
        images=value_parsers.clean_lines(row.get_cell("images").split(";")),
        attributes=clean_attributes(
            (to, row.get_column(c)) for to, c in columns.attributes.items()
        ),
    )
