"""What the values of a change may be, when two are the same, and how they are told. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_money
from core.errors import InvalidInputError
from core.suggestions.rules import KIND_OF, Change, Kind
from core.thresholds import NO_THRESHOLD, is_threshold
from core.tracking.rules import Cadence

Values = Mapping[str, Any]

LONGEST_TEXT = 10_000  # characters; policies say what a marketplace takes
MOST_BULLETS = 20
LARGEST_COUPON = 80  # percent
NOT_ON_A_PAGE = frozenset({Change.UPDATE_SEARCH_TERMS})
_TEXTS = {
    Change.UPDATE_TITLE: "title",
    Change.UPDATE_DESCRIPTION: "description",
    Change.UPDATE_SEARCH_TERMS: "search_terms",
    Change.UPDATE_BRAND: "brand",
}
_LISTS = {Change.UPDATE_BULLETS: "bullets", Change.UPDATE_CATEGORY: "category_path"}
_THRESHOLDS = frozenset({Change.SET_PRICE_THRESHOLD, Change.SET_RANK_THRESHOLD})


def validate_value(change: Change, values: Values) -> dict[str, Any]:
    """Return what a change proposes in the one form in which it is kept.

    Raises InvalidInputError for what the change can't hold.
    """
    if change in _TEXTS:
        return {_TEXTS[change]: _text(values.get(_TEXTS[change]))}
    if change in _LISTS:
        return {_LISTS[change]: _texts(values.get(_LISTS[change]))}
    if change in _THRESHOLDS:
        return {"percent": _threshold(values.get("percent"))}
    match change:
        case Change.UPDATE_PRICE:
            return {"price": _whole(values.get("price"), "A price is a whole amount above 0.")}
        case Change.SET_COUPON:
            return _coupon(values)
        case Change.ADD_IMAGES:
            return {"count": _whole(values.get("count"), "Images are counted from 1 on.")}
        case Change.SET_CADENCE:
            return {"cadence": _cadence(values.get("cadence"))}
        case Change.ADD_COMPETITOR:
            return {key: _text(values.get(key)) for key in ("marketplace", "asin")}
        case _:
            return {}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInputError("This takes text.")
    cleaned = value.replace("\x00", "").strip()
    if not cleaned or len(cleaned) > LONGEST_TEXT:
        raise InvalidInputError(f"A text has 1 to {LONGEST_TEXT:,} characters.")
    return cleaned


def _texts(value: object) -> list[str]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_BULLETS:
        raise InvalidInputError(f"This takes 1 to {MOST_BULLETS} texts.")
    return [_text(each) for each in value]


def _whole(value: object, complaint: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise InvalidInputError(complaint)
    return value


def _coupon(values: Values) -> dict[str, Any]:
    if values.get("percent") is None:
        return {"amount": _whole(values.get("amount"), "A coupon is a whole amount above 0.")}
    percent = _whole(values["percent"], "A coupon is a whole percentage above 0.")
    if percent > LARGEST_COUPON:
        raise InvalidInputError(f"A coupon takes off at most {LARGEST_COUPON} %.")
    return {"percent": percent}


def _threshold(value: object) -> str:
    number = _number(value)
    if number is None or not is_threshold(number):
        raise InvalidInputError(NO_THRESHOLD)
    return f"{number.quantize(Decimal('0.01')).normalize():f}"


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _cadence(value: object) -> str:
    try:
        return Cadence(str(value)).value
    except ValueError:
        known = ", ".join(cadence.value for cadence in Cadence)
        raise InvalidInputError(f"A cadence is one of {known}.") from None


# Comparing


def are_equal(one: Values, other: Values) -> bool:
    """Return whether two values say the same: spaces, and how a number is written, aside.

    What one leaves out is unknown, as None is.
    """
    keys = {*one, *other}
    return all(_plain(key, one.get(key)) == _plain(key, other.get(key)) for key in keys)


def _plain(key: str, value: object) -> object:
    if value is None or value is False or value == "" or value == [] or value == ():
        return None
    if key == "percent":
        return _number(value)
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list | tuple):
        return [_plain("", each) for each in value]
    return value


# Telling


def format_value(change: Change, values: Values, marketplace: str) -> str:
    """Return values as a person reads them: text from outside, not escaped."""
    if change is Change.PAUSE_TRACKING:
        return "paused" if values.get("paused") else "followed"
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


def is_tracking(change: Change) -> bool:
    """Return whether a change is a setting here, not something on a page."""
    return KIND_OF[change] is Kind.TRACKING
