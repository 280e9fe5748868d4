"""Read currencies as files write them: codes, also misspelt, signs and names. Pure."""

from functools import cache

from babel import Locale

from core.catalog.marketplaces import MARKETPLACES, Marketplace
from core.catalog.money import find_currency
from core.scraping.parsers.value_parsers import UnreadableValueError

_MORE_NAMES = {
    "pound": "GBP", "pounds": "GBP", "pound sterling": "GBP", "sterling": "GBP", "yen": "JPY",
    "euros": "EUR", "rupees": "INR", "rmb": "CNY", "usdollar": "USD", "stg": "GBP",
}  # fmt: skip


def read_currency(written: str, marketplace: Marketplace) -> str:
    """Return the ISO code of the currency that a cell names, also as a name or a sign.

    "$" and "dollars" mean the marketplace's currency where that is a dollar. Raises
    UnreadableValueError for a cell that names no currency.
    """
    plain = " ".join(written.split())
    if plain.upper() in _codes():
        return plain.upper()
    found = _names().get(plain.lower()) or find_currency(plain, marketplace)
    if found is None and plain.lower().rstrip("s") == "dollar":
        found = find_currency("$", marketplace)
    if found is None:
        raise UnreadableValueError(
            f"“{plain[:40]}” isn't a currency: write a code such as {marketplace.currency}."
        )
    return found


@cache
def _codes() -> frozenset[str]:
    return frozenset(Locale("en").currencies)


@cache
def _names() -> dict[str, str]:
    """Return the marketplaces' currencies by their names in the marketplaces' languages."""
    codes = {marketplace.currency for marketplace in MARKETPLACES.values()}
    found = {
        Locale.parse(marketplace.locale).currencies.get(code, "").lower(): code
        for marketplace in MARKETPLACES.values()
        for code in sorted(codes)
    }
    return found | _MORE_NAMES
