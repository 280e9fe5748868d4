"""Rows of Keepa's table exports: one moment, many products. Pure; one row at a time.

The files name no marketplace and no time; both are confirmed before the import.
Money comes as "113.38 -409" (a broken Excel locale code), "$17.00 ", "85.98" or a
mixture of them, always with a decimal point unless the export was localised.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from core.catalog.categories import UNNAMED_CATEGORY
from core.catalog.marketplaces import Marketplace
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
from core.importing.readers.columns import named_values, restored_asin
from core.importing.readers.keepa_headers import ExportColumns
from core.importing.values.rows import (
    ReadContext,
    Refusal,
    Refused,
    Row,
    bad_row,
    needs_marketplace,
    nothing_understood,
    shortened,
    shown_price,
)
from core.scraping.parsers import localized_text, value_parsers
from core.scraping.parsers.value_parsers import UnreadableValueError

T = TypeVar("T")

PATH_SEPARATOR = "›"
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?")
_SIGNS = re.compile(r"^[^\d]{0,6}?\s*(?=\d)|\s*[^\d\s.,]{1,4}\s*$")
_YES = ("yes", "ja", "oui", "sì", "si", "sí", "はい", "是")
_NO = ("no", "nein", "non", "いいえ", "否")
_UNKNOWN_LANGUAGE = (
    "None of the export's values has a known header: set Keepa's site to English and export again."
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
    """Return what one row says, and which of its cells can't be read."""
    asked = shortened(record.cells.get(columns.by_field.get("asin", ""), ""))
    if record.problem:
        return Row(record.number, asked, bad_row(record.problem))
    cells = _Row(record.cells, columns)
    return Row(record.number, asked, _read(cells, marketplace, context), cells.unreadable)


def _read(
    row: "_Row", marketplace: Marketplace | None, context: ReadContext
) -> Observation | Failure | Refusal:
    """Return what one row says of its product at the confirmed time."""
    written = row.cell("asin")
    asin = restored_asin(written)
    if asin is None:
        named = f"“{written[:40]}” is no ASIN" if written else "The row has no ASIN"
        return Refusal(Refused.INVALID, f"{named}: export the table again with its ASIN column.")
    if marketplace is None:
        return needs_marketplace(asin)
    if context.captured_at is None:
        return bad_row("A Keepa export has no time: say when it was made.", asin, marketplace.code)
    observation = _observe(row, marketplace, asin, context)
    if observation.seen:
        return observation
    why = "" if row.unreadable else f" {_UNKNOWN_LANGUAGE}"
    return Failure(
        outcome=Outcome.PARSE_ERROR, detail=nothing_understood(row.unreadable) + why,
        marketplace=marketplace.code, asin=asin, captured_at=context.captured_at,
    )  # fmt: skip


def _observe(row: "_Row", marketplace: Marketplace, asin: str, context: ReadContext) -> Observation:
    assert context.captured_at is not None
    amounts = {name: row.amount(name, bit, marketplace) for name, bit in _AMOUNTS}
    counts = {name: row.read(name, bit, value_parsers.parse_whole_number) for name, bit in _COUNTS}
    price, basis = shown_price(amounts)
    ranks = _ranks(row)
    listing = _listing(row)
    rating = row.read("rating", Seen.RATING, localized_text.parse_rating)
    seller, fulfilment = _seller(row)
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


class _Row:
    """A row's cells by our names, noting which were looked at."""

    def __init__(self, cells: Mapping[str, str], columns: ExportColumns) -> None:
        self._cells = cells
        self.columns = columns
        self.seen = Seen.NONE
        self.unreadable: dict[str, str] = {}  # by column: what stands there
        self._unreadable: dict[Seen, str] = {}

    def has(self, name: str) -> bool:
        return name in self.columns.by_field

    def cell(self, name: str) -> str:
        """Return a cell's text, "" when it is empty or the file has no such column."""
        written = self._cells.get(self.columns.by_field.get(name, ""), "").strip()
        return "" if written == "-" else written

    def column(self, column: str) -> str:
        return self._cells.get(column, "").strip()

    def amount(self, name: str, bit: Seen, marketplace: Marketplace) -> int | None:
        """Return an amount in minor units; a blank cell says that there was none."""
        return self.read(name, bit, lambda cell: export_amount(cell, marketplace))

    def read(self, name: str, bit: Seen, parse: Callable[[str], T | None]) -> T | None:
        """Return a value; one that can't be read is noted as such, not as seen."""
        if not self.has(name):
            return None
        try:
            value = parse(self.cell(name))
        except UnreadableValueError:
            self.unreadable[self.columns.by_field[name]] = self.cell(name)
            self._unreadable[bit] = value_parsers.make_excerpt(self.cell(name))
            return None
        self.seen |= bit
        return value

    def unreadable_fields(self) -> dict[Seen, str]:
        """Return what stands where a field can't be read, and nothing else said it."""
        return {bit: cell for bit, cell in self._unreadable.items() if not bit & self.seen}


def export_amount(written: str, marketplace: Marketplace) -> int | None:
    """Return an amount as Keepa's exports write it, in minor units; None for an empty cell."""
    bare = written.strip()
    unsigned = _SIGNS.sub("", bare).strip()
    if _GROUPED.fullmatch(unsigned):
        return value_parsers.parse_amount_text(unsigned.replace(",", ""), marketplace)
    return value_parsers.parse_amount_text(unsigned if _is_plain(unsigned) else bare, marketplace)


def _is_plain(written: str) -> bool:
    return written.replace(".", "", 1).isdigit()


def _ranks(row: _Row) -> tuple[CategoryRank, ...]:
    """Return the rank in the root category, which is what Keepa's exports give."""
    rank = row.read("rank", Seen.BSR, value_parsers.parse_rank_number)
    root = row.cell("root") or next(iter(_path(row)), UNNAMED_CATEGORY)
    return (CategoryRank(root[: value_parsers.LONGEST_NAME], rank),) if rank else ()


def _seller(row: _Row) -> tuple[str | None, Fulfilment | None]:
    if not row.has("buy_box_seller"):
        return None, None
    row.seen |= Seen.SELLER
    seller = value_parsers.clean_text(row.cell("buy_box_seller"), value_parsers.LONGEST_NAME)
    is_fba = row.cell("is_fba").lower()
    by_amazon = Fulfilment.FBA if is_fba in _YES else Fulfilment.FBM if is_fba in _NO else None
    if by_amazon is None:
        return seller, None
    row.seen |= Seen.FULFILMENT
    return seller, Fulfilment.AMAZON if localized_text.is_amazon(seller) else by_amazon


def _path(row: _Row) -> tuple[str, ...]:
    steps = (step.strip() for step in row.cell("path").split(PATH_SEPARATOR))
    return tuple(step[: value_parsers.LONGEST_NAME] for step in steps if step)


def _listing(row: _Row) -> Listing | None:
    title = value_parsers.clean_text(row.cell("title"), value_parsers.LONGEST_TITLE)
    if title is None:
        return None
    row.seen |= Seen.LISTING
    columns = row.columns
    return Listing(
        title=title,
        brand=value_parsers.clean_text(row.cell("brand"), value_parsers.LONGEST_NAME),
        bullets=value_parsers.clean_lines([row.column(column) for column in columns.bullets]),
        description=value_parsers.clean_text(row.cell("description"), value_parsers.LONGEST_TEXT),
        category_path=_path(row),
        images=value_parsers.clean_lines(row.cell("images").split(";")),
        attributes=named_values((to, row.column(c)) for to, c in columns.attributes.items()),
    )
