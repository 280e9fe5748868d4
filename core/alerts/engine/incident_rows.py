"""Writes incidents as evaluation finds them, each once. Never commits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final

import orjson
from sqlalchemy.orm import Session

from core.alerts.engine.scopes import ScopedRule
from core.alerts.engine.severity import LONG, find_severity
from core.alerts.evaluation.fold import Incident, IncidentState
from core.alerts.evaluation.memory_json import dump_findings, load_findings
from core.alerts.rules.rule import Severity, Subject
from core.database.bulk_write import execute_with_arrays, insert_rows
from core.database.session import driver_connection

LATE_AFTER: Final = timedelta(hours=24)  # an older opening is recorded and never sent

IncidentKey = tuple[int, int, datetime]  # rule, product, opening


@dataclass(frozen=True, slots=True)
class FoundIncident:
    """An incident that evaluation opened or changed."""

    scoped: ScopedRule
    product_id: int
    marketplace: str
    incident: Incident
    data_version: int
    fetch_run_id: int | None = None  # of the observation that opened it
    is_imported: bool = False  # that observation was imported
    is_stored: bool = False  # an earlier evaluation opened it
    silent_reason: str | None = None

    @property
    def key(self) -> IncidentKey:
        """Return what identifies the incident."""
        return self.scoped.stored.rule_id, self.product_id, self.incident.opened_at


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """A stored incident."""

    incident_id: int
    rule_id: int
    product_id: int
    opened_at: datetime
    rule_version: int
    state: IncidentState
    ended_at: datetime | None
    incident: Incident


_KNOWN: Final = """
SELECT i.id, i.rule_id, i.product_id, i.opened_at, i.rule_version, i.state, i.ended_at,
    i.findings::text
FROM unnest(%s::int8[], %s::timestamptz[]) AS w (product_id, since)
JOIN incident AS i ON i.product_id = w.product_id
    AND (i.opened_at >= w.since OR i.state IN ('firing', 'flapping') OR i.ended_at >= w.since)
ORDER BY i.product_id, i.opened_at
"""


def read_incidents(
    session: Session, moments: Sequence[tuple[int, datetime]]
) -> dict[tuple[int, int], list[KnownIncident]]:
    """Return incidents that lasted after each product's moment, by rule and product, in order."""
    found: dict[tuple[int, int], list[KnownIncident]] = {}
    for row in execute_with_arrays(session, _KNOWN, moments, fetch=True):
        number, rule_id, product_id, opened_at, version, state, ended_at, findings = row
        incident = Incident(
            opened_at, load_findings(orjson.loads(findings)), IncidentState(state), ended_at
        )
        known = KnownIncident(
            number, rule_id, product_id, opened_at, version, incident.state, ended_at, incident
        )
        found.setdefault((rule_id, product_id), []).append(known)
    return found


def update_stored(
    session: Session, found: Iterable[FoundIncident], now: datetime
) -> list[FoundIncident]:
    """Write the changes of stored incidents; return those to insert, each with `silent_reason`.

    One that is stored keeps what was decided about it: whether it is silent, who acknowledged it.
    """
    by_key = {each.key: each for each in found}
    if not by_key:
        return []
    _update(session, [each for each in by_key.values() if each.is_stored])
    return [
        replace(each, silent_reason=find_silent_reason(each, now))
        for _, each in sorted(by_key.items(), key=itemgetter(0))
        if not each.is_stored and is_recorded(each, now)
    ]


def is_recorded(found: FoundIncident, now: datetime) -> bool:
    """Return whether an incident that is new to the database is kept.

    What was over before the rule began is not, nor what old imported observations began and ended.
    """
    incident, active_from = found.incident, found.scoped.stored.active_from
    if incident.ended_at is None:
        return True
    if incident.opened_at < active_from and incident.ended_at <= active_from:
        return False
    return not (found.is_imported and _is_late(incident, now))


def find_silent_reason(found: FoundIncident, now: datetime) -> str | None:
    """Return why a new incident is never sent; None: it may be."""
    if found.incident.opened_at < found.scoped.stored.active_from:
        return "before_rule"
    if not _is_late(found.incident, now):
        return None
    return "imported" if found.is_imported else "late"


def _is_late(incident: Incident, now: datetime) -> bool:
    return incident.opened_at < now - LATE_AFTER


