"""Rows of Keepa's table exports: one moment, many products. Pure; one row at a time.

The files name no marketplace and no time; both are confirmed before the import.
Money comes as "113.38 -409" (a broken Excel locale code), "$17.00 ", "85.98" or a
mixture of them, always with a decimal point unless the export was localised.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.catalog.categories import UNNAMED_CATEGORY
from core.catalog.marketplaces import Marketplace
from core.history.observation import (
    CategoryRank,
    Failure,
    Fulfilment,
    Listing,
    Observation,
    Seen,
    Source,
)
from core.importing.cells import named_values, restored_asin
from core.importing.rows import (
    ReadContext,
    Refusal,
    Refused,
    bad_row,
    needs_marketplace,
    shown_price,
)
from core.scraping import phrases, text
from core.scraping.text import UnreadableValueError

PATH_SEPARATOR = "›"
_NOISE = re.compile(r"[^\w:,().&/ -]+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?")
_SIGNS = re.compile(r"^[^\d]{0,6}?\s*(?=\d)|\s*[^\d\s.,]{1,4}\s*$")

# Our name of a column ← what Keepa's English and German exports call it, plain.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "asin": ("asin",),
    "title": ("title", "titel"),
    "brand": ("brand", "marke"),
    "images": ("image", "bild"),
    "rank": ("sales rank: current", "verkaufsrang: aktuell"),
    "rating": ("reviews: rating", "bewertungen: sterne", "rezensionen: bewertung"),
    "ratings_count": (
        "reviews: rating count", "reviews: review count", "bewertungen: anzahl der bewertungen",
    ),
    "buy_box_price": ("buy box: current", "buy box: aktuell"),
    "buy_box_seller": ("buy box: buy box seller", "buy box seller"),
    "amazon_price": ("amazon: current", "amazon: aktuell"),
    "new_price": ("new: current", "neu: aktuell"),
    "new_fba_price": ("new, 3rd party fba: current", "neu, drittanbieter fba: aktuell"),
    "used_price": ("used: current", "gebraucht: aktuell"),
    "list_price": ("list price: current", "listenpreis: aktuell", "uvp: aktuell"),
    "deal_price": ("lightning deals: current", "blitzangebote: aktuell"),
    "offers_new": ("new offer count: current", "count of retrieved live offers: new"),
    "offers_used": ("used offer count: current", "count of retrieved live offers: used"),
    "is_fba": ("buy box: is fba",),
    "path": ("categories: tree", "kategorien: baum"),
    "root": ("categories: root", "kategorien: stamm"),
    "description": ("description & features: description", "description"),
    "locale": ("locale",),
}  # fmt: skip
_BULLET = "description & features: feature "
_ATTRIBUTES = {
    "product codes: ean": "ean", "product codes: upc": "upc", "product codes: gtin": "gtin",
    "product codes: partnumber": "partNumber", "parent asin": "parentAsin",
    "manufacturer": "manufacturer", "model": "model", "color": "color", "size": "size",
    "author": "author", "website display group: name": "websiteDisplayGroupName",
}  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class ExportColumns:
    """Which of a file's columns hold what."""

    by_field: Mapping[str, str]
    bullets: tuple[str, ...]
    attributes: Mapping[str, str]  # the attribute's name → the column

    @classmethod
    def among(cls, columns: Iterable[str]) -> "ExportColumns":
        plain: dict[str, str] = {}
        for column in columns:
            plain.setdefault(plain_header(column), column)
        found = {
            field: next(plain[name] for name in names if name in plain)
            for field, names in _COLUMNS.items()
            if any(name in plain for name in names)
        }
        bullets = tuple(column for name, column in plain.items() if name.startswith(_BULLET))
        attributes = {to: plain[name] for name, to in _ATTRIBUTES.items() if name in plain}
        return cls(found, bullets, attributes)


def plain_header(header: str) -> str:
    """Return a header without emoji and odd spaces: "Buy Box 🚚: Current" → "buy box: current"."""
    words = " ".join(_NOISE.sub("", header).split()).lower()
    return words.replace(" :", ":")


def is_export(columns: Iterable[str]) -> bool:
    """True for the columns of a Keepa export: an ASIN, and names as only Keepa writes them."""
    plain = {plain_header(column) for column in columns}
    own = sum(": " in name for name in plain)
    return "asin" in plain and own >= 2


def parse_row(
    cells: Mapping[str, str],
    columns: ExportColumns,
    marketplace: Marketplace | None,
    context: ReadContext,
) -> Observation | Failure | Refusal:
    """Return what one row says of its product at the confirmed time."""
    row = _Row(cells, columns)
    written = row.cell("asin")
    asin = restored_asin(written)
    if asin is None:
        named = f"“{written[:40]}” is no ASIN" if written else "The row has no ASIN"
        return Refusal(Refused.INVALID, f"{named}: export the table again with its ASIN column.")
    if marketplace is None:
        return needs_marketplace(asin)
    if context.captured_at is None:
        return bad_row("A Keepa export has no time: say when it was made.", asin, marketplace.code)
    return _observe(row, marketplace, asin, context)


