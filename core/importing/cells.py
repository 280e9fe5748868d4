"""What the columns of an imported table are called, and how a row names its product.

Shared by lists, exports and history files. Nothing is read from disk here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from core.catalog.asin import MentionVerdict, find_asin, read_mentions
from core.catalog.marketplaces import Marketplace, find_by_name, get_marketplace
from core.errors import InvalidInputError
from core.importing.rows import Refusal, Refused, needs_marketplace
from core.scraping import text

ASIN_NAMES = ("asin", "asins", "product_asin", "child_asin", "asin_1", "amazon_asin", "product_id")
ADDRESS_NAMES = (
    "url", "link", "product_url", "amazon_url", "product_link", "address", "asin_url",
    "amazon_link",
)  # fmt: skip
MARKETPLACE_NAMES = (
    "marketplace", "marketplace_domain", "domain", "site", "market", "country", "locale",
    "amazon_site", "marketplace_code", "marktplatz", "sales_channel",
)  # fmt: skip

_NOT_A_WORD = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LOST_ZEROS = re.compile(r"\d{6,9}", re.ASCII)
_LONGEST_ADDRESS = 4000


class UnknownMarketplaceError(InvalidInputError):
    """A marketplace is named that Amazon doesn't have."""


@dataclass(frozen=True, slots=True)
class Named:
    """The product that a row names. `marketplace` None: the row names none."""

    asin: str
    marketplace: Marketplace | None


def plain_name(header: str) -> str:
    """Return a column's name in a plain form: "List Price ($)" and "listPrice" → "list_price"."""
    return _NOT_A_WORD.sub("_", _CAMEL.sub("_", header)).strip("_").lower()


def find_column(columns: Iterable[str], names: Iterable[str]) -> str | None:
    """Return the column with the first of some plain names that there is."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain_name(column), column)
    return next((by_name[name] for name in names if name in by_name), None)


@dataclass(frozen=True, slots=True)
class ProductColumns:
    """The columns that say which product a row is about."""

    asin: str | None
    address: str | None
    marketplaces: tuple[str, ...]  # the first that is filled counts

    @classmethod
    def among(cls, columns: Iterable[str]) -> "ProductColumns":
        present = list(columns)
        found = (find_column(present, [name]) for name in MARKETPLACE_NAMES)
        return cls(
            asin=find_column(present, ASIN_NAMES),
            address=find_column(present, ADDRESS_NAMES),
            marketplaces=tuple(column for column in found if column),
        )

    @property
    def name_a_product(self) -> bool:
        return self.asin is not None or self.address is not None


def read_product(
    cells: Mapping[str, str], columns: ProductColumns, default: Marketplace | None
) -> tuple[Marketplace, str] | Refusal:
    """Return the product a row names, or why none can be told from it."""
    try:
        named = _named(cells, columns)
    except UnknownMarketplaceError as error:
        return Refusal(Refused.INVALID, str(error))
    if isinstance(named, Refusal):
        return named
    marketplace = named.marketplace or default
    return (marketplace, named.asin) if marketplace else needs_marketplace(named.asin)


def _named(cells: Mapping[str, str], columns: ProductColumns) -> Named | Refusal:
    written = _cell(cells, columns.asin)
    address = _cell(cells, columns.address)
    if written and not address and "/" in written:
        written, address = "", written
    asin = restored_asin(written) if written else None
    if written and asin is None:
        return Refusal(Refused.INVALID, _why_no_asin(written))
    linked = read_address(address) if address else None
    if asin is None:
        return _with_stated(linked, cells, columns) if linked else _NOTHING_NAMED
    if linked is None or isinstance(linked, Refusal):  # the ASIN alone is enough
        return _with_stated(Named(asin, None), cells, columns)
    if asin != linked.asin:
        return _contradiction(asin, asin, linked.asin)
    return _with_stated(linked, cells, columns)


def _with_stated(
    named: Named | Refusal, cells: Mapping[str, str], columns: ProductColumns
) -> Named | Refusal:
    """Return what is named, with the marketplace that the row states in a column of its own."""
    if isinstance(named, Refusal):
        return named
    stated = _stated_marketplace(cells, columns)
    if stated and named.marketplace and stated.code != named.marketplace.code:
        return _contradiction(named.asin, stated.domain, named.marketplace.domain)
    return Named(named.asin, stated or named.marketplace)


def read_address(address: str) -> Named | Refusal:
    """Return the product a link leads to, or why it leads to none."""
    mentions = read_mentions(address[:_LONGEST_ADDRESS])
    if not mentions:
        return _NOTHING_NAMED
    mention = mentions[0]
    if mention.asin is None or mention.verdict not in _NAMES_A_PRODUCT:
        return Refusal(Refused.INVALID, mention.detail)
    return Named(
        mention.asin, get_marketplace(mention.marketplace) if mention.marketplace else None
    )


def named_values(pairs: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Return a listing's attributes: the texts among some named values, shortened."""
    cleaned = ((name, text.clean_or_none(value, text.LONGEST_LINE)) for name, value in pairs)
    return {name: value for name, value in cleaned if value}


def _cell(cells: Mapping[str, str], column: str | None) -> str:
    return cells.get(column, "").strip() if column else ""


def _contradiction(asin: str, said: str, linked: str) -> Refusal:
    return Refusal(
        Refused.INVALID,
        f"The row says {said}, and its link leads to {linked}: correct one of them.",
        asin,
    )


def _stated_marketplace(cells: Mapping[str, str], columns: ProductColumns) -> Marketplace | None:
    """Return what the marketplace column says. Raises UnknownMarketplaceError."""
    for column in columns.marketplaces:
        written = cells.get(column, "").strip()
        if written:
            return find_marketplace(written)
    return None


@lru_cache(maxsize=512)
def find_marketplace(written: str) -> Marketplace:
    """Return the marketplace of a code, domain or country. Raises UnknownMarketplaceError."""
    found = find_by_name(written)
    if found is None:
        raise UnknownMarketplaceError(
            f"“{written[:40]}” is no marketplace of Amazon: write a domain such as amazon.de, "
            "or a code such as DE."
        )
    return found


def restored_asin(written: str) -> str | None:
    """Return the ASIN a cell holds, None when it holds none.

    Spreadsheets take "0007123456" for a number and drop its zeros: they are put
    back only when the ISBN's check digit then fits.
    """
    asin = find_asin(written)
    if asin is not None:
        return asin
    bare = written.strip().removesuffix(".0")
    return find_asin(bare.zfill(10)) if _LOST_ZEROS.fullmatch(bare) else None


def _why_no_asin(written: str) -> str:
    return (
        f"“{written[:40]}” is no ASIN: an ASIN has ten letters and digits, such as B0DEMO0001. "
        "If a spreadsheet dropped its zeros or rounded it, format the column as text."
    )


_NAMES_A_PRODUCT = frozenset({MentionVerdict.FOUND, MentionVerdict.NEEDS_MARKETPLACE})
_NOTHING_NAMED = Refusal(
    Refused.INVALID,
    "The row names no product: it needs an ASIN or a link to a product page.",
)
