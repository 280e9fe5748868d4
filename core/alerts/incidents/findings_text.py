"""What an incident's conditions compared, as text. Pure."""

from collections.abc import Iterator
from typing import Final

from core.alerts.evaluation.fold import Finding, Findings
from core.alerts.rules.rule import (
    AMOUNTS,
    LISTING_PARTS,
    AlertRule,
    Comparison,
    Condition,
    Reference,
    Subject,
)
from core.alerts.rules.subject_text import SUBJECTS, capitalize, format_value
from core.text.numbers import UNKNOWN, format_percent_change, format_rank_change
from core.text.times import format_moment

ARROW: Final = "→"


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
    subject, name = condition.subject, capitalize(SUBJECTS[condition.subject])
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
        return f"{name}: {now}, {average}{format_change(subject, finding)}"
    if time_zone is not None and finding.before_at is not None:
        before = f"{before} ({format_moment(finding.before_at, time_zone)})"
    return f"{name}: {before} {ARROW} {now}{format_change(subject, finding)}"


_FIGURES: Final = {
    Comparison.BELOW: "below",
    Comparison.ABOVE: "above",
    Comparison.LOWEST: "the lowest before was",
    Comparison.HIGHEST: "the highest before was",
}


def format_change(subject: Subject, finding: Finding) -> str:
    """Return how far a number changed, after a comma; empty for what is no number."""
    if not isinstance(finding.value, int) or not isinstance(finding.before, int):
        return ""
    if subject is Subject.RANK:
        return f", {format_rank_change(finding.before, finding.value)}"
    if subject in AMOUNTS:
        return f", {format_percent_change(finding.before, finding.value)}"
    return ""
