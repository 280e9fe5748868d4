"""A rule's threshold as a user writes and reads it. Pure."""

from decimal import Decimal, InvalidOperation

from core.alerts.rules.rule import AMOUNTS, Subject
from core.alerts.rules.sentences import format_percent
from core.alerts.rules.subject_text import SUBJECTS, format_difference, format_value
from core.alerts.rules.thresholds import Threshold, ThresholdKind
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import parse_amount, to_decimal
from core.errors import InvalidInputError


def format_threshold(threshold: Threshold, marketplace: str) -> str:
    """Return a threshold with its unit: "10 %", "$2.00", "#500"."""
    if threshold.kind is ThresholdKind.PERCENT:
        return format_percent(threshold.value)
    value = round(threshold.value)
    if threshold.kind is ThresholdKind.AMOUNT:
        return format_difference(threshold.subject, value, marketplace)
    return format_value(threshold.subject, value, marketplace)


def label_threshold(threshold: Threshold, marketplace: str) -> str:
    """Return what to type: "Price change from, in USD"."""
    name = SUBJECTS[threshold.subject]
    name = name[:1].upper() + name[1:]
    unit = _find_unit(threshold, marketplace)
    in_unit = "" if unit is None else f", in {unit}"
    if threshold.kind is ThresholdKind.TARGET:
        return f"{name} {'above' if threshold.is_upper else 'below'}{in_unit}"
    return f"{name} change from{in_unit}"


def _find_unit(threshold: Threshold, marketplace: str) -> str | None:
    if threshold.kind is ThresholdKind.PERCENT:
        return "%"
    if threshold.subject in AMOUNTS:
        return get_marketplace(marketplace).currency
    return "stars" if threshold.subject is Subject.RATING else None


def write_threshold(threshold: Threshold, marketplace: str) -> str:
    """Return a threshold's number as a user would type it: "10", "19.99"."""
    if threshold.kind is ThresholdKind.PERCENT:
        return f"{Decimal(str(threshold.value)).normalize():f}"
    value = round(threshold.value)
    if threshold.subject in AMOUNTS:
        return f"{to_decimal(value, get_marketplace(marketplace).currency):f}"
    return f"{Decimal(value) / 10:f}" if threshold.subject is Subject.RATING else str(value)


def read_threshold(threshold: Threshold, typed: str, marketplace: str) -> float:
    """Return what a user typed for a threshold, as it is stored. Raises InvalidInputError."""
    if threshold.kind is not ThresholdKind.PERCENT and threshold.subject in AMOUNTS:
        amount = parse_amount(typed, get_marketplace(marketplace))
        if amount is None or (not amount and threshold.kind is ThresholdKind.AMOUNT):
            raise InvalidInputError("Write an amount such as 19.99.")
        return amount
    number = _read_number(typed)
    if not number and threshold.kind is not ThresholdKind.TARGET:
        raise InvalidInputError("A change of 0 is none. Write a larger number.")
    if threshold.kind is ThresholdKind.PERCENT:
        return float(number)
    if threshold.subject is Subject.RATING:
        number *= 10
    if number != round(number):
        raise InvalidInputError(f"“{typed}” has too many decimals for this.")
    return int(number)


def _read_number(typed: str) -> Decimal:
    try:
        number = Decimal(typed.replace("%", "").replace("#", "").replace(",", ".").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > 10**12:
        raise InvalidInputError(f"“{typed[:40]}” is no number. Write one such as 5 or 2.5.")
    return number
