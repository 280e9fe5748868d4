"""Incidents in results."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import Field as Described

from core.alerts.evaluation.fold import Finding, Findings
from core.alerts.incidents import labels
from core.alerts.incidents.incident_filter import Handling, IncidentKind
from core.alerts.incidents.queries import IncidentRow
from core.alerts.rules.rule import (
    AMOUNTS,
    LISTING_PARTS,
    AlertRule,
    Severity,
    Subject,
    Value,
)
from core.catalog.marketplaces import get_marketplace
from core.tracking.rules import Role
from mcp_server.results.base import (
    Moment,
    Number,
    ProductRef,
    ResultPart,
    Untrusted,
    format_moment,
    format_moment_or_none,
    format_product_name,
    mark_untrusted,
)
from mcp_server.results.units import availability_name, to_major_units, to_stars


class ComparedValue(ResultPart):
    """What a condition of a rule compared: numbers in `unit`, or words."""

    subject: str
    value: Number | Untrusted | None
    before: Number | Untrusted | None
    unit: str | None
    at: Moment
    before_at: Annotated[Moment | None, Described(description="Null: a target or average.")]


def make_compared_values(
    rule: AlertRule, findings: Findings, marketplace: str
) -> list[ComparedValue]:
    """Return what the conditions that held compared; empty for another version's findings."""
    if len(findings) != len(rule.conditions):
        return []
    return list(_list_compared(rule, findings, marketplace))


def _list_compared_values(row: IncidentRow) -> list[ComparedValue]:
    if row.kind is IncidentKind.TEAM_RULE and not row.is_of_this_rule:
        return []
    return make_compared_values(row.rule, row.findings, row.marketplace)


def _list_compared(
    rule: AlertRule, findings: Findings, marketplace: str
) -> Iterator[ComparedValue]:
    for subject, finding in zip(rule.subjects, findings, strict=True):
        if finding is not None:
            yield _make_compared(subject, finding, marketplace)


def _make_compared(subject: Subject, finding: Finding, marketplace: str) -> ComparedValue:
    return ComparedValue(
        subject=subject.value,
        value=_convert(subject, finding.value, marketplace),
        before=_convert(subject, finding.before, marketplace),
        unit=_find_unit(subject, marketplace),
        at=format_moment(finding.at),
        before_at=format_moment_or_none(finding.before_at),
    )


def _convert(subject: Subject, value: Value | None, marketplace: str) -> float | Untrusted | None:
    if subject in LISTING_PARTS:  # a hash
        return None
    if value is None or isinstance(value, str):
        return mark_untrusted(value)
    if subject is Subject.AVAILABILITY:
        return mark_untrusted(availability_name(value))
    if subject in AMOUNTS:
        return to_major_units(value, get_marketplace(marketplace).currency)
    return to_stars(value) if subject is Subject.RATING else value


def convert_value(subject: Subject, value: int, marketplace: str) -> tuple[float, str]:
    """Return a number of a subject in the units of results, and its unit."""
    converted = _convert(subject, value, marketplace)
    number = converted if isinstance(converted, int | float) else value
    return number, _find_unit(subject, marketplace) or ""


_UNITS = {
    Subject.RATING: "stars",
    Subject.RANK: "rank, 1 is the best",
    Subject.RATINGS_COUNT: "ratings",
    Subject.COUPON_PERCENT: "%",
    Subject.STOCK_LEFT: "items",
    Subject.OFFERS_NEW: "offers",
    Subject.OFFERS_USED: "offers",
}


def _find_unit(subject: Subject, marketplace: str) -> str | None:
    """Return the unit of a subject's numbers; None: its values are words."""
    return get_marketplace(marketplace).currency if subject in AMOUNTS else _UNITS.get(subject)


class IncidentRecord(ProductRef):
    """An incident: a time for which a rule held."""

    id: int
    title: Untrusted | None
    role: Role
    kind: str
    rule_id: int
    rule: Untrusted
    severity: Severity
    state: str
    what: Untrusted
    compared: list[ComparedValue]
    since: Moment
    ended_at: Annotated[Moment | None, Described(description="Null: it lasts.")]
    handling: Handling
    acknowledged_by: Untrusted | None
    snoozed_until: Moment | None
    silenced_until: Moment | None
    assigned_to: Untrusted | None
    not_sent: Annotated[str | None, Described(description="Why it is muted or silent.")]
    group_id: Annotated[int | None, Described(description="Of incidents with one cause.")]
    is_demo: bool


def make_incident(row: IncidentRow, now: datetime) -> IncidentRecord:
    """Return an incident in the units of results."""
    return IncidentRecord(
        product=format_product_name(row.marketplace, row.asin),
        marketplace=row.marketplace,
        asin=row.asin,
        id=row.id,
        title=mark_untrusted(row.title),
        role=row.role,
        kind=row.kind.value,
        rule_id=row.rule_id,
        rule=Untrusted(untrusted=row.name_rule()),
        severity=row.severity,
        state=row.state.value,
        what=Untrusted(untrusted=row.describe("UTC", now)),
        compared=_list_compared_values(row),
        since=format_moment(row.opened_at),
        ended_at=format_moment_or_none(row.ended_at),
        handling=row.get_handling(now),
        acknowledged_by=mark_untrusted(row.acknowledged_by),
        snoozed_until=format_moment_or_none(row.snoozed_until),
        silenced_until=format_moment_or_none(None if row.silence is None else row.silence.ends_at),
        assigned_to=mark_untrusted(row.assigned_to),
        not_sent=labels.format_reason(row.silent_reason, row.muted_by),
        group_id=row.group_id,
        is_demo=row.is_demo,
    )
