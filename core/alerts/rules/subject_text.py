"""What rules watch, and its values, as text. Pure."""

from typing import Final

from core.alerts.rules.rule import (
    AMOUNTS,
    FOR_SALE,
    NOT_FOR_SALE,
    REMOVED,
    SUPPRESSED,
    BuyBoxOwner,
    Condition,
    ListingEdit,
    PriceLimits,
    Subject,
    Value,
)
from core.catalog.money import format_price
from core.history.labels import availability_label
from core.history.observation import Availability
from core.text.escaping import shorten
from core.text.locale import localize_digits
from core.text.numbers import (
    THIN_SPACE,
    format_count,
    format_counted,
    format_rank,
    format_rating,
)

LONGEST_NAME: Final = 40  # characters, of a seller
LONGEST_CATEGORY: Final = 60
SUBJECTS: Final = {
    Subject.PRICE: "price",
    Subject.LIST_PRICE: "list price",
    Subject.BUY_BOX_PRICE: "Buy Box price",
    Subject.AMAZON_PRICE: "Amazon's price",
    Subject.NEW_PRICE: "lowest new price",
    Subject.NEW_FBA_PRICE: "lowest new FBA price",
    Subject.USED_PRICE: "lowest used price",
    Subject.DEAL_PRICE: "deal price",
    Subject.COUPON_AMOUNT: "coupon",
    Subject.COUPON_PERCENT: "coupon in percent",
    Subject.RANK: "BSR",
    Subject.RATING: "rating",
    Subject.RATINGS_COUNT: "ratings count",
    Subject.STOCK_LEFT: "stock left",
    Subject.OFFERS_NEW: "number of new offers",
    Subject.OFFERS_USED: "number of used offers",
    Subject.AVAILABILITY: "availability",
    Subject.SELLER: "Buy Box seller",
    Subject.BUY_BOX_OWNER: "Buy Box",
    Subject.CHEAPEST_COMPETITOR: "cheapest competitor's price",
    Subject.PRICE_LIMITS: "price",
    Subject.TITLE: "title",
    Subject.BULLETS: "bullets",
    Subject.DESCRIPTION: "description",
    Subject.IMAGES: "images",
    Subject.CATEGORY: "category",
    Subject.LISTING_EDIT: "listing",
}
PLURALS: Final = frozenset({Subject.BULLETS, Subject.IMAGES})
# Of these 0 is reported where there is none.
OFFERED_AT_TIMES: Final = frozenset(
    {Subject.DEAL_PRICE, Subject.COUPON_AMOUNT, Subject.COUPON_PERCENT}
)
STATES: Final = {
    BuyBoxOwner.OWN.value: "yours",
    BuyBoxOwner.OTHER.value: "another seller's",
    PriceLimits.WITHIN.value: "within its price caps",
    PriceLimits.BELOW_FLOOR.value: "below its floor",
    PriceLimits.ABOVE_CEILING.value: "above its ceiling",
    ListingEdit.EXPLAINED.value: "as approved",
    ListingEdit.UNEXPLAINED.value: "changed without an approved suggestion",
    ListingEdit.DRIFT.value: "no longer as approved",
}
LISTED: Final = frozenset(map(int, Availability)) - REMOVED
_NAMED_STATES: Final[dict[frozenset[Value], str]] = {
    FOR_SALE: "for sale",
    NOT_FOR_SALE: "out of stock",
    REMOVED: "removed",
    SUPPRESSED: "Buy Box suppressed",
    LISTED: "listed",
}
_UNITS: Final = {
    Subject.RANK: "place",
    Subject.RATINGS_COUNT: "rating",
    Subject.STOCK_LEFT: "unit",
    Subject.OFFERS_NEW: "offer",
    Subject.OFFERS_USED: "offer",
    Subject.COUPON_PERCENT: "percentage point",
}


def describe_subject(condition: Condition) -> str:
    """Return what a condition watches: "BSR in “Lamps”"."""
    name = SUBJECTS[condition.subject]
    if condition.category is None:
        return name
    return f"{name} in “{shorten(condition.category, LONGEST_CATEGORY)}”"


def format_value(subject: Subject, value: Value, marketplace: str) -> str:
    """Return a value of a subject: "$20.00", "#1,204", "currently unavailable"."""
    if isinstance(value, str):
        return STATES.get(value) or shorten(value, LONGEST_NAME)
    if subject in AMOUNTS:
        return format_price(value, marketplace)
    if subject is Subject.RANK:
        return format_rank(value)
    if subject is Subject.RATING:
        return f"{format_rating(value)} stars"
    if subject is Subject.AVAILABILITY:
        return availability_label(Availability(value))
    if subject is Subject.COUPON_PERCENT:
        return f"{format_count(value)}{THIN_SPACE}%"
    if subject is Subject.CHEAPEST_COMPETITOR:
        percent = localize_digits(f"{value / 10:,.1f}".removesuffix(".0"))
        return f"{percent}{THIN_SPACE}% of yours"
    return format_count(value)


def format_difference(subject: Subject, amount: int, marketplace: str) -> str:
    """Return by how much a number changed: "$2.00", "0.1 stars", "500 places"."""
    if subject in AMOUNTS:
        return format_price(amount, marketplace)
    if subject is Subject.RATING:
        return f"{format_rating(amount)} stars"
    return format_counted(amount, _UNITS[subject])


def describe_states(states: frozenset[Value]) -> str:
    """Return some states as a choice: "out of stock", "in stock or only a few left"."""
    if states in _NAMED_STATES:
        return _NAMED_STATES[states]
    ordered = sorted(states, key=str)
    return join_choices([_describe_state(each) for each in ordered])


def _describe_state(state: Value) -> str:
    return STATES[state] if isinstance(state, str) else availability_label(Availability(state))


def join_choices(texts: list[str], word: str = "or") -> str:
    """Join texts: "a", "a or b", "a, b or c"."""
    return f" {word} ".join([", ".join(texts[:-1]), texts[-1]] if texts[:-1] else texts)


def capitalize(text: str) -> str:
    """Return a text with its first letter as at the start of a sentence."""
    return text[:1].upper() + text[1:]
