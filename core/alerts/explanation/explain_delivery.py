"""Answers "Why was I (not) notified?" for a product and a moment. SELECTs only.

The answer goes the way of an observation: checked, accepted or flagged, evaluated by each rule,
muted, silenced or grouped, and sent by each of the user's channels with the provider's answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.explanation.delivery_steps import explain_channels
from core.alerts.explanation.evaluation_steps import (
    explain_alert,
    explain_idle_rule,
    explain_observation,
)
from core.alerts.explanation.steps import Step, StepKind, StepState
from core.alerts.incidents.queries import list_incident_rows
from core.alerts.incidents.rule_overview import list_rule_rows
from core.alerts.notifications.recipients import read_choices
from core.database.session import driver_connection
from core.errors import NotFoundError
from core.text.numbers import format_counted

OBSERVED_WITHIN: Final = timedelta(days=60)  # for the observation before the moment
SHOWN_INCIDENTS: Final = 20


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """What became of the observation in one rule, up to the user's channels."""

    rule_id: int
    name: str
    incident_id: int | None  # None: the rule opened no alert
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The way from the last observation before a moment to the user."""

    product_id: int
    at: datetime
    observed_at: datetime | None  # None: nothing was observed in the 60 days before
    steps: tuple[Step, ...]  # up to evaluation
    rules: tuple[RuleTrace, ...]  # those with an alert first
    summary: str


@requires(Permission.READ)
def explain_delivery(
    session: Session, principal: Principal, product_id: int, at: datetime, now: datetime
) -> Explanation:
    """Return why the user was, or was not, notified of a product at a moment.

    Raises NotFoundError for a product that the team does not track.
    """
    facts = _read_facts(session, principal, product_id, at)
    zone = principal.time_zone
    steps = tuple(explain_observation(facts, zone))
    rules: list[RuleTrace] = []
    if facts["observed_at"] is not None:
        rules = _explain_rules(session, principal, product_id, facts, at, now)
    rules.sort(key=lambda each: each.incident_id is None)
    return Explanation(
        product_id, at, facts["observed_at"], steps, tuple(rules), _summarize(steps, rules)
    )


_FACTS: Final = """
SELECT s.captured_at AS observed_at, s.flags, f.outcome, f.detail, f.at AS checked_at,
    c.observed_until, EXISTS (SELECT 1 FROM tracking t WHERE t.product_id = %(product)s
        AND t.team_id = %(team)s AND t.paused_at IS NULL) AS is_checked,
    EXISTS (SELECT 1 FROM tracking t WHERE t.product_id = %(product)s
        AND t.person_id = %(person)s AND t.paused_at IS NULL) AS is_mine
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (SELECT captured_at, flags FROM snapshot WHERE product_id = %(product)s
    AND captured_at <= %(at)s AND captured_at > %(since)s
    ORDER BY captured_at DESC, source DESC LIMIT 1) AS s ON true
LEFT JOIN LATERAL (SELECT i.outcome, i.detail, coalesce(i.captured_at, r.finished_at,
        r.intended_at) AS at
    FROM fetch_item i JOIN fetch_run r ON r.id = i.fetch_run_id
    WHERE i.product_id = %(product)s AND i.outcome IS NOT NULL AND r.intended_at <= %(at)s
    ORDER BY i.fetch_run_id DESC LIMIT 1) AS f ON true
LEFT JOIN alert_cursor c ON c.product_id = %(product)s
WHERE EXISTS (SELECT 1 FROM tracking t WHERE t.product_id = %(product)s AND t.team_id = %(team)s)
"""


def _read_facts(
    session: Session, principal: Principal, product_id: int, at: datetime
) -> dict[str, Any]:
    rows = _fetch(
        session,
        _FACTS,
        {
            "product": product_id,
            "team": principal.team_id,
            "person": principal.person_id,
            "at": at,
            "since": at - OBSERVED_WITHIN,
        },
    )
    if not rows:
        raise NotFoundError("Your team does not track this product.")
    return rows[0]


# Open at the observation, or opened by then: also events, which end at once.
_INCIDENTS: Final = """
SELECT i.id, i.rule_id, i.planned_state, i.created_at,
    (SELECT count(*) FROM incident g WHERE g.group_id = i.group_id) AS in_group
