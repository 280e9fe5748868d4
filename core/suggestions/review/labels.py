"""Labels of suggestions: states, kinds, evidence, events. Pure.

Text from listings, models and users is not escaped: pages do that.
"""

from collections.abc import Sequence
from datetime import datetime

from core.accounts.access.permissions import Via
from core.accounts.labels import via_phrase
from core.catalog.marketplaces import MARKETPLACES
from core.catalog.money import format_amount, format_price
from core.suggestions.changes.publication import PublishedChange
from core.suggestions.changes.registry import SPECS, get_spec
from core.suggestions.review.views import ActionView, Event, QueueRow
from core.suggestions.rules import (
    ActionState,
    Advisor,
    Change,
    Direction,
    Evidence,
    Kind,
    Metric,
    SuggestionState,
)
from core.text import locale as formats
from core.text.locale import localize_digits
from core.text.numbers import THIN_SPACE, format_count, format_rank, format_rating
from core.text.times import format_age
from core.tracking.price_caps.rules import PriceCaps

KINDS = {Kind.PRICING: "Pricing", Kind.CONTENT: "Content", Kind.TRACKING: "Tracking"}
PRIORITIES = {1: "High", 2: "Medium", 3: "Low"}
ADVISORS = {
    Advisor.RULES: "Rules",
    Advisor.MODEL: "Model",
    Advisor.PERSON: "Person",
    Advisor.AGENT: "Agent",
}
_WRITTEN = (Advisor.PERSON, Advisor.AGENT)  # proposed without a request
STATES = {
    SuggestionState.PENDING: "Pending",
    SuggestionState.APPROVED: "Approved",
    SuggestionState.PARTLY_APPROVED: "Partly approved",
    SuggestionState.DECLINED: "Declined",
    SuggestionState.EXPIRED: "Expired",
}
_ACTION_STATES = {
    ActionState.PENDING: "pending",
    ActionState.APPROVED: "approved",
    ActionState.APPLIED: "to publish",
    ActionState.VERIFIED: "verified on Amazon",
    ActionState.UNSEEN: "not confirmed",
    ActionState.DECLINED: "declined",
    ActionState.STALE: "out of date: the value has changed",
    ActionState.FAILED: "failed",
    ActionState.UNDONE: "undone",
    ActionState.EXPIRED: "expired",
}
CHANGES = {change: spec.label for change, spec in SPECS.items()}
_METRICS = {
    Metric.BSR: "Best Sellers Rank",
    Metric.PRICE: "price",
    Metric.RATING: "rating",
    Metric.RATINGS_COUNT: "number of ratings",
    Metric.IN_STOCK_SHARE: "share of time in stock",
    Metric.ALERTS: "number of alerts",
}
_SHORT_METRICS = {
    Metric.BSR: "rank",
    Metric.RATINGS_COUNT: "rating count",
    Metric.IN_STOCK_SHARE: "time in stock",
    Metric.ALERTS: "alert count",
}
_DIRECTIONS = {
    Direction.IMPROVES: "improves",
    Direction.WORSENS: "worsens",
    Direction.RISES: "rises",
    Direction.FALLS: "falls",
}


def action_state_label(change: Change, state: ActionState) -> str:
    """Return the label of an action's state. Applied is "done" for tracking, else "to publish"."""
    if state is ActionState.APPLIED and change.is_setting:
        return "done"
    return _ACTION_STATES[state]


def advisor_label(row: QueueRow) -> str:
    """Return who proposed: "rules", "model · local-8b", "agent of Mia · nightly script", "Mia"."""
    if row.advisor is Advisor.PERSON:
        return row.asked_by or "a former user"
    name = ADVISORS[row.advisor].lower()
    if row.advisor is Advisor.AGENT:
        name = f"{name} of {row.asked_by or 'a former user'}"
    return name if row.model is None else f"{name} · {row.model}"


def request_label(row: QueueRow) -> str:
    """Return who requested or wrote a suggestion: "requested by Mia", "by agent of Mia"."""
    if row.advisor in _WRITTEN:
        return f"by {advisor_label(row)}"
    return f"requested by {row.asked_by or 'the daily run'}"


