"""What a manager types instead of a proposed value, read into the value. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from core.catalog.asin import MentionVerdict, read_mentions
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import parse_amount, to_decimal
from core.errors import InvalidInputError
from core.suggestions.change_values import LARGEST_COUPON
from core.suggestions.rules import Change
from core.thresholds import NO_THRESHOLD, is_threshold
from core.tracking.rules import Cadence

LONGEST_TEXT = 10_000  # characters: no listing takes more
CAN_NOT_BE_EDITED = frozenset({Change.PAUSE_TRACKING})
LINES = frozenset({Change.UPDATE_BULLETS, Change.UPDATE_CATEGORY})
LONG = LINES | {Change.UPDATE_DESCRIPTION, Change.UPDATE_SEARCH_TERMS}
PLAIN = {
    Change.UPDATE_TITLE: "title",
    Change.UPDATE_DESCRIPTION: "description",
    Change.UPDATE_SEARCH_TERMS: "search_terms",
    Change.UPDATE_BRAND: "brand",
}
_LISTS = {Change.UPDATE_BULLETS: "bullets", Change.UPDATE_CATEGORY: "category_path"}


def format_for_edit(change: Change, values: Mapping[str, Any], marketplace: str) -> str:
    """Return values as a person edits them; a line each for bullets and levels of a category."""
    if change in PLAIN:
        return str(values.get(PLAIN[change]) or "")
    if change in _LISTS:
        return "\n".join(map(str, values.get(_LISTS[change]) or ()))
    if change is Change.UPDATE_PRICE:
        return _major(values.get("price"), marketplace)
    if change is Change.SET_COUPON:
        percent = values.get("percent")
        return _major(values.get("amount"), marketplace) if percent is None else f"{percent} %"
    if change is Change.ADD_COMPETITOR:
        return f"{values.get('marketplace', '')} {values.get('asin', '')}".strip()
    return str(values.get(_SIMPLE[change], ""))


_SIMPLE = {
    Change.ADD_IMAGES: "count",
    Change.SET_PRICE_THRESHOLD: "percent",
    Change.SET_RANK_THRESHOLD: "percent",
    Change.SET_CADENCE: "cadence",
}


def _major(minor: Any, marketplace: str) -> str:
    if not isinstance(minor, int):
        return ""
    return str(to_decimal(minor, get_marketplace(marketplace).currency))


def parse_edit(change: Change, text: str, marketplace: str) -> dict[str, Any]:
    """Return the values that a text stands for. Raises InvalidInputError, saying what would do."""
    text = text.replace("\x00", "").strip()
    if change in CAN_NOT_BE_EDITED:
        raise InvalidInputError("There is nothing to edit here. Approve or decline it.")
    if not text:
        raise InvalidInputError("This is empty. Decline it instead, or type a value.")
    if len(text) > LONGEST_TEXT:
        raise InvalidInputError(f"This is longer than {LONGEST_TEXT:,} characters.")
    if change in PLAIN:
        return {PLAIN[change]: text}
    if change in _LISTS:
        return {_LISTS[change]: [line.strip() for line in text.splitlines() if line.strip()]}
    return _READERS[change](text, marketplace)


def _price(text: str, marketplace: str) -> dict[str, Any]:
    return {"price": _amount(text, marketplace)}


def _amount(text: str, marketplace: str) -> int:
    amount = parse_amount(text, get_marketplace(marketplace))
    if amount is None or amount <= 0:
        raise InvalidInputError("A price is above 0.")
    return amount


def _coupon(text: str, marketplace: str) -> dict[str, Any]:
    if "%" not in text:
        return {"amount": _amount(text, marketplace)}
    percent = _number(text.replace("%", ""))
    if percent != percent.to_integral_value() or not 1 <= percent <= LARGEST_COUPON:
        raise InvalidInputError(f"A coupon takes a whole percentage from 1 to {LARGEST_COUPON}.")
    return {"percent": int(percent)}


def _threshold(text: str, _marketplace: str) -> dict[str, Any]:
    percent = _number(text.replace("%", ""))
    if not is_threshold(percent):
        raise InvalidInputError(NO_THRESHOLD)
    return {"percent": f"{percent.normalize():f}"}


def _count(text: str, _marketplace: str) -> dict[str, Any]:
    number = _number(text)
    if number != number.to_integral_value() or not 1 <= number <= 20:
        raise InvalidInputError("Write how many images there should be, from 1 to 20.")
    return {"count": int(number)}


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", ".").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidInputError("Write a number such as 5 or 2.5.")
    return number


def _cadence(text: str, _marketplace: str) -> dict[str, Any]:
    if text not in {cadence.value for cadence in Cadence}:
        raise InvalidInputError("Choose how often the product is looked at.")
    return {"cadence": text}


def _competitor(text: str, marketplace: str) -> dict[str, Any]:
    place, asin = parse_competitor(text, marketplace)
    return {"marketplace": place, "asin": asin}


def parse_competitor(text: str, marketplace: str) -> tuple[str, str]:
    """Return the product that a pasted address or ASIN names. Raises InvalidInputError.

    An ASIN alone is looked for in the given marketplace.
    """
    mentions = read_mentions(text, marketplace)
    named = {
        (each.marketplace, each.asin)
        for each in mentions
        if each.verdict is MentionVerdict.FOUND and each.marketplace and each.asin
    }
    if len(named) == 1:
        place, asin = named.pop()
        return str(place), str(asin)
    if not named and mentions:
        raise InvalidInputError(mentions[0].detail)
    told = "more than one product" if named else "no product"
    raise InvalidInputError(f"This names {told}. Paste one address of a product page, or one ASIN.")


_READERS = {
    Change.UPDATE_PRICE: _price,
    Change.SET_COUPON: _coupon,
    Change.SET_PRICE_THRESHOLD: _threshold,
    Change.SET_RANK_THRESHOLD: _threshold,
    Change.ADD_IMAGES: _count,
    Change.SET_CADENCE: _cadence,
    Change.ADD_COMPETITOR: _competitor,
}
