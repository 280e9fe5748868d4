"""What an incident's detail explains: values compared, why it opened, when it counts again. Pure.

Each text is a sentence or a value, without its point.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.alerts.evaluation.fold import Finding, Findings, IncidentState
from core.alerts.rules.rule import LISTING_PARTS, AlertRule, Comparison, Condition, Reference
from core.alerts.rules.sentences import describe_ends, describe_span
from core.alerts.rules.subject_text import capitalize, describe_subject, format_value
from core.text.numbers import format_count
from core.text.times import format_moment


@dataclass(frozen=True, slots=True)
class ComparedText:
    """What one condition compared. `before` None: nothing was compared."""

    subject: str
    before: str | None
    now: str


_BEFORE: Final = {
    Comparison.BELOW: "threshold",
    Comparison.ABOVE: "threshold",
    Comparison.LOWEST: "lowest of the days before",
    Comparison.HIGHEST: "highest of the days before",
}


def list_compared(
    rule: AlertRule, findings: Findings, marketplace: str, time_zone: str
) -> list[ComparedText]:
    """Return the old and the new value of each condition that held, with both times."""
    if len(findings) != len(rule.conditions):
        return []
    return [
        _compare(condition, finding, marketplace, time_zone)
        for condition, finding in zip(rule.conditions, findings, strict=True)
        if finding is not None
    ]


def _compare(
    condition: Condition, finding: Finding, marketplace: str, time_zone: str
) -> ComparedText:
    name, at = capitalize(describe_subject(condition)), format_moment(finding.at, time_zone)
    before_at = None if finding.before_at is None else format_moment(finding.before_at, time_zone)
    if condition.subject in LISTING_PARTS:  # of these a hash is kept, not the text
        before = None if before_at is None else f"another text · {before_at}"
        return ComparedText(name, before, f"changed · {at}")
    now = f"{format_value(condition.subject, finding.value, marketplace)} · {at}"
    if finding.before is None:
        return ComparedText(name, None, now)
    before = format_value(condition.subject, finding.before, marketplace)
    return ComparedText(name, f"{before} · {before_at or _name_figure(condition)}", now)


def _name_figure(condition: Condition) -> str:
    """Return what a value that has no time of its own is."""
    if condition.comparison in _BEFORE:
        return _BEFORE[condition.comparison]
    if condition.reference is Reference.AVERAGE:
        return f"average of {format_count(condition.days)} days"
    return "time not kept"


def explain_opening(
    rule: AlertRule, state: IncidentState, opened_at: datetime, time_zone: str
) -> str:
    """Return why an incident opened when it did, and not earlier or later."""
    timing, at = rule.timing, format_moment(opened_at, time_zone)
    if state is IncidentState.FLAPPING:
        return (
            f"It opened {format_count(timing.flap_openings)} times within "
            f"{describe_span(timing.flap_within)}, so it is one flapping alert since {at}"
        )
    parts = []
    if timing.pending_observations > 1:
        parts.append(f"in {format_count(timing.pending_observations)} observations in a row")
    if timing.pending_for:
        parts.append(f"for {describe_span(timing.pending_for)}")
    if parts:
        return f"It had held {' and '.join(parts)} by the observation of {at}"
    return f"The observation of {at} is the first accepted one that meets the rule"


def explain_rearm(
    rule: AlertRule,
    state: IncidentState,
    opened_at: datetime,
    marketplace: str,
    time_zone: str,
) -> str:
    """Return from when on the rule can open the next incident of the product."""
    return ". ".join(map(capitalize, _list_rearms(rule, state, opened_at, marketplace, time_zone)))


def _list_rearms(
    rule: AlertRule,
    state: IncidentState,
    opened_at: datetime,
    marketplace: str,
    time_zone: str,
) -> Iterator[str]:
    if state is IncidentState.FLAPPING:
        yield f"once the rule was quiet for {describe_span(rule.timing.flap_within)}"
    elif rule.lasts and state.is_open:
        ends = list(describe_ends(rule, marketplace))
        yield "once this one has ended"
        yield from ends
    elif rule.lasts:
        yield "with the next observation that meets it"
    else:
        yield "with the next change that meets it"
    if rule.timing.rearm_after:
        earliest = format_moment(opened_at + rule.timing.rearm_after, time_zone)
        yield f"not before {earliest}"