def _observe(row: "_Row", marketplace: Marketplace, asin: str, context: ReadContext) -> Observation:
    assert context.captured_at is not None
    amounts = {name: row.amount(name, bit, marketplace) for name, bit in _AMOUNTS}
    counts = {name: row.count(name, bit) for name, bit in _COUNTS}
    price, basis = shown_price(amounts)
    ranks = _ranks(row)
    listing = _listing(row)
    rating = _rating(row)
    seller, fulfilment = _seller(row)
    if row.seen & (Seen.BUY_BOX | Seen.NEW_PRICE | Seen.AMAZON_PRICE):
        row.seen |= Seen.PRICE
    return Observation(
        marketplace=marketplace.code,
        asin=asin,
        captured_at=context.captured_at,
        source=Source.KEEPA_EXPORT,
        seen=row.seen,
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

    def has(self, name: str) -> bool:
        return name in self.columns.by_field

    def cell(self, name: str) -> str:
        """Return a cell's text, "" when it is empty or the file has no such column."""
        written = self._cells.get(self.columns.by_field.get(name, ""), "").strip()
        return "" if written == "-" else written

    def column(self, column: str) -> str:
        return self._cells.get(column, "").strip()

    def amount(self, name: str, bit: Seen, marketplace: Marketplace) -> int | None:
        """Return an amount in minor units; unreadable: not noted as seen."""
        if not self.has(name):
            return None
        try:
            value = export_amount(self.cell(name), marketplace)
        except UnreadableValueError:
            return None
        self.seen |= bit
        return value

    def count(self, name: str, bit: Seen) -> int | None:
        if not self.has(name):
            return None
        try:
            value = text.whole_number(self.cell(name))
        except UnreadableValueError:
            return None
        self.seen |= bit
        return value


def export_amount(written: str, marketplace: Marketplace) -> int | None:
    """Return an amount as Keepa's exports write it, in minor units; None for an empty cell."""
    bare = written.strip()
    unsigned = _SIGNS.sub("", bare).strip()
    if _GROUPED.fullmatch(unsigned):
        return text.amount(unsigned.replace(",", ""), marketplace)
    return text.amount(unsigned if _is_plain(unsigned) else bare, marketplace)


def _is_plain(written: str) -> bool:
    return written.replace(".", "", 1).isdigit()


def _rating(row: _Row) -> int | None:
    if not row.has("rating"):
        return None
    try:
        rating = phrases.rating(row.cell("rating"))
    except UnreadableValueError:
        return None
    row.seen |= Seen.RATING
    return rating


def _ranks(row: _Row) -> tuple[CategoryRank, ...]:
    """Return the rank in the root category, which is what Keepa's exports give."""
    if not row.has("rank"):
        return ()
    try:
        rank = text.rank_number(row.cell("rank"))
    except UnreadableValueError:
        return ()
    row.seen |= Seen.BSR
    root = row.cell("root") or next(iter(_path(row)), UNNAMED_CATEGORY)
    return (CategoryRank(root[: text.LONGEST_NAME], rank),) if rank else ()


def _seller(row: _Row) -> tuple[str | None, Fulfilment | None]:
    if not row.has("buy_box_seller"):
        return None, None
    row.seen |= Seen.SELLER
    seller = text.clean_text(row.cell("buy_box_seller"), text.LONGEST_NAME)
    by_amazon = {"yes": Fulfilment.FBA, "no": Fulfilment.FBM}.get(row.cell("is_fba").lower())
    if by_amazon is None:
        return seller, None
    row.seen |= Seen.FULFILMENT
    return seller, Fulfilment.AMAZON if phrases.is_amazon(seller) else by_amazon


def _path(row: _Row) -> tuple[str, ...]:
    steps = (step.strip() for step in row.cell("path").split(PATH_SEPARATOR))
    return tuple(step[: text.LONGEST_NAME] for step in steps if step)


def _listing(row: _Row) -> Listing | None:
    if not row.has("title"):
        return None
    row.seen |= Seen.LISTING
    columns = row.columns
    return Listing(
        title=text.clean_text(row.cell("title"), text.LONGEST_TITLE),
        brand=text.clean_text(row.cell("brand"), text.LONGEST_NAME),
        bullets=text.clean_lines([row.column(column) for column in columns.bullets]),
        description=text.clean_text(row.cell("description"), text.LONGEST_TEXT),
        category_path=_path(row),
        images=text.clean_lines(row.cell("images").split(";")),
        attributes=named_values((to, row.column(c)) for to, c in columns.attributes.items()),
    )
