"""Validates, parses, compares and formats values of all kinds of change. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_money, parse_amount, to_decimal
from core.errors import InvalidInputError

Values = Mapping[str, Any]

LONGEST_TEXT = 10_000  # characters; listing policies have the limits of marketplaces
MOST_TEXTS = 20  # bullets, or levels of a category


# Validation


def require_text(value: object) -> str:
    """Return a text without null characters and outer spaces. Raises InvalidInputError."""
    if not isinstance(value, str):
        raise InvalidInputError("This must be text.")
    cleaned = value.replace("\x00", "").strip()
    if not cleaned or len(cleaned) > LONGEST_TEXT:
        raise InvalidInputError(f"A text must have 1 to {LONGEST_TEXT:,} characters.")
    return cleaned


def require_texts(value: object) -> list[str]:
    """Return each text of a list as `require_text` does. Raises InvalidInputError."""
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_TEXTS:
        raise InvalidInputError(f"This must be 1 to {MOST_TEXTS} texts.")
    return [require_text(each) for each in value]


def require_whole(value: object, complaint: str) -> int:
    """Return a whole number above 0. Raises InvalidInputError with the complaint."""
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise InvalidInputError(complaint)
    return value


def to_number(value: object) -> Decimal | None:
    """Return a finite number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


# Parsing of what a manager types


def parse_number(text: str) -> Decimal:
    """Return a typed number, with a comma or a point. Raises InvalidInputError."""
    number = to_number(text.replace(",", ".").strip())
    if number is None:
        raise InvalidInputError("Type a number such as 5 or 2.5.")
    return number


def parse_minor_units(text: str, marketplace: str) -> int:
    """Return a typed amount above 0 in minor units. Raises InvalidInputError."""
    amount = parse_amount(text, get_marketplace(marketplace))
    if amount is None or amount <= 0:
        raise InvalidInputError("The amount must be above 0.")
    return amount


# Comparing


def are_equal(one: Values, other: Values) -> bool:
    """Return whether two values are equal, apart from spaces and the notation of numbers.

    A missing key equals None.
    """
    keys = {*one, *other}
    return all(_plain(key, one.get(key)) == _plain(key, other.get(key)) for key in keys)


def _plain(key: str, value: object) -> object:
    if value is None or value is False or value == "" or value == [] or value == ():
        return None
    if key == "percent":
        return to_number(value)
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list | tuple):
        return [_plain("", each) for each in value]
    return value


# Formatting


def format_major_units(minor: object, marketplace: str) -> str:
    """Return minor units as an amount of the currency, "19.99"; "" for None."""
    if not isinstance(minor, int):
        return ""
    return str(to_decimal(minor, get_marketplace(marketplace).currency))


def format_stored(values: Values, marketplace: str) -> str:
    """Return values as text for a stored sentence, the same in every locale, not escaped."""
    known = {key: value for key, value in values.items() if value is not None}
    if not known:
        return "unknown"
    if "price" in known or "amount" in known:
        minor = known.get("price", known.get("amount"))
        return format_money(minor, get_marketplace(marketplace))
    if "percent" in known:
        return f"{known['percent']} %"
    return "; ".join(_joined(value) for value in known.values())


def _joined(value: object) -> str:
    return " | ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
