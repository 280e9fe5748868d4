"""Parse values of scraped items: text, numbers, money, yes or no.

Every function takes any value of JSON or CSV. The result None means "there was none";
`UnreadableValueError` means "there was a value, and it can't be read". Actors have their
own modules, sentences of Amazon's pages are in `localized_text.py`, amounts of money in
`core/catalog/money.py`.
"""

import json
import math
import re
from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from babel.numbers import get_currency_precision

from core.catalog.marketplaces import Marketplace
from core.catalog.money import UnreadableMoneyError, parse_amount
from core.catalog.sellers import find_seller_id
from core.errors import AmazcopeError

LARGEST_COUNT: Final = 2_147_483_647  # PostgreSQL's integer
LARGEST_AMOUNT: Final = 10**15  # minor units; far above any price, far below bigint
LONGEST_TITLE: Final = 2_000  # characters; Amazon's own limit is 200
LONGEST_TEXT: Final = 20_000  # characters of a description
LONGEST_LINE: Final = 2_000  # characters of a bullet, a web address, an attribute
LONGEST_NAME: Final = 200  # characters of a brand, a seller, a category (they are indexed)
MOST_LINES: Final = 100  # bullets, images, attributes, steps of a category path

_GROUPED_NUMBER = re.compile(
    r"\s*(\d{1,3}(?:[.,'’٬\s]\d{2,3})*[.,'’٬\s]\d{3}|\d{1,10})(?:[.,]0+)?"
    # Words may come after it, but not a unit of thousands ("1 K", "2万").
    r"(?:\s+(?!(?:[km]|mil|mio|tsd)\b|[万萬千])\D*|[個件則个条條]\D*)?",
    re.IGNORECASE,
)
_PLAIN_NUMBER = re.compile(r"\s*\d{1,15}(?:\.\d{1,2})?\s*", re.ASCII)
_NOT_A_DIGIT = re.compile(r"\D+")
_TRUE_WORDS: Final = frozenset({"true", "1", "yes"})
_FALSE_WORDS: Final = frozenset({"false", "0", "no"})


LONGEST_EXCERPT: Final = 300  # characters of a text that can't be read


class UnreadableValueError(AmazcopeError):
    """There is a value, but not one that its field should hold."""


def make_excerpt(value: object) -> str:
    """Return the text of an unreadable field, shortened and storable."""
    written = (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    )
    return clean_string(written, LONGEST_EXCERPT) or "(blank)"


def clean_text(value: object, limit: int) -> str | None:
    """Return the text in storable form: no NUL, no lone surrogates, at most `limit` characters.

    HTML and odd spaces within stay: this is a record of the page.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnreadableValueError("This should be text.")
    return clean_string(value, limit)


def clean_values(values: Mapping[str, str], limit: int) -> dict[str, str]:
    """Return named texts in storable form without empty ones, at most `MOST_LINES`."""
    if len(values) <= MOST_LINES and _are_plain(values.values(), limit):
        return {name: text for name, value in values.items() if (text := value.strip())}
    return {
        name: cleaned
        for name, value in islice(values.items(), MOST_LINES)
        if (cleaned := clean_string(value, limit))
    }


def _are_plain(values: Collection[Any], limit: int) -> bool:
    """Return whether all values are texts that need nothing but stripping, as most do.

    All at once: a page has dozens of values, and one by one they took a tenth of its time.
    """
    try:
        joined = "".join(values)
    except TypeError:
        return False
    is_short = len(joined) <= limit or max(map(len, values)) <= limit
    return is_short and joined.isascii() and "\0" not in joined


def clean_string(value: str, limit: int) -> str | None:
    """Return a string as `clean_text` does."""
    text = value if len(value) <= limit else value[:limit]
    if "\0" in text:  # PostgreSQL refuses U+0000
        text = text.replace("\0", "")
    if not text.isascii():
        text = _drop_surrogates(text)
    return text.strip() or None


def _drop_surrogates(text: str) -> str:
    """Drop lone surrogates, which JSON may contain and UTF-8 can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="ignore").decode()
    return text


def parse_seller_id(value: object) -> str | None:
    """Return a seller's id; None if the value is blank."""
    if value is None or value == "":
        return None
    found = find_seller_id(value) if isinstance(value, str) else None
    if found is None:
        raise UnreadableValueError("This should be the id of a seller.")
    return found


def clean_or_none(value: object, limit: int) -> str | None:
    """Return a text as `clean_text` does, but None for other types."""
    return clean_string(value, limit) if isinstance(value, str) else None


