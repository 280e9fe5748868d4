"""What an action of a reply would set, and why it may not. Pure.

What stands now is taken from the facts, never from the reply.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.history.ingest.change_detection import USUAL_RULE
from core.suggestions.advisors.listing_policies import lint_change
from core.suggestions.proposals import text_checks
from core.suggestions.proposals.number_grounding import numbers_not_in_listing
from core.suggestions.rules import Change, Facts, ListingFacts
from core.thresholds import LARGEST_THRESHOLD, NO_THRESHOLD, is_threshold
from core.tracking.rules import Cadence

MOST_IMAGES = 12
LARGEST_COUPON = 50  # percent
_LONGEST_TEXT = 2_000  # characters; Amazon's rules ask for less
_LONGEST_LIST = 10
_LONGEST_ENTRY = 500

Values = dict[str, Any]


class ReplyAction(BaseModel):
    """One change of a reply. Which of the values it fills follows from the change."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    change: Change
    amount: int | None
    percent: float | None
    text: str | None
    texts: list[str] | None
    count: int | None
    reason: str


_TEXTS = {
    Change.UPDATE_TITLE: "title",
    Change.UPDATE_DESCRIPTION: "description",
    Change.UPDATE_SEARCH_TERMS: "search_terms",
    Change.UPDATE_BRAND: "brand",
}
_LISTS = {Change.UPDATE_BULLETS: "bullets", Change.UPDATE_CATEGORY: "category_path"}
_THRESHOLDS = {Change.SET_PRICE_THRESHOLD, Change.SET_RANK_THRESHOLD}


def proposed_of(action: ReplyAction) -> Values | None:
    """Return the values of a change as `Change` names them; None: what it needs is missing."""
    change = action.change
    if change in _TEXTS:
        return None if action.text is None else {_TEXTS[change]: action.text.strip()}
    if change in _LISTS:
        return None if not action.texts else {_LISTS[change]: [t.strip() for t in action.texts]}
    if change in _THRESHOLDS:
        return None if action.percent is None else {"percent": _written(action.percent)}
    match change:
        case Change.UPDATE_PRICE:
            return None if action.amount is None else {"price": action.amount}
        case Change.SET_COUPON:
            return _coupon(action)
        case Change.ADD_IMAGES:
            return None if action.count is None else {"count": action.count}
        case Change.SET_CADENCE:
            return None if action.text is None else {"cadence": action.text}
        case Change.PAUSE_TRACKING:
            return {}
    return None


def _coupon(action: ReplyAction) -> Values | None:
    if (action.amount is None) == (action.percent is None):
        return None  # one of the two
    if action.amount is not None:
        return {"amount": action.amount}
    whole = action.percent is not None and action.percent.is_integer()
    return {"percent": int(action.percent or 0)} if whole else None


def _written(percent: float) -> str:
    number = Decimal(str(percent))
    if abs(number) > LARGEST_THRESHOLD:
        return str(number)  # refused later: so large a number can't be rounded to hundredths
    return f"{number.quantize(Decimal('0.01')).normalize():f}"


def current_of(change: Change, facts: Facts) -> Values:
    """Return what stands now; None inside: unknown."""
    listing = facts.listing
    match change:
        case Change.UPDATE_PRICE:
            return {"price": facts.price}
        case Change.UPDATE_BULLETS:
            return {"bullets": None if listing.bullets is None else list(listing.bullets)}
        case Change.UPDATE_CATEGORY:
            path = listing.category_path
            return {"category_path": None if path is None else list(path)}
        case Change.UPDATE_TITLE | Change.UPDATE_DESCRIPTION | Change.UPDATE_BRAND:
            return {_TEXTS[change]: getattr(listing, _TEXTS[change])}
        case Change.ADD_IMAGES:
            return {"count": listing.image_count}
        case Change.SET_PRICE_THRESHOLD:
            return {"percent": _threshold(facts.price_change_percent)}
        case Change.SET_RANK_THRESHOLD:
            return {"percent": _threshold(facts.rank_change_percent)}
        case Change.SET_CADENCE:
            return {"cadence": facts.cadence}
        case Change.SET_COUPON:
            return _coupon_now(facts)
        case _:
            return {}


def _coupon_now(facts: Facts) -> Values:
    """Return the coupon that the page offers, which one of the figures tells."""
    for each in facts.evidence:
        if each.key == "coupon_now":
            return {"percent" if each.unit == "%" else "amount": each.value}
    return {"percent": None}


def _threshold(percent: float | None) -> str | None:
    return None if percent is None else _written(percent)


# Why it may not


