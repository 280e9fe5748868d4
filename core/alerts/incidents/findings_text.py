"""What an incident's conditions compared, as text. Pure."""

from collections.abc import Iterator
from typing import Final

from core.alerts.evaluation.fold import Finding, Findings
from core.alerts.rules.rule import (
    AMOUNTS,
    LISTING_PARTS,
    AlertRule,
    BuyBoxOwner,
    Comparison,
    Condition,
    ListingEdit,
    PriceLimits,
    Reference,
    Subject,
    Value,
)
from core.catalog.money import format_price
from core.history.labels import availability_label
from core.history.observation import Availability
from core.text.escaping import shorten
from core.text.numbers import (
    UNKNOWN,
    format_count,
    format_percent_change,
    format_rank,
    format_rank_change,
    format_rating,
)
from core.text.times import format_moment

ARROW: Final = "→"
LONGEST_NAME: Final = 40  # characters, of a seller
SUBJECTS: Final = {
    Subject.PRICE: "Price",
    Subject.LIST_PRICE: "List price",
    Subject.BUY_BOX_PRICE: "Buy Box price",
    Subject.AMAZON_PRICE: "Amazon's price",
    Subject.NEW_PRICE: "Lowest new price",
    Subject.NEW_FBA_PRICE: "Lowest new FBA price",
    Subject.USED_PRICE: "Lowest used price",
    Subject.DEAL_PRICE: "Deal price",
    Subject.COUPON_AMOUNT: "Coupon",
    Subject.COUPON_PERCENT: "Coupon",
    Subject.RANK: "BSR",
    Subject.RATING: "Rating",
    Subject.RATINGS_COUNT: "Ratings",
    Subject.STOCK_LEFT: "Stock left",
    Subject.OFFERS_NEW: "New offers",
    Subject.OFFERS_USED: "Used offers",
    Subject.AVAILABILITY: "Availability",
    Subject.SELLER: "Buy Box",
    Subject.BUY_BOX_OWNER: "Buy Box",
    Subject.PRICE_LIMITS: "Price",
    Subject.TITLE: "Title",
    Subject.BULLETS: "Bullets",
    Subject.DESCRIPTION: "Description",
    Subject.IMAGES: "Images",
    Subject.CATEGORY: "Category",
    Subject.LISTING_EDIT: "Listing",
}
_STATES: Final = {
    BuyBoxOwner.OWN.value: "yours",
    BuyBoxOwner.OTHER.value: "another seller's",
    PriceLimits.WITHIN.value: "within its limits",
    PriceLimits.BELOW_FLOOR.value: "below its minimum",
    PriceLimits.ABOVE_CEILING.value: "above its maximum",
    ListingEdit.EXPLAINED.value: "as approved",
    ListingEdit.UNEXPLAINED.value: "changed, and no approved suggestion explains it",
    ListingEdit.DRIFT.value: "no longer as approved",
}


def describe_findings(
    rule: AlertRule, findings: Findings, marketplace: str, time_zone: str | None = None
) -> str:
    """Return what the conditions that held compared: "Price: $20.00 → $17.00, −15 %".

    With a time zone, each value has its time. `rule` is the one that the findings are of.
    """
    if len(findings) != len(rule.conditions):
        return UNKNOWN
    return "; ".join(_describe(rule, findings, marketplace, time_zone))


def _describe(
    rule: AlertRule, findings: Findings, marketplace: str, time_zone: str | None
) -> Iterator[str]:
    for condition, finding in zip(rule.conditions, findings, strict=True):
        if finding is not None:
            yield _describe_one(condition, finding, marketplace, time_zone)


def _describe_one(
    condition: Condition, finding: Finding, marketplace: str, time_zone: str | None
) -> str:
    subject, name = condition.subject, SUBJECTS[condition.subject]
    if subject in LISTING_PARTS:
        at = "" if time_zone is None else f", {format_moment(finding.at, time_zone)}"
        return f"{name} changed{at}"
    now = format_value(subject, finding.value, marketplace)
    if time_zone is not None:
        now = f"{now} ({format_moment(finding.at, time_zone)})"
    if finding.before is None:
        return f"{name}: {now}"
    before = format_value(subject, finding.before, marketplace)
    if condition.comparison in _FIGURES:
        return f"{name}: {now}, {_FIGURES[condition.comparison]} {before}"
    if condition.reference is Reference.AVERAGE and condition.comparison is Comparison.CHANGED:
        average = f"usual {before} ({condition.days}-day average)"
        return f"{name}: {now}, {average}{_format_change(subject, finding)}"
    if time_zone is not None and finding.before_at is not None:
        before = f"{before} ({format_moment(finding.before_at, time_zone)})"
    return f"{name}: {before} {ARROW} {now}{_format_change(subject, finding)}"


_FIGURES: Final = {
    Comparison.BELOW: "below",
    Comparison.ABOVE: "above",
    Comparison.LOWEST: "the lowest before was",
    Comparison.HIGHEST: "the highest before was",
}


def _format_change(subject: Subject, finding: Finding) -> str:
    """Return how far a number changed, after a comma; empty for what is no number."""
    if not isinstance(finding.value, int) or not isinstance(finding.before, int):
        return ""
    if subject is Subject.RANK:
        return f", {format_rank_change(finding.before, finding.value)}"
    if subject in AMOUNTS:
        return f", {format_percent_change(finding.before, finding.value)}"
    return ""


def format_value(subject: Subject, value: Value, marketplace: str) -> str:
    """Return a value of a subject: "$20.00", "#1,204", "currently unavailable"."""
    if isinstance(value, str):
        return _STATES.get(value) or shorten(value, LONGEST_NAME)
    if subject in AMOUNTS:
        return format_price(value, marketplace)
    if subject is Subject.RANK:
        return format_rank(value)
    if subject is Subject.RATING:
        return format_rating(value)
    if subject is Subject.AVAILABILITY:
        return availability_label(Availability(value))
    if subject is Subject.COUPON_PERCENT:
        return f"{format_count(value)} %"
    return format_count(value)