FROM incident i
WHERE i.product_id = %(product)s AND i.team_id = %(team)s AND i.opened_at <= %(at)s
    AND (i.state IN ('firing', 'flapping') OR coalesce(i.ended_at, i.withdrawn_at)
        >= date_trunc('second', %(observed)s::timestamptz))
ORDER BY i.opened_at DESC, i.id DESC LIMIT %(most)s
"""
_NOTIFICATIONS: Final = """
SELECT n.incident_id, n.channel_id, n.kind, n.number, n.state, n.reason, n.due_at, n.ended_at,
    c.name, m.state AS message_state, m.attempts, m.next_try_at, m.answer
FROM notification n LEFT JOIN delivery_channel c ON c.id = n.channel_id
LEFT JOIN outbox_message m ON m.id = n.message_id
WHERE n.incident_id = ANY(%(ids)s) AND n.person_id = %(person)s ORDER BY n.channel_id NULLS FIRST,
    n.id
"""
_PENDING: Final = """
SELECT m.rule_id, m.memory FROM alert_memory m JOIN alert_rule r ON r.id = m.rule_id
WHERE m.product_id = %(product)s AND r.team_id = %(team)s AND m.rule_version = r.version
    AND m.memory ? 'pending_at'
"""


def _explain_rules(
    session: Session,
    principal: Principal,
    product_id: int,
    facts: Mapping[str, Any],
    at: datetime,
    now: datetime,
) -> list[RuleTrace]:
    values = {
        "product": product_id,
        "team": principal.team_id,
        "person": principal.person_id,
        "at": at,
        "observed": facts["observed_at"],
        "most": SHOWN_INCIDENTS,
    }
    found = _fetch(session, _INCIDENTS, values)
    ids = [row["id"] for row in found]
    rows = {each.id: each for each in list_incident_rows(session, principal, ids, now)}
    notified = _fetch(session, _NOTIFICATIONS, values | {"ids": ids})
    pending = {row["rule_id"]: row["memory"] for row in _fetch(session, _PENDING, values)}
    reader = read_choices(session, principal)
    traces = []
    with_alert = set()
    for row in found:
        incident = rows.get(row["id"])
        if incident is None:
            continue
        with_alert.add(incident.rule_id)
        own = [each for each in notified if each["incident_id"] == incident.id]
        steps = (
            *explain_alert(incident, row, principal.time_zone, now),
            *explain_channels(
                incident, row, own, reader, principal.time_zone, is_mine=facts["is_mine"]
            ),
        )
        traces.append(RuleTrace(incident.rule_id, incident.name_rule(), incident.id, steps))
    for each in list_rule_rows(session, principal, now):
        if each.stored.rule_id not in with_alert:
            step = explain_idle_rule(
                each, pending.get(each.stored.rule_id), at, principal.time_zone
            )
            name = each.format_name()
            traces.append(RuleTrace(each.stored.rule_id, name, None, (step,)))
    return traces


def _summarize(steps: Sequence[Step], rules: Sequence[RuleTrace]) -> str:
    """Return the answer in a sentence."""
    sent = [
        step
        for trace in rules
        for step in trace.steps
        if step.kind is StepKind.DELIVERY and step.state is StepState.PASSED
    ]
    with_alert = [each for each in rules if each.incident_id is not None]
    if sent:
        names = sorted({step.channel for step in sent if step.channel is not None})
        alerts = format_counted(len(with_alert), "alert")
        return f"{alerts} at that moment; you were notified: {', '.join(names)}."
    if with_alert:
        return f"{format_counted(len(with_alert), 'alert')} at that moment; you got none of them."
    for step in steps:
        if step.state in (StepState.STOPPED, StepState.WAITING):
            return f"No alert at that moment. {step.text}"
    if any(step.state is StepState.WAITING for each in rules for step in each.steps):
        return "No alert at that moment; a rule was pending."
    return "No alert at that moment: no rule held."


def _fetch(session: Session, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    with driver_connection(session).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()
