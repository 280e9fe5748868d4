"""Names of the columns of imported tables, and reading a row's product.

Shared by lists, exports and history files. Reads no files.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from core.catalog.asin import MentionVerdict, find_asin, read_mentions
from core.catalog.marketplaces import Marketplace, find_by_name, get_marketplace
from core.errors import InvalidInputError
from core.importing.values.rows import Refusal, RefusalReason, needs_marketplace
from core.scraping.parsers import value_parsers

ASIN_NAMES = (
    "asin", "asins", "product_asin", "child_asin", "asin1", "asin_1", "amazon_asin", "asin_code",
    "product_id",
)  # fmt: skip
ADDRESS_NAMES = (
    "url", "link", "product_url", "amazon_url", "product_link", "address", "asin_url",
    "amazon_link",
)  # fmt: skip
MARKETPLACE_NAMES = (
    "marketplace", "marketplace_domain", "domain", "site", "market", "country", "locale",
    "amazon_site", "marketplace_code", "marktplatz", "sales_channel", "marketplace_name",
    "marketplace_id", "amazon_marketplace", "marketplace_country", "country_region_code",
    "amazon_domain", "market_place", "マーケットプレイス",
)  # fmt: skip
# Ambiguous names: such a column is used if all its cells are marketplaces.
_PERHAPS_MARKETPLACE = (
    "country_code", "country_region", "region_code", "region", "country_iso", "store", "shop",
    "land", "pays", "país", "pais", "paese", "mercado", "tienda", "boutique", "国",
)  # fmt: skip
# Marketplace codes that are also states of the USA: alone they don't make a "region" a country.
_STATES = frozenset({"ca", "de", "in"})
# How tools write that they have no value. A blank cell is not among these.
_ABSENT = frozenset(
    {
        "-", "--", "—", "–", "n/a", "na", "#n/a", "n.a.", "nan", "none", "null", "nil", "unknown",
        "?", "not available", "not found", "undefined", "k.a.", "n.v.t.", "s/o", "nd", "n/d",
    }
)  # fmt: skip

_NOT_A_WORD = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LOST_ZEROS = re.compile(r"\d{6,9}", re.ASCII)
_LONGEST_ADDRESS = 4000
_NO_CELLS: Mapping[str, Sequence[str]] = MappingProxyType({})


class UnknownMarketplaceError(InvalidInputError):
    """Amazon has no marketplace of this name."""


@dataclass(frozen=True, slots=True)
class NamedProduct:
    """The product of a row. `marketplace` None: the row names none."""

    asin: str
    marketplace: Marketplace | None


def plain_name(header: str) -> str:
    """Return a column's name in a plain form: "List Price ($)" and "listPrice" → "list_price"."""
    return _NOT_A_WORD.sub("_", _CAMEL.sub("_", header)).strip("_").lower()


def is_absent(cell: str) -> bool:
    """Return whether a cell means "no value", such as "N/A"."""
    return cell.strip().lower() in _ABSENT