_UPDATE: Final = """
UPDATE incident AS i SET state = n.state, ended_at = n.ended_at, withdrawn_at = NULL,
    findings = n.findings::jsonb, rule_version = n.version, data_version = n.data_version
FROM unnest(%s::int8[], %s::int8[], %s::timestamptz[], %s::text[], %s::timestamptz[], %s::text[],
    %s::int4[], %s::int8[])
    AS n (rule, product, at, state, ended_at, findings, version, data_version)
WHERE i.rule_id = n.rule AND i.product_id = n.product AND i.opened_at = n.at
"""


def _update(session: Session, found: Sequence[FoundIncident]) -> None:
    execute_with_arrays(session, _UPDATE, [_changing(each) for each in found])


def _changing(found: FoundIncident) -> tuple[Any, ...]:
    incident = found.incident
    return (
        *found.key,
        incident.state.value,
        incident.ended_at,
        orjson.dumps(dump_findings(incident.findings)).decode(),
        found.scoped.stored.version,
        found.data_version,
    )


_INSERTED: Final = {
    "rule_id": "int8",
    "product_id": "int8",
    "opened_at": "timestamptz",
    "state": "text",
    "ended_at": "timestamptz",
    "findings": "text",
    "rule_version": "int4",
    "data_version": "int8",
    "team_id": "int8",
    "severity": "text",
    "silent_reason": "text",
    "group_id": "int8",
    "muted_by": "text",
}


def insert_incidents(
    session: Session,
    new: Sequence[FoundIncident],
    groups: Sequence[int],
    mutes: Sequence[str | None],
    now: datetime,
) -> None:
    """Insert new incidents, each with its group and what keeps it from being sent."""
    rows = [
        (
            *_changing(each),
            each.scoped.stored.team_id,
            _find_severity(each, now).value,
            each.silent_reason,
            group,
            mute,
        )
        for each, group, mute in zip(new, groups, mutes, strict=True)
    ]
    insert_rows(
        session,
        "incident",
        _INSERTED,
        rows,
        expressions={"findings": "findings::jsonb"},
        # No other worker opens it, as the product's cursor is locked; in any case it is there once.
        on_conflict="ON CONFLICT (rule_id, product_id, opened_at) DO UPDATE SET "
        "state = excluded.state, ended_at = excluded.ended_at, withdrawn_at = NULL, "
        "findings = excluded.findings, data_version = excluded.data_version",
    )


def _find_severity(found: FoundIncident, now: datetime) -> Severity:
    incident = found.incident
    lasted = now - incident.opened_at if incident.state.is_open else timedelta(0)
    return find_severity(found.scoped.rule, incident.findings, lasted)


def raise_severities(session: Session, now: datetime) -> None:
    """Make warnings critical that have lasted for long.

    Their notifications are planned again, for those who want critical alerts only.
    """
    driver_connection(session).execute(
        "UPDATE incident SET severity = %(critical)s, "
        "planned_state = CASE WHEN planned_state = 'none' THEN 'none' END "
        "WHERE id IN (SELECT id FROM incident "
        "WHERE state IN ('firing', 'flapping') AND severity = %(warning)s "
        "AND opened_at < %(before)s AND NOT EXISTS (SELECT 1 FROM alert_rule r "
        "WHERE r.id = incident.rule_id AND r.definition->'conditions' @> %(edits)s::jsonb) "
        "FOR UPDATE SKIP LOCKED)",
        {
            "critical": Severity.CRITICAL.value,
            "warning": Severity.WARNING.value,
            "edits": f'[{{"subject": "{Subject.LISTING_EDIT.value}"}}]',
            "before": now - LONG,
        },
    )


def withdraw_incidents(session: Session, incident_ids: Sequence[int], now: datetime) -> None:
    """Withdraw incidents that rested on values that were corrected."""
    _end_incidents(session, incident_ids, "state = 'withdrawn', withdrawn_at = %(now)s", now)


def resolve_incidents(session: Session, incident_ids: Sequence[int], now: datetime) -> None:
    """Resolve incidents of an earlier version of their rule."""
    change = "state = 'resolved', ended_at = greatest(%(now)s, opened_at)"
    _end_incidents(session, incident_ids, change, now)


def _end_incidents(
    session: Session, incident_ids: Sequence[int], change: str, now: datetime
) -> None:
    if incident_ids:
        driver_connection(session).execute(
            f"UPDATE incident SET {change} WHERE id = ANY(%(ids)s)",
            {"ids": list(incident_ids), "now": now},
        )
