"""Money: parsing amounts as marketplaces write them, and formatting them.

An amount is an integer in the minor unit of its currency: cents; yen have none.
Currencies are never converted, and never guessed from an amount.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import get_currency_precision, get_currency_symbol

from core.catalog.marketplaces import Marketplace, get_marketplace
from core.errors import InvalidInputError
from core.text import locale as formats
from core.text.numbers import UNKNOWN, is_unknown

LARGEST = 10**15  # minor units; beyond it no price is meant

_LONGEST_TEXT = 64  # characters; an amount with its currency is far shorter
_NBSP = "\u00a0"


class UnreadableMoneyError(InvalidInputError):
    """The text is not one amount of money."""


# Reading


def parse_amount(raw: str | int | float | Decimal | None, marketplace: Marketplace) -> int | None:
    """Return minor units of the marketplace's currency, or None for no amount.

    Numbers are major units: 12.5 on amazon.com is 1250. Fractions of a minor unit are
    rounded half up (away from zero). Text is read in the marketplace's format first; a comma
    is a decimal mark only with one or two digits after it and no separator later. The
    currency is not checked: see `find_currency`.

    Raises UnreadableMoneyError for other text, ranges, NaN, infinity and
    amounts beyond `LARGEST`.
    """
    if raw is None:
        return None
    if isinstance(raw, str):
        text = _plain(raw)
        if text.casefold() in _ABSENT:
            return None
        return _to_minor(_read_text(text, marketplace), marketplace, raw)
    if isinstance(raw, bool):
        raise UnreadableMoneyError(f"{raw} is not an amount of money. Give a number.")
    if isinstance(raw, int) and abs(raw) > LARGEST:
        raise UnreadableMoneyError("The number is too large for a price. Check it.")
    return _to_minor(Decimal(str(raw)), marketplace, raw)


def find_currency(text: str, marketplace: Marketplace) -> str | None:
    """Return the ISO code of the currency in a text, or None.

    "$" is the marketplace's own if that is a dollar or peso, else USD.
    """
    found = _CURRENCY.search(_plain(text)[:_LONGEST_TEXT])
    if found is None:
        return None
    sign = found.group().casefold()
    if sign == "$":
        return marketplace.currency if marketplace.currency in _DOLLARS else "USD"
    return _CURRENCY_TOKENS[sign]


_ABSENT = frozenset(
    {"", "-", "--", "n/a", "na", "#n/a", "nan", "none", "null", "unknown", "not available"}
)
_DOLLARS = frozenset({"USD", "CAD", "MXN", "AUD", "SGD"})

# In the form that `_plain` returns: compatibility forms folded, lower case.
_CURRENCY_TOKENS = {
    "$": "USD", "us$": "USD", "usd": "USD", "ca$": "CAD", "c$": "CAD", "cad": "CAD",
    "mx$": "MXN", "mxn": "MXN", "r$": "BRL", "brl": "BRL", "£": "GBP", "gbp": "GBP",
    "gpb": "GBP",  # misspelt so in real exports
    "€": "EUR", "eur": "EUR", "kr": "SEK", "sek": "SEK", "zł": "PLN", "zl": "PLN",
    "pln": "PLN", "₺": "TRY", "tl": "TRY", "try": "TRY", "aed": "AED", "dhs": "AED",
    "د.إ.": "AED", "د.إ": "AED", "sar": "SAR", "sr": "SAR", "ر.س.": "SAR", "ر.س": "SAR",
    "ریال": "SAR", "ريال": "SAR", "\u20c1": "SAR",
    "egp": "EGP", "ج.م.": "EGP", "ج.م": "EGP", "جنيه": "EGP",
    "r": "ZAR", "zar": "ZAR", "₹": "INR", "rs.": "INR", "rs": "INR", "inr": "INR",
    "¥": "JPY", "円": "JPY", "jpy": "JPY", "a$": "AUD", "au$": "AUD", "aud": "AUD",
    "s$": "SGD", "sg$": "SGD", "sgd": "SGD", "chf": "CHF", "cny": "CNY", "nok": "NOK",
    "dkk": "DKK", "czk": "CZK",
}  # fmt: skip
_ANY_TOKEN = "|".join(re.escape(each) for each in sorted(_CURRENCY_TOKENS, key=len, reverse=True))
_CURRENCY = re.compile(rf"(?<![^\W\d])(?:{_ANY_TOKEN})(?![^\W\d])", re.IGNORECASE)
_AMOUNT = re.compile(
    rf"""(?P<open>\()?\s*(?P<sign>[-+])?\s*(?:{_ANY_TOKEN})?\s*(?P<inner_sign>[-+])?\s*
         (?P<number>[0-9.,]+(?:[ '][0-9.,]+)*(?<![.,]))(?:[,:]-)?
         \s*(?:{_ANY_TOKEN})?\s*(?P<late_sign>-)?\s*(?P<close>\))?""",
    re.IGNORECASE | re.VERBOSE,
)
_RANGE = re.compile(r"\d[^\d]*(?:-|\bto\b|\bbis\b|\ba\b|~)[^\d]*\d")
# A broken Excel number format leaves a locale id after the amount: " -409" is en-US.
_EXCEL_LOCALE = re.compile(
    r"\s+-(?:409|407|40[cC]|410|[cC0]0[aA]|40[aA]|809|411|1009|80[aA]|416|4009|413|41[dD]|415)$"
)
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:([., '])[0-9]{3})(?:\1[0-9]{3})*")
_LAKH_GROUPED = re.compile(r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}")


def _signs() -> dict[int, str | None]:
    """Map digits, dashes and marks of other scripts to the plain ones."""
    table: dict[int, str | None] = {
        ord(each): "-" for each in "\u2010\u2011\u2012\u2013\u2014\u2212"
    }
    for zero in (0x0660, 0x06F0, 0x0966):  # Arabic, Persian, Devanagari
        table |= {zero + digit: str(digit) for digit in range(10)}
    table |= {0x066B: ".", 0x066C: ",", ord("\u2019"): "'"}
    hidden = (0x00AD, 0x061C, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F))
    return table | dict.fromkeys((*hidden, *range(0x2060, 0x206A)), None)


_PLAIN_SIGNS = _signs()


def _plain(text: str) -> str:
    """Replace spaces, wide forms, digits, dashes and hidden marks by the plain ones."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", text.translate(_PLAIN_SIGNS)).strip()


def _read_text(text: str, marketplace: Marketplace) -> Decimal:
    """Return the amount in major units."""
    text = _EXCEL_LOCALE.sub("", text)
    found = _AMOUNT.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if found is None or (found["open"] is None) != (found["close"] is None):
        raise _unreadable(text)
    amount = _read_number(found["number"], _decimal_mark(marketplace.locale), text)
    minus = found["open"] or "-" in (found["sign"], found["inner_sign"], found["late_sign"])
    return -amount if minus else amount


def _read_number(number: str, mark: str, text: str) -> Decimal:
    """Read digits with separators; `mark` is the marketplace's decimal mark."""
    if number.isdigit():
        return Decimal(number)
    if _is_grouped(number, mark):
        return Decimal(re.sub(r"[., ']", "", number))
    position = max(number.rfind("."), number.rfind(","))
    whole, decimals = number[:position], number[position + 1 :]
    if position < 0 or not decimals.isdigit():
        raise _unreadable(text)
    if number[position] == "," and len(decimals) > 2:
        raise _unreadable(text)
    if whole and not whole.isdigit():
        if number[position] in whole or not _is_grouped(whole, number[position]):
            raise _unreadable(text)
        whole = re.sub(r"[., ']", "", whole)
    return Decimal(f"{whole or '0'}.{decimals}")


def _is_grouped(number: str, mark: str) -> bool:
    """Return whether a number is whole with group separators: 1,234 or 1.234.567.

    A single point before three digits is a decimal mark if it is the marketplace's; a comma
    before three digits never is.
    """
    if mark == "." and number.count(".") == 1:
        return False
    return bool(_GROUPED.fullmatch(number) or _LAKH_GROUPED.fullmatch(number))


def _to_minor(amount: Decimal, marketplace: Marketplace, raw: object) -> int:
    """Round to the minor unit; `raw` is for the message."""
    if not amount.is_finite():
        raise _unreadable(str(raw))
    if amount and amount.adjusted() > 16:
        raise _too_large(raw)
    minor = int(amount.scaleb(marketplace.decimals).quantize(Decimal(1), ROUND_HALF_UP))
    if abs(minor) > LARGEST:
        raise _too_large(raw)
    return minor


def _unreadable(text: str) -> UnreadableMoneyError:
    shown = text[:_LONGEST_TEXT]
    if _RANGE.search(shown):
        return UnreadableMoneyError(f"{shown!r} is a range, not one price. Give a single amount.")
    return UnreadableMoneyError(
        f"{shown!r} can't be read as money. Give one amount such as 12.99 or 1.234,50 €."
    )


def _too_large(raw: object) -> UnreadableMoneyError:
    return UnreadableMoneyError(f"{str(raw)[:_LONGEST_TEXT]} is too large for a price. Check it.")


@lru_cache(maxsize=64)
def _decimal_mark(locale: str) -> str:
    return str(Locale.parse(locale).number_symbols["latn"]["decimal"])


# Writing


def format_money(minor: int | None, marketplace: Marketplace) -> str:
    """Write an amount in the marketplace's currency and locale."""
    return format_amount(minor, marketplace.currency, marketplace.locale)


def format_amount(minor: int | None, currency: str, locale: str, *, as_code: bool = False) -> str:
    """Write minor units of a currency in a locale's format; None is "unknown".

    `as_code`: with the currency's ISO code in place of its sign. The result is that of
    Babel's `format_currency`, with a space beside a letter code (CLDR's rule, which Babel
    leaves out), but fast enough for long lists.
    """
    if minor is None:
        return UNKNOWN
    style = _style(currency, locale, as_code)
    prefix, suffix = style.negative if minor < 0 else style.positive
    whole, decimals = divmod(abs(minor), 10**style.decimals)
    number = style.group_digits(whole)
    if style.decimals:
        number = f"{number}{style.mark}{decimals:0{style.decimals}}"
    return f"{prefix}{number}{suffix}"


def to_decimal(minor: int, currency: str) -> Decimal:
    """Return the amount in major units: 1250 of USD is Decimal("12.50")."""
    return Decimal(minor).scaleb(-_precision(currency))


def minor_units(currency: str) -> int:
    """Return how many minor units make a major one: 100 for USD, 1 for JPY."""
    return int(10 ** _precision(currency))


@dataclass(frozen=True, slots=True)
class _Style:
    """A locale's format of a currency, read once from Babel."""

    positive: tuple[str, str]  # before and behind the number
    negative: tuple[str, str]
    mark: str
    separator: str
    first_group: int  # digits next to the decimal mark
    further_groups: int
    decimals: int

    def group_digits(self, whole: int) -> str:
        """Write a whole number with group separators."""
        if self.first_group == self.further_groups == 3:
            return f"{whole:,}".replace(",", self.separator)
        digits = str(whole)
        groups = [digits[-self.first_group :]]
        digits = digits[: -self.first_group]
        while digits:
            groups.append(digits[-self.further_groups :])
            digits = digits[: -self.further_groups]
        return self.separator.join(reversed(groups))


@lru_cache(maxsize=256)
def _style(currency: str, locale: str, as_code: bool) -> _Style:
    parsed = Locale.parse(locale)
    pattern = parsed.currency_formats["standard"]
    symbols = parsed.number_symbols["latn"]
    symbol = currency if as_code else get_currency_symbol(currency, locale)
    first, further = pattern.grouping
    return _Style(
        positive=_around(pattern.prefix[0], pattern.suffix[0], symbol, currency),
        negative=_around(pattern.prefix[1], pattern.suffix[1], symbol, currency),
        mark=symbols.get("currencyDecimal", symbols["decimal"]),
        separator=symbols.get("currencyGroup", symbols["group"]),
        first_group=first,
        further_groups=further,
        decimals=_precision(currency),
    )


def _around(prefix: str, suffix: str, symbol: str, currency: str) -> tuple[str, str]:
    if symbol == currency and prefix.endswith("¤"):
        prefix += _NBSP
    if symbol == currency and suffix.startswith("¤"):
        suffix = _NBSP + suffix
    return prefix.replace("¤", symbol), suffix.replace("¤", symbol)


@lru_cache(maxsize=256)
def _precision(currency: str) -> int:
    return int(get_currency_precision(currency))


def format_price(minor: int | float | None, marketplace_code: str) -> str:
    """Write minor units in the marketplace's locale, or in the one that the user chose.

    Accepts the whole floats of DataFrames.
    """
    if minor is None or is_unknown(minor):
        return UNKNOWN
    place, chosen = get_marketplace(marketplace_code), formats.get_formats()
    return format_amount(
        int(minor),
        place.currency,
        chosen.locale_of_money(place.locale),
        as_code=chosen.has_currency_code,
    )