def find_columns(columns: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the columns that have one of these plain names, in the order of the names."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain_name(column), column)
    return [by_name[name] for name in names if name in by_name]


def find_column(columns: Iterable[str], names: Iterable[str]) -> str | None:
    """Return the column that has the first of these plain names that exists, else None."""
    return next(iter(find_columns(columns, names)), None)


def share_of(cells: Iterable[str], fits: Callable[[str], bool]) -> float:
    """Return the share (0 to 1) of cells that fit, without absent ones; 0 if there are none."""
    filled = [cell for cell in cells if not is_absent(cell)]
    return sum(map(fits, filled)) / len(filled) if filled else 0.0


def _choose_best(
    candidates: Sequence[str], cells: Mapping[str, Sequence[str]], fits: Callable[[str], bool]
) -> str | None:
    """Return the candidate whose cells fit best, the first of equals; None without candidates."""
    return max(candidates, key=lambda column: share_of(cells.get(column, ()), fits), default=None)


def _holds_asin(cell: str) -> bool:
    return restore_asin(cell) is not None


def _holds_address(cell: str) -> bool:
    named = read_address(cell)
    return isinstance(named, NamedProduct)


def _find_marketplace_columns(
    columns: Sequence[str], cells: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return the columns of marketplaces: by name, and others that contain only marketplaces."""
    by_name = find_columns(columns, MARKETPLACE_NAMES)
    naming = [name for name in by_name if share_of(cells.get(name, ()), _names_marketplace)]
    perhaps = find_columns(columns, _PERHAPS_MARKETPLACE)
    by_cells = [
        column
        for column in columns
        if column not in by_name
        and share_of(
            cells.get(column, ()), _names_marketplace if column in perhaps else _is_amazon_place
        )
        == 1
        and not _may_be_states(column, cells.get(column, ()))
    ]
    return tuple(naming + by_cells or by_name)


def _may_be_states(column: str, cells: Sequence[str]) -> bool:
    is_region = plain_name(column) in ("region", "region_code")
    return is_region and all(cell.strip().lower() in _STATES or is_absent(cell) for cell in cells)


def _names_marketplace(cell: str) -> bool:
    return find_by_name(cell) is not None


def _is_amazon_place(cell: str) -> bool:
    """Return whether a cell is a bare Amazon host or marketplace id, unlike any other column's."""
    is_host = cell.strip().lower().removeprefix("www.").startswith("amazon.")
    return (is_host or len(cell.strip()) > 12) and "/" not in cell and _names_marketplace(cell)


@dataclass(frozen=True, slots=True)
class ProductColumns:
    """The columns that name a row's product."""

    asin: str | None
    address: str | None
    marketplaces: tuple[str, ...]  # the first filled one counts

    @classmethod
    def from_header(
        cls, columns: Iterable[str], cells: Mapping[str, Sequence[str]] = _NO_CELLS
    ) -> "ProductColumns":
        """Return the columns by their names; among several, their `cells` decide."""
        present = list(columns)
        return cls(
            asin=_choose_best(find_columns(present, ASIN_NAMES), cells, _holds_asin),
            address=_choose_best(find_columns(present, ADDRESS_NAMES), cells, _holds_address),
            marketplaces=_find_marketplace_columns(present, cells),
        )

    def list_meanings(self) -> dict[str, str]:
        """Return what these columns are read as."""
        named = {self.asin: "ASIN", self.address: "Link"}
        named |= dict.fromkeys(self.marketplaces, "Marketplace")
        return {column: meaning for column, meaning in named.items() if column}

    @property
    def has_product(self) -> bool:
        return self.asin is not None or self.address is not None


def read_product(
    cells: Mapping[str, str], columns: ProductColumns, default: Marketplace | None
) -> tuple[Marketplace, str] | Refusal:
    """Return the product of a row, or why it names none."""
    try:
        named = _find_named(cells, columns)
    except UnknownMarketplaceError as error:
        return Refusal(RefusalReason.INVALID, str(error))
    if isinstance(named, Refusal):
        return named
    marketplace = named.marketplace or default
    return (marketplace, named.asin) if marketplace else needs_marketplace(named.asin)


def _find_named(cells: Mapping[str, str], columns: ProductColumns) -> NamedProduct | Refusal:
    written = _get_cell(cells, columns.asin)
    address = _get_cell(cells, columns.address)
    if written and not address and "/" in written:
        written, address = "", written
    asin = restore_asin(written) if written else None
    if written and asin is None:
        return Refusal(RefusalReason.INVALID, _explain_no_asin(written))
    linked = read_address(address) if address else None
    if asin is None:
        return _add_stated_marketplace(linked, cells, columns) if linked else _NOTHING_NAMED
    if linked is None or isinstance(linked, Refusal):  # the ASIN alone is enough
        return _add_stated_marketplace(NamedProduct(asin, None), cells, columns)
    if asin != linked.asin:
        return _refuse_contradiction(asin, asin, linked.asin)
    return _add_stated_marketplace(linked, cells, columns)


def _add_stated_marketplace(
    named: NamedProduct | Refusal, cells: Mapping[str, str], columns: ProductColumns
) -> NamedProduct | Refusal:
    """Return the product with the marketplace that the row gives in its own column."""
    if isinstance(named, Refusal):
        return named
    stated = _find_stated_marketplace(cells, columns)
    if stated and named.marketplace and stated.code != named.marketplace.code:
        return _refuse_contradiction(named.asin, stated.domain, named.marketplace.domain)
    return NamedProduct(named.asin, stated or named.marketplace)


def read_address(address: str) -> NamedProduct | Refusal:
    """Return the product of a link, or why it has none."""
    mentions = read_mentions(address[:_LONGEST_ADDRESS])
    if not mentions:
        return _NOTHING_NAMED
    mention = mentions[0]
    if mention.asin is None or mention.verdict not in _NAMES_A_PRODUCT:
        return Refusal(RefusalReason.INVALID, mention.detail)
    return NamedProduct(
        mention.asin, get_marketplace(mention.marketplace) if mention.marketplace else None
    )


def clean_attributes(pairs: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Return a listing's attributes: the values that are texts, shortened."""
    cleaned = (
        (name, value_parsers.clean_or_none(value, value_parsers.LONGEST_LINE))
        for name, value in pairs
    )
    return {name: value for name, value in cleaned if value}


def _get_cell(cells: Mapping[str, str], column: str | None) -> str:
    return cells.get(column, "").strip() if column else ""


def _refuse_contradiction(asin: str, written: str, linked: str) -> Refusal:
    return Refusal(
        RefusalReason.INVALID,
        f"The row has {written}, but its link leads to {linked}: correct one of them.",
        asin,
    )


def _find_stated_marketplace(
    cells: Mapping[str, str], columns: ProductColumns
) -> Marketplace | None:
    """Return the marketplace of the row's own column. Raises UnknownMarketplaceError."""
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
            f"“{written[:40]}” isn't an Amazon marketplace: write a domain such as amazon.de, "
            "or a code such as DE."
        )
    return found


def restore_asin(written: str) -> str | None:
    """Return the ASIN in a cell, None if there is none.

    Spreadsheets read "0007123456" as a number and drop its zeros: they are restored
    only if the ISBN's check digit then fits.
    """
    asin = find_asin(written)
    if asin is not None:
        return asin
    bare = written.strip().removesuffix(".0")
    return find_asin(bare.zfill(10)) if _LOST_ZEROS.fullmatch(bare) else None


def _explain_no_asin(written: str) -> str:
    return (
        f"“{written[:40]}” isn't an ASIN: an ASIN has ten letters and digits, such as B0DEMO0001. "
        "If a spreadsheet dropped its zeros or rounded it, format the column as text."
    )


_NAMES_A_PRODUCT = frozenset({MentionVerdict.FOUND, MentionVerdict.NEEDS_MARKETPLACE})
_NOTHING_NAMED = Refusal(
    RefusalReason.INVALID,
    "The row names no product: it needs an ASIN or a link to a product page.",
)