def find_problems(change: Change, proposed: Values, facts: Facts) -> Iterator[str]:
    """Yield every reason against a proposed change, as a sentence."""
    if change is not Change.PAUSE_TRACKING and proposed == current_of(change, facts):
        yield "It proposes what stands already."
    if change in _TEXTS or change in _LISTS:
        yield from _text_problems(change, proposed, facts)
    elif change in _THRESHOLDS:
        yield from _threshold_problems(change, Decimal(proposed["percent"]))
    elif change is Change.SET_CADENCE:
        if proposed["cadence"] not in {cadence.value for cadence in Cadence}:
            yield f"A cadence is one of {', '.join(cadence.value for cadence in Cadence)}."
    elif change is Change.ADD_IMAGES:
        yield from _image_problems(proposed["count"], facts.listing.image_count)
    elif change in (Change.UPDATE_PRICE, Change.SET_COUPON):
        yield from _price_problems(change, proposed, facts)


def _threshold_problems(change: Change, percent: Decimal) -> Iterator[str]:
    if not is_threshold(percent):
        yield NO_THRESHOLD
        return
    is_price = change is Change.SET_PRICE_THRESHOLD
    usual = USUAL_RULE.price_percent if is_price else USUAL_RULE.rank_percent
    if percent < Decimal(str(usual)):
        yield f"A threshold below the usual {usual:g} percent has no effect."


def _image_problems(count: int, now: int | None) -> Iterator[str]:
    if now is None:
        yield "How many images there are now is not known."
    elif not now < count <= MOST_IMAGES:
        yield f"Images lie above the {now} there are and at most at {MOST_IMAGES}."


def _price_problems(change: Change, proposed: Values, facts: Facts) -> Iterator[str]:
    """Yield why a price, or what a coupon leaves of it, lies outside what is allowed."""
    if facts.price is None:
        yield "The price now is not known, so none can be proposed."
        return
    if change is Change.SET_COUPON and not 0 < proposed.get("percent", 1) <= LARGEST_COUPON:
        yield f"A coupon takes off 1 to {LARGEST_COUPON} percent."
        return
    if change is Change.SET_COUPON and proposed.get("amount", 1) <= 0:
        yield "A coupon takes off an amount above 0."
        return
    problem = facts.caps.problem(facts.price, _price_then(facts.price, proposed))
    if problem is not None:
        yield problem


def _price_then(now: int, proposed: Values) -> int:
    if "price" in proposed:
        return int(proposed["price"])
    if "amount" in proposed:
        return now - int(proposed["amount"])
    return now * (100 - int(proposed["percent"])) // 100


def _text_problems(change: Change, proposed: Values, facts: Facts) -> Iterator[str]:
    (value,) = proposed.values()
    texts = value if isinstance(value, list) else [value]
    if len(texts) > _LONGEST_LIST:
        yield f"It proposes {len(texts)} texts; {_LONGEST_LIST} are the most."
        return
    longest = _LONGEST_ENTRY if isinstance(value, list) else _LONGEST_TEXT
    for text in texts:
        yield from _one_text(text, longest, may_break=change is Change.UPDATE_DESCRIPTION)
    known = _whole(facts.listing)
    yield from _told_by_listing(change, texts, facts.listing, known)
    on: date = facts.as_of.date()
    for finding in lint_change(facts.listing, facts.marketplace, on, change, proposed):
        yield f"It breaks a listing rule: {finding.detail}"


def _one_text(text: str, longest: int, *, may_break: bool) -> Iterator[str]:
    if not 0 < len(text) <= longest:
        yield f"A proposed text has {len(text):,} characters; 1 to {longest:,} are allowed."
        return
    wrong = text_checks.find_text_problem(text, may_break=may_break)
    if wrong is not None:
        yield f"A proposed text {wrong}."


def _told_by_listing(
    change: Change, texts: list[str], listing: ListingFacts, known: str
) -> Iterator[str]:
    """Yield what a text says of the product that its listing does not."""
    if change is Change.UPDATE_BRAND and texts[0].casefold() not in known.casefold():
        yield "The proposed brand stands nowhere in the listing."
    invented = [word for text in texts for word in numbers_not_in_listing(text, listing)]
    if invented:
        yield f"A proposed text says {invented[0]}, which stands nowhere in the listing."
    if known and not text_checks.is_same_language(" ".join(texts), known):
        yield "A proposed text is not in the language of the listing."


def _whole(listing: ListingFacts) -> str:
    given = [listing.title, listing.brand, listing.description, *(listing.bullets or ())]
    return "\n".join(text for text in given if text)
