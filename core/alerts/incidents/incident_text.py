"""An incident as one sentence: what held, since when, for how long. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.alerts.evaluation.fold import Finding, Incident, IncidentState
from core.alerts.rules.builtin import without_own_sellers
from core.alerts.rules.rule import (
    AMOUNTS,
    LISTING_PARTS,
    NOT_FOR_SALE,
    REMOVED,
    SUPPRESSED,
    AlertRule,
    BuyBoxOwner,
    Comparison,
    Condition,
    Reference,
    Subject,
)
from core.alerts.rules.subject_text import LONGEST_NAME, capitalize, describe_subject, format_value
from core.text.escaping import shorten
from core.text.locale import localize_digits
from core.text.numbers import MINUS, UNKNOWN, format_percent_change, format_rank_change
from core.text.times import format_moment, format_span

ARROW: Final = "→"
_OWNERS: Final = frozenset(each.value for each in BuyBoxOwner)
_LOST: Final = frozenset({BuyBoxOwner.OTHER.value})
_NAMED_STATES: Final = {
    REMOVED: "listing removed",
    NOT_FOR_SALE: "out of stock",
    SUPPRESSED: "Buy Box suppressed",
    _LOST: "Buy Box lost",
    frozenset({BuyBoxOwner.OWN.value}): "Buy Box won",
}


@dataclass(frozen=True, slots=True)
class BuyBoxHolder:
    """The seller who took the Buy Box. Prices in minor units; None: not known.

    `own_price` is the team's last one, known only where it was seen within a day before.
    """

    name: str
    price: int | None
    own_price: int | None


def describe_incident(
    rule: AlertRule,
    incident: Incident,
    marketplace: str,
    time_zone: str,
    now: datetime,
    holder: BuyBoxHolder | None = None,
) -> str:
    """Return an incident as a sentence without its point: "Out of stock since 27 Nov, 3 days".

    Each value has its time. `rule` is the one that the findings are of. `holder`: who took a lost
    Buy Box; None: not known.
    """
    if len(incident.findings) != len(rule.conditions):
        return capitalize(UNKNOWN)
    if _has_seller_as_owner(rule, incident):
        rule = without_own_sellers(rule)
    parts = [
        f"{each}{_describe_holder(holder)}" if each == _NAMED_STATES[_LOST] else each
        for each in _describe_findings(rule, incident, marketplace, time_zone)
    ]
    text = "; ".join(parts) if parts else UNKNOWN
    if rule.lasts:
        text += _describe_time(incident, time_zone, now)
    if incident.state is IncidentState.FLAPPING:
        text += ", flapping"
    if incident.state is IncidentState.WITHDRAWN:
        text = f"withdrawn: {text}"
    return capitalize(text)


def _has_seller_as_owner(rule: AlertRule, incident: Incident) -> bool:
    """Return whether the team had named no own sellers: the Buy Box moved from whom to whom."""
    return any(
        condition.subject is Subject.BUY_BOX_OWNER
        and finding is not None
        and finding.value not in _OWNERS
        for condition, finding in zip(rule.conditions, incident.findings, strict=True)
    )


def _describe_holder(holder: BuyBoxHolder | None) -> str:
    """Return to whom a Buy Box was lost, and how its price compares with the last own one."""
    if holder is None:
        return ""
    text = f" to {shorten(holder.name, LONGEST_NAME)}"
    if not holder.price or not holder.own_price:
        return text
    if holder.price == holder.own_price:
        return f"{text}, at your last price"
    change = format_percent_change(holder.own_price, holder.price).lstrip("+" + MINUS)
    side = "below" if holder.price < holder.own_price else "above"
    return f"{text}, {change} {side} your last price"


def _describe_time(incident: Incident, time_zone: str, now: datetime) -> str:
    """Return since when an incident lasts, or from when to when it did."""
    began = format_moment(incident.opened_at, time_zone)
    length = format_span((incident.ended_at or now) - incident.opened_at)
    if incident.ended_at is None:
        return f" since {began}, {length}"
    return f" from {began} to {format_moment(incident.ended_at, time_zone)}, {length}"


def _describe_findings(
    rule: AlertRule, incident: Incident, marketplace: str, time_zone: str
) -> Iterator[str]:
    for condition, finding in zip(rule.conditions, incident.findings, strict=True):
        if finding is not None:
            yield _describe_one(condition, finding, marketplace, time_zone, is_dated=rule.lasts)


def _describe_one(
    condition: Condition, finding: Finding, marketplace: str, time_zone: str, *, is_dated: bool
) -> str:
    """Return what a condition compared. `is_dated`: the sentence's end has the time it began."""
    subject, name = condition.subject, describe_subject(condition)
    at = format_moment(finding.at, time_zone)
    earlier = None if finding.before_at is None else format_moment(finding.before_at, time_zone)
    if subject in LISTING_PARTS:
        return f"{name} changed " + (
            f"on {at}" if earlier is None else f"between {earlier} and {at}"
        )
    now = format_value(subject, finding.value, marketplace)
    before = None if finding.before is None else format_value(subject, finding.before, marketplace)
    if condition.comparison is Comparison.IS and is_dated:
        return _NAMED_STATES.get(condition.states) or f"{name} {now}"
    now = f"{now} ({at})"
    if before is None:
        return f"{name} {now}"
    if condition.comparison in _FIGURES:
        return f"{name} {now}, {_FIGURES[condition.comparison]} {before}"
    if condition.comparison is Comparison.CHANGED and condition.reference is Reference.AVERAGE:
        return f"{name} {now}, {_compare_with_usual(subject, finding)} its usual {before}"
    before = before if earlier is None else f"{before} ({earlier})"
    if subject is Subject.SELLER:
        return f"Buy Box moved from {before} to {now}"
    return f"{name} {before} {ARROW} {now}{_format_change(subject, finding)}"


_FIGURES: Final = {
    Comparison.BELOW: "below",
    Comparison.ABOVE: "above",
    Comparison.LOWEST: "the lowest before was",
    Comparison.HIGHEST: "the highest before was",
}


def _compare_with_usual(subject: Subject, finding: Finding) -> str:
    """Return how far a value is from the usual one: "3.1×", "+40 % against"."""
    value, usual = finding.value, finding.before
    if not isinstance(value, int) or not isinstance(usual, int) or usual <= 0:
        return "against"
    if value >= 2 * usual:
        return localize_digits(f"{value / usual:,.1f}×")
    if subject is Subject.RANK:
        return f"{format_rank_change(usual, value)} against"
    return f"{format_percent_change(usual, value)} against"


def _format_change(subject: Subject, finding: Finding) -> str:
    """Return how far a number changed, after a comma; empty for what is no number."""
    if not isinstance(finding.value, int) or not isinstance(finding.before, int):
        return ""
    if subject is Subject.RANK:
        return f", {format_rank_change(finding.before, finding.value)}"
    if subject in AMOUNTS:
        return f", {format_percent_change(finding.before, finding.value)}"
    return ""