def format_confidence(share: float) -> str:
    """Return a confidence as text, "80 %"."""
    return f"{share * 100:.0f}{THIN_SPACE}%"


def expected_effect(row: QueueRow) -> str:
    """Return the expected effect: "price rises within 7 days"."""
    days = "1 day" if row.window_days == 1 else f"{row.window_days} days"
    return f"{_METRICS[row.metric]} {_DIRECTIONS[row.direction]} within {days}"


def short_expected_effect(row: QueueRow) -> str:
    """Return the expected effect for a table cell: "rank improves, 28 d"."""
    metric = _SHORT_METRICS.get(row.metric) or _METRICS[row.metric]
    return f"{metric} {_DIRECTIONS[row.direction]}, {row.window_days} d"


def expiry_text(row: QueueRow, now: datetime) -> str:
    """Return when a suggestion expires, expired or was decided."""
    if row.state is SuggestionState.PENDING:
        return f"expires {format_age(row.expires_at, now)}"
    if row.state is SuggestionState.EXPIRED:
        return f"expired {format_age(row.expires_at, now)}"
    return f"decided {format_age(row.decided_at, now)}"


def summary_text(row: QueueRow, now: datetime) -> str:
    """Return state, advisor and age of a suggestion: "Pending · rules · 2 h ago"."""
    return f"{state_label(row)} · {advisor_label(row)} · {format_age(row.made_at, now)}"


def state_label(row: QueueRow) -> str:
    """Return a suggestion's state; a partly decided one also has its number of decided actions."""
    decided = row.actions - len(row.waiting)
    if row.state is SuggestionState.PENDING and decided:
        return f"Pending · {decided} of {row.actions} decided"
    return STATES[row.state]


# Evidence


def format_evidence_value(evidence: Evidence, marketplace: str) -> str:
    """Return a frozen value with its unit; amounts as the marketplace writes them."""
    kept, unit = evidence.value, evidence.unit
    if isinstance(kept, str | bool):
        return str(kept)
    if unit.endswith(" minor"):
        return _amount(int(kept), unit.removesuffix(" minor"), marketplace)
    if unit == "rank":
        return format_rank(kept)
    if unit == "stars/10":
        return f"{format_rating(kept)} of 5"
    if unit == "%":
        return f"{localize_digits(f'{kept:,.4g}')}{THIN_SPACE}%"
    return localize_digits(f"{kept:,.6g}") if isinstance(kept, float) else format_count(kept)


def _amount(minor: int, currency: str, marketplace: str) -> str:
    """Return an amount in the currency it was frozen in, in the reader's format."""
    chosen = formats.get_formats()
    locale = chosen.locale_of_money(MARKETPLACES[marketplace].locale)
    return format_amount(minor, currency, locale, as_code=chosen.has_currency_code)


_UNITS = {"rank": "rank", "stars/10": "stars", "%": "percent", "text": "text", "looks": "checks"}


def unit_label(evidence: Evidence) -> str:
    """Return the label of a value's unit: the currency, "rank", "days"."""
    return _UNITS.get(evidence.unit, evidence.unit.removesuffix(" minor"))


# A figure of a listing has the observation that first showed this version.
_OF_LISTINGS = ("characters", "bullets", "images")


def observations_age_text(evidence: Evidence, now: datetime) -> str:
    """Return the age of a figure's observations: of the only one, or of the first and last."""
    if not evidence.snapshots:
        return "rule or setting"
    newest = max(key.captured_at for key in evidence.snapshots)
    count = len(evidence.snapshots)
    age = format_age(newest, now)
    if evidence.period and count > 1:  # a period has its first and last observation
        oldest = min(key.captured_at for key in evidence.snapshots)
        return f"{format_age(oldest, now)} to {age}"
    if evidence.unit in _OF_LISTINGS:
        return f"first seen {age}"
    return age if count == 1 else f"{age} · {format_count(count)} observations"


