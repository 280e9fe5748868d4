"""Amazon's marketplaces, found by code, host, Keepa number or name.

Facts only: `asin` parses addresses, `money` parses amounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One of Amazon's shops. `code` is the key used everywhere inside Amazcope."""

    code: str
    name: str  # the country, in English
    domain: str  # without "www."
    marketplace_id: str  # Amazon's own id in its selling APIs
    currency: str  # ISO 4217
    decimals: int  # digits of the minor unit; yen have none
    locale: str  # Babel's id: how amounts are written there
    time_zone: str  # default for display: a country may have several
    keepa_domain: int | None  # None: Keepa doesn't cover it


# amazon.sa and amazon.eg use the Emirates' English locale: Babel's Arabic formats contain
# direction marks that reverse an English line.
_ALL = (
    Marketplace(
        "US", "United States", "amazon.com", "ATVPDKIKX0DER",
        "USD", 2, "en_US", "America/Los_Angeles", 1,
    ),
    Marketplace(
        "CA", "Canada", "amazon.ca", "A2EUQ1WTGCTBG2",
        "CAD", 2, "en_CA", "America/Toronto", 6,
    ),
    Marketplace(
        "MX", "Mexico", "amazon.com.mx", "A1AM78C64UM0Y8",
        "MXN", 2, "es_MX", "America/Mexico_City", 11,
    ),
    Marketplace(
        "BR", "Brazil", "amazon.com.br", "A2Q3Y263D00KWC",
        "BRL", 2, "pt_BR", "America/Sao_Paulo", 12,
    ),
    Marketplace(
        "UK", "United Kingdom", "amazon.co.uk", "A1F83G8C2ARO7P",
        "GBP", 2, "en_GB", "Europe/London", 2,
    ),
    Marketplace(
        "IE", "Ireland", "amazon.ie", "A28R8C7NBKEWEA",
        "EUR", 2, "en_IE", "Europe/Dublin", None,
    ),
    Marketplace(
        "DE", "Germany", "amazon.de", "A1PA6795UKMFR9",
        "EUR", 2, "de_DE", "Europe/Berlin", 3,
    ),
    Marketplace(
        "FR", "France", "amazon.fr", "A13V1IB3VIYZZH",
        "EUR", 2, "fr_FR", "Europe/Paris", 4,
    ),
    Marketplace(
        "IT", "Italy", "amazon.it", "APJ6JRA9NG5V4",
        "EUR", 2, "it_IT", "Europe/Rome", 8,
    ),
    Marketplace(
        "ES", "Spain", "amazon.es", "A1RKKUPIHCS9HS",
        "EUR", 2, "es_ES", "Europe/Madrid", 9,
    ),
    Marketplace(
        "NL", "Netherlands", "amazon.nl", "A1805IZSGTT6HS",
        "EUR", 2, "nl_NL", "Europe/Amsterdam", None,
    ),
    Marketplace(
        "BE", "Belgium", "amazon.com.be", "AMEN7PMS3EDWL",
        "EUR", 2, "fr_BE", "Europe/Brussels", None,
    ),
    Marketplace(
        "SE", "Sweden", "amazon.se", "A2NODRKZP88ZB9",
        "SEK", 2, "sv_SE", "Europe/Stockholm", None,
    ),
    Marketplace(
        "PL", "Poland", "amazon.pl", "A1C3SOZRARQ6R3",
        "PLN", 2, "pl_PL", "Europe/Warsaw", None,
    ),
    Marketplace(
        "TR", "Türkiye", "amazon.com.tr", "A33AVAJ2PDY3EV",
        "TRY", 2, "tr_TR", "Europe/Istanbul", None,
    ),
    Marketplace(
        "AE", "United Arab Emirates", "amazon.ae", "A2VIGQ35RCS4UG",
        "AED", 2, "en_AE", "Asia/Dubai", None,
    ),
    Marketplace(
        "SA", "Saudi Arabia", "amazon.sa", "A17E79C6D8DWNP",
        "SAR", 2, "en_AE", "Asia/Riyadh", None,
    ),
    Marketplace(
        "EG", "Egypt", "amazon.eg", "ARBP9OOSHTCHU",
        "EGP", 2, "en_AE", "Africa/Cairo", None,
    ),
    Marketplace(
        "ZA", "South Africa", "amazon.co.za", "AE08WJ6YKNBMC",
        "ZAR", 2, "en_ZA", "Africa/Johannesburg", None,
    ),
    Marketplace(
        "IN", "India", "amazon.in", "A21TJRUUN4KGV",
        "INR", 2, "en_IN", "Asia/Kolkata", 10,
    ),
    Marketplace(
        "JP", "Japan", "amazon.co.jp", "A1VC38T7YXB528",
        "JPY", 0, "ja_JP", "Asia/Tokyo", 5,
    ),
    Marketplace(
        "AU", "Australia", "amazon.com.au", "A39IBJ37TRP1C6",
        "AUD", 2, "en_AU", "Australia/Sydney", None,
    ),
    Marketplace(
        "SG", "Singapore", "amazon.sg", "A19VAU5U5O7RUS",
        "SGD", 2, "en_SG", "Asia/Singapore", None,
    ),
)  # fmt: skip

MARKETPLACES: Mapping[str, Marketplace] = MappingProxyType({each.code: each for each in _ALL})

_HOST_PREFIXES = ("", "www.", "m.", "smile.")
_BY_HOST = {prefix + each.domain: each for each in _ALL for prefix in _HOST_PREFIXES}
_BY_KEEPA = {each.keepa_domain: each for each in _ALL if each.keepa_domain is not None}
_BY_NAME = (
    {each.domain.removeprefix("amazon."): each for each in _ALL}
    | {each.marketplace_id.lower(): each for each in _ALL}
    | {each.name.lower(): each for each in _ALL}
    | {each.code.lower(): each for each in _ALL}
    | {"gb": MARKETPLACES["UK"], "usa": MARKETPLACES["US"]}
    | _BY_HOST
)


def get_marketplace(code: str) -> Marketplace:
    """Return the marketplace of a code such as "US". Raises NotFoundError if there is none."""
    try:
        return MARKETPLACES[code]
    except KeyError:
        known = ", ".join(MARKETPLACES)
        raise NotFoundError(
            f"{code[:40]!r} is not one of Amazon's marketplaces. Use one of {known}."
        ) from None


def get_by_name(text: str) -> Marketplace:
    """Return what `find_by_name` does. Raises NotFoundError if there is none."""
    return find_by_name(text) or get_marketplace(text.strip().upper())


def find_by_domain(host: str) -> Marketplace | None:
    """Return the marketplace of exactly this host, None for any other, such as look-alikes."""
    return _BY_HOST.get(host.lower().removesuffix("."))


def find_by_keepa_domain(number: int) -> Marketplace | None:
    """Return the marketplace of one of Keepa's domain ids."""
    return _BY_KEEPA.get(number)


def find_by_name(text: str) -> Marketplace | None:
    """Return the marketplace named by a text, such as a cell, or None.

    Accepts in any case: a code ("us", also "GB" and "USA"), a country's English name, a
    host ("amazon.de", "www.amazon.de") with or without scheme and path, the end of a host
    as in Keepa's exports ("com", "co.uk"), and Amazon's marketplace id. Never guesses.
    """
    name = text.strip().lower()
    name = name.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return _BY_NAME.get(name)