def clean_lines(values: object, limit: int = LONGEST_LINE) -> tuple[str, ...]:
    """Return the texts of a list, without its empty and unreadable entries."""
    if values is None or values == "":
        return ()
    if not isinstance(values, list | tuple):
        raise UnreadableValueError("This should be a list of texts.")
    lines = values[:MOST_LINES]
    if _are_plain(lines, limit):
        return tuple(filter(None, map(str.strip, lines)))
    return tuple(filter(None, (clean_or_none(line, limit) for line in lines)))


def parse_whole_number(value: object) -> int | None:
    """Return a count such as 29, 29.0, "29", "1,234" or "1.234 ratings"."""
    if value is None:
        return None
    if isinstance(value, str):
        return _check_bounds(_parse_grouped(value)) if value.strip() else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableValueError("This should be a whole number.")
    if isinstance(value, float) and not value.is_integer():  # false for NaN and infinity too
        raise UnreadableValueError("This should be a whole number.")
    return _check_bounds(int(value))


def _parse_grouped(text: str) -> int:
    match = _GROUPED_NUMBER.fullmatch(text) if len(text) <= LONGEST_NAME else None
    if match is None:
        raise UnreadableValueError("This should be a whole number.")
    return int(_NOT_A_DIGIT.sub("", match[1]))


def _check_bounds(number: int) -> int:
    if not 0 <= number <= LARGEST_COUNT:
        raise UnreadableValueError("This number is too large or below zero.")
    return number


def parse_rank_number(value: object) -> int | None:
    """Return a rank, 1 or more; None for 0. Also reads "#35,077"."""
    if isinstance(value, str):
        value = value.strip().lstrip("#").strip()
    return parse_whole_number(value) or None


def parse_bool(value: object) -> bool | None:
    """Return a yes or no, also written as a word as in CSV."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if not word:
            return None
        if word in _TRUE_WORDS:
            return True
        if word in _FALSE_WORDS:
            return False
    raise UnreadableValueError("This should be true or false.")


def parse_amount_text(
    value: object, marketplace: Marketplace, currency: str | None = None
) -> int | None:
    """Return a price in minor units; None for 0, which scrapers write for "no price".

    `currency` is the observed one; None: the marketplace's. A plain number (also
    as text: "129.99") has a decimal point in every marketplace.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _parse_amount_text(value, marketplace, currency)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableValueError("This should be an amount of money.")
    return _to_minor_units(value, _find_decimals(marketplace, currency))


def _parse_amount_text(text: str, marketplace: Marketplace, currency: str | None) -> int | None:
    if not text.strip():
        return None
    if _PLAIN_NUMBER.fullmatch(text):
        return _to_minor_units(Decimal(text.strip()), _find_decimals(marketplace, currency))
    if len(text) > LONGEST_NAME or _find_decimals(marketplace, currency) != marketplace.decimals:
        raise UnreadableValueError("This should be an amount of money.")
    try:
        minor = parse_amount(text, marketplace)
    except UnreadableMoneyError as error:
        raise UnreadableValueError(str(error)) from error
    return _check_price(minor) if minor is not None else None


def _to_minor_units(value: float | Decimal, decimals: int) -> int | None:
    if isinstance(value, float):
        if not math.isfinite(value) or not 0 <= value < LARGEST_AMOUNT:
            raise UnreadableValueError("This amount is not a possible price.")
        written = repr(value)
        whole, _, part = written.partition(".")
        if part.isdecimal() and len(part) <= decimals:  # as most: Decimal costs more
            return _check_price(int(whole + part.ljust(decimals, "0")))
        value = Decimal(written)
    elif isinstance(value, int) and not 0 <= value < LARGEST_AMOUNT:
        raise UnreadableValueError("This amount is not a possible price.")
    if isinstance(value, int):
        return _check_price(value * 10**decimals)
    return _check_price(int(value.scaleb(decimals).to_integral_value(ROUND_HALF_UP)))


def _check_price(minor: int) -> int | None:
    if not 0 <= minor <= LARGEST_AMOUNT:
        raise UnreadableValueError("This amount is not a possible price.")
    return minor or None


def _find_decimals(marketplace: Marketplace, currency: str | None) -> int:
    if currency is None or currency == marketplace.currency:
        return marketplace.decimals
    return _currency_decimals(currency)


@lru_cache(maxsize=512)
def _currency_decimals(currency: str) -> int:
    return get_currency_precision(currency)