def price_caps_text(limits: PriceCaps, marketplace: str) -> str:
    """Return price caps as text: "between $15.00 and $25.00, at most 10 % at once"."""
    step = f"at most {localize_digits(f'{limits.step_percent:g}')}{THIN_SPACE}% at once"
    floor, ceiling = (
        None if limit is None else format_price(limit, marketplace)
        for limit in (limits.floor, limits.ceiling)
    )
    if floor and ceiling:
        return f"between {floor} and {ceiling}, {step}"
    if floor or ceiling:
        return f"not below {floor}, {step}" if floor else f"not above {ceiling}, {step}"
    return f"no floor and no ceiling, {step}"


# The timeline

_STEPS = {
    "approved": "approved",
    "verified": "verified: a check shows the new value",
    "unseen": "not confirmed: no check has shown the new value",
    "declined": "declined",
    "stale": "out of date: the current value is no longer the reviewed one",
    "failed": "failed",
    "undone": "undone",
    "expired": "expired without a decision",
    "edited": "edited",
    "added": "added",
    "partly_approved": "partly approved",
}


_BY_ITSELF = {"verified", "unseen", "stale", "expired"}  # no user does these


def event_text(event: Event, row: QueueRow) -> str:
    """Return an event as text without time and reason: "Title approved by Mia on a page"."""
    if event.before is None and event.after == "pending":
        is_asked = event.person is not None and row.advisor not in _WRITTEN
        request = f", requested by {event.person}" if is_asked else ""
        return f"Suggested by {advisor_label(row)}{request}"
    what = "Suggestion" if event.change is None else CHANGES[event.change]
    step = _STEPS.get(event.after, event.after.replace("_", " "))
    if event.after == ActionState.APPLIED and event.change is not None:
        step = "done" if event.change.is_setting else "set to publish"
    if event.before == "failed" and event.after == "approved":
        step = "tried again"
    elif event.is_edited:
        step = "edited and approved"
    if event.person is None and event.after in _BY_ITSELF:
        return f"{what} {step}"
    return f"{what} {step} {_by(event)}"


def _by(event: Event) -> str:
    """Return who acted and via what; a job may act for a user."""
    means = via_phrase(event.means)
    if event.person is None:
        return means
    if event.means == Via.JOB.value:
        return f"{means} for {event.person}"
    return f"by {event.person} {means}"


def state_change_text(event: Event) -> str | None:
    """Return the states before and after an event, "pending → approved"; None for the first."""
    if event.before is None:
        return None
    before, after = (_short_state(event.change, each) for each in (event.before, event.after))
    return f"{before} → {after}"


_SHORT_STATES = {"unseen": "not confirmed", "stale": "out of date"}


def _short_state(change: Change | None, state: str) -> str:
    if state == ActionState.APPLIED and change is not None:
        return action_state_label(change, ActionState.APPLIED)
    return _SHORT_STATES.get(state, state)


def event_reason(event: Event) -> str | None:
    """Return an event's reason; None for the first event, whose text names the advisor already."""
    return None if event.before is None else event.why


_UNVERIFIED = {ActionState.PENDING, ActionState.APPROVED, ActionState.APPLIED}


def needs_confirmation(action: ActionView) -> bool:
    """Return whether a change still needs a check that confirms it. Settings never do."""
    spec = get_spec(action.change)
    is_seen = isinstance(spec, PublishedChange) and spec.is_on_page
    return is_seen and action.state in _UNVERIFIED


def list_next_steps(actions: Sequence[ActionView]) -> list[str]:
    """Return the steps that are still ahead of a suggestion with these actions."""
    states = {each.state for each in actions}
    ahead = []
    if ActionState.PENDING in states:
        ahead.append("A manager decides")
    if {ActionState.PENDING, ActionState.APPROVED} & states:
        is_setting = all(each.change.is_setting for each in actions)
        ahead.append("The worker sets it" if is_setting else "A user publishes it on Amazon")
    if any(needs_confirmation(each) for each in actions):
        ahead.append("A check shows the new value")
    return ahead
