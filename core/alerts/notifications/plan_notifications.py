"""Makes notifications from incidents that opened, ended or were withdrawn. Never commits.

An incident is to be planned while `planned_state` is not its state. In the app every user who may
get it is notified at once; by a channel when its owner chose. Twice does it once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy.orm import Session

from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.notifications.policy import (
    Mode,
    find_due_time,
    find_reminder_time,
    is_severe_enough,
)
from core.alerts.notifications.recipients import (
    IS_RECIPIENT,
    Recipient,
    RecipientChannel,
    read_recipients,
)
from core.alerts.rules.rule import Severity
from core.database.bulk_write import format_array
from core.database.session import driver_connection
from core.delivery.outbox import KEPT

CHUNK: Final = 5_000  # incidents planned in a transaction


class NotificationKind(StrEnum):
    """What a user is notified of. Stored as text."""

    OPENED = "opened"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class NotificationState(StrEnum):
    """Where a notification stands. Stored as text."""

    QUEUED = "queued"
    HELD = "held"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PlanCount:
    """What planning did."""

    incidents: int
    notifications: int


class _Unplanned(NamedTuple):
    incident_id: int
    team_id: int
    rule_id: int
    kind: str
    severity: str
    state: str
    planned_state: str | None


class _Route(NamedTuple):
    """That incidents of a rule and severity notify a user by a channel."""

    rule_id: int
    severity: str
    person_id: int
    channel_id: int | None
    state: str
    reason: str | None
    due_at: datetime


_UNPLANNED: Final = f"""
SELECT i.id, i.team_id, i.rule_id, coalesce(r.code, '{IncidentKind.TEAM_RULE.value}'), i.severity,
    i.state, i.planned_state
FROM incident i JOIN alert_rule r ON r.id = i.rule_id
WHERE i.planned_state IS DISTINCT FROM i.state AND i.planned_state IS DISTINCT FROM 'none'
ORDER BY i.id LIMIT {CHUNK} FOR UPDATE OF i SKIP LOCKED
"""


def plan_notifications(session: Session, now: datetime) -> PlanCount:
    """Plan at most CHUNK incidents; return how many, and how many notifications that made."""
    connection = driver_connection(session)
    found = [_Unplanned(*row) for row in connection.execute(_UNPLANNED)]
    if not found:
        return PlanCount(0, 0)
    recipients = read_recipients(session, {each.team_id for each in found})
    withdrawn = [each for each in found if each.state == "withdrawn"]
    # One that follows again after it was withdrawn is sent again: its correction was wrong.
    opened = [each for each in found if each.planned_state is None and each.state != "withdrawn"]
    reinstated = [
        each for each in found if each.planned_state == "withdrawn" and each.state != "withdrawn"
    ]
    resolved = [
        each
        for each in found
        if each.state == "resolved" and each.planned_state in ("firing", "flapping")
    ]
    made = 0
    for kind, chosen in (
        (NotificationKind.OPENED, opened),
        (NotificationKind.RESOLVED, resolved),
        (NotificationKind.WITHDRAWN, withdrawn),
    ):
        made += _insert(session, kind, chosen, recipients, now)
    made += _insert(session, NotificationKind.OPENED, reinstated, recipients, now, is_again=True)
    _cancel_withdrawn(session, withdrawn, now)
    ids = [each.incident_id for each in found]
    connection.execute("UPDATE incident SET planned_state = state WHERE id = ANY(%s)", [ids])
    return PlanCount(len(found), made)


def _list_routes(
    kind: NotificationKind,
    incidents: Iterable[_Unplanned],
    recipients: Sequence[Recipient],
    now: datetime,
) -> Iterator[_Route]:
    """Yield who is notified of incidents, by rule and severity, in the app and by channels."""
    keys = {(each.team_id, each.rule_id, each.kind, each.severity) for each in incidents}
    for team_id, rule_id, code, severity in sorted(keys):
        for recipient in recipients:
            if recipient.team_id != team_id:
                continue
            person_id, sent = recipient.person_id, NotificationState.SENT.value
            yield _Route(rule_id, severity, person_id, None, sent, None, now)
            for channel in recipient.channels:
                route = _find_route(
                    kind, recipient, channel, rule_id, IncidentKind(code), Severity(severity), now
                )
                if route is not None:
                    yield route


def _find_route(
    kind: NotificationKind,
    recipient: Recipient,
    channel: RecipientChannel,
    rule_id: int,
    code: IncidentKind,
    severity: Severity,
    now: datetime,
) -> _Route | None:
    """Return when a channel is notified, None if its owner does not want it."""
    settings, mode = recipient.settings, channel.find_mode(code, rule_id)
    if kind is NotificationKind.WITHDRAWN:
        mode = Mode.AT_ONCE  # a correction goes wherever the alert went
    elif not is_severe_enough(severity, settings) or (
        kind is NotificationKind.RESOLVED and not settings.sends_resolved
    ):
        return None
    due = find_due_time(mode, severity, settings, recipient.zone, now)
    if due is None:
        return None
    state = NotificationState.QUEUED if due.reason is None else NotificationState.HELD
    return _Route(
        rule_id,
        severity.value,
        recipient.person_id,
        channel.channel_id,
        state.value,
        None if due.reason is None else due.reason.value,
        due.at,
    )


# A correction and an end go only where the alert went, or may be going.
_WENT_THERE: Final = """
AND EXISTS (SELECT 1 FROM notification o
    WHERE o.incident_id = i.id AND o.person_id = v.person_id
        AND o.channel_id IS NOT DISTINCT FROM v.channel_id AND o.kind = 'opened'
        AND (o.state IN ('sent', 'unknown') OR (o.state IN ('queued', 'held')
            AND o.message_id IS NOT NULL)))
"""
_INSERT: Final = f"""
INSERT INTO notification (incident_id, person_id, channel_id, kind, state, reason, due_at,
    group_id, data_version, rule_version, created_at, ended_at)
SELECT i.id, v.person_id, v.channel_id, %(kind)s, v.state, v.reason, v.due_at,
    i.group_id, i.data_version, i.rule_version, %(now)s,
    CASE WHEN v.channel_id IS NULL THEN %(now)s::timestamptz END
FROM unnest(%(rules)s::int8[], %(severities)s::text[], %(people)s::int8[], %(channels)s::int8[],
    %(states)s::text[], %(reasons)s::text[], %(dues)s::timestamptz[])
    AS v (rule_id, severity, person_id, channel_id, state, reason, due_at)
JOIN incident i ON i.rule_id = v.rule_id AND i.severity = v.severity AND i.id = ANY(%(ids)s::int8[])
JOIN person p ON p.id = v.person_id LEFT JOIN delivery_settings s ON s.person_id = p.id
WHERE i.silent_reason IS NULL AND i.muted_by IS NULL AND {IS_RECIPIENT} {{went_there}}
ORDER BY i.id, v.person_id, v.channel_id NULLS FIRST
ON CONFLICT (incident_id, person_id, channel_id, kind, number) DO UPDATE
SET state = excluded.state, reason = excluded.reason, due_at = excluded.due_at,
    ended_at = excluded.ended_at, message_id = NULL, remind_at = NULL, read_at = NULL
WHERE notification.state = 'cancelled' AND notification.reason = 'muted'
    OR %(again)s
"""


def _insert(
    session: Session,
    kind: NotificationKind,
    incidents: Sequence[_Unplanned],
    recipients: Sequence[Recipient],
    now: datetime,
    *,
    is_again: bool = False,
) -> int:
    """Insert the notifications of incidents; return how many are new.

    `is_again`: also for those who were notified of the same before. Corrections always are.
    """
    routes = list(_list_routes(kind, incidents, recipients, now))
    if not routes:
        return 0
    names = ("rules", "severities", "people", "channels", "states", "reasons", "dues")
    values: dict[str, Any] = {
        name: format_array(column)
        for name, column in zip(names, zip(*routes, strict=True), strict=True)
    }
    values |= {"kind": kind.value, "now": now, "ids": [each.incident_id for each in incidents]}
    values["again"] = is_again or kind is NotificationKind.WITHDRAWN
    went_there = "" if kind is NotificationKind.OPENED else _WENT_THERE
    statement = _INSERT.format(went_there=went_there)
    return driver_connection(session).execute(statement, values, prepare=False).rowcount


def _cancel_withdrawn(session: Session, incidents: Sequence[_Unplanned], now: datetime) -> None:
    """Cancel what was not sent yet of withdrawn incidents."""
    driver_connection(session).execute(
        "UPDATE notification SET state = 'cancelled', reason = 'withdrawn', ended_at = %s "
        "WHERE incident_id = ANY(%s) AND kind <> 'withdrawn' AND state IN ('queued', 'held') "
        "AND message_id IS NULL",
        [now, [each.incident_id for each in incidents]],
    )


_DUE_REMINDERS: Final = f"""
SELECT n.id, n.incident_id, n.person_id, n.channel_id, n.number, i.team_id, i.rule_id,
    coalesce(r.code, '{IncidentKind.TEAM_RULE.value}'), i.severity,
    i.state IN ('firing', 'flapping') AND i.acknowledged_at IS NULL AND i.resolved_at IS NULL
        AND i.muted_by IS NULL,
    CASE WHEN i.snoozed_until > %(now)s THEN i.snoozed_until END
FROM notification n JOIN incident i ON i.id = n.incident_id JOIN alert_rule r ON r.id = i.rule_id
WHERE n.remind_at <= %(now)s
ORDER BY n.remind_at LIMIT {CHUNK} FOR UPDATE OF n SKIP LOCKED
"""


def plan_reminders(session: Session, now: datetime) -> int:
    """Make the reminders that are due by now, of at most CHUNK notifications; return how many."""
    connection = driver_connection(session)
    found = connection.execute(_DUE_REMINDERS, {"now": now}).fetchall()
    if not found:
        return 0
    recipients = {
        each.person_id: each for each in read_recipients(session, {row[5] for row in found})
    }
    made = 0
    for row in found:
        made += _plan_reminder(session, recipients.get(row[2]), row, now)
    return made


def _plan_reminder(
    session: Session, recipient: Recipient | None, row: tuple[Any, ...], now: datetime
) -> int:
    """Remind once more of an alert, unless it needs no reminder."""
    (number, incident_id, person_id, channel_id, count, _, rule_id, code, severity, *rest) = row
    is_wanted, snoozed_until = rest
    connection = driver_connection(session)
    if is_wanted and snoozed_until is not None:
        connection.execute(
            "UPDATE notification SET remind_at = %s WHERE id = %s", [snoozed_until, number]
        )
        return 0
    connection.execute("UPDATE notification SET remind_at = NULL WHERE id = %s", [number])
    if recipient is None or not is_wanted or find_reminder_time(recipient.settings, now) is None:
        return 0
    channel = next((one for one in recipient.channels if one.channel_id == channel_id), None)
    if channel is None:
        return 0
    route = _find_route(
        NotificationKind.REMINDER, recipient, channel, rule_id, IncidentKind(code),
        Severity(severity), now,
    )  # fmt: skip
    if route is None:
        return 0
    return connection.execute(
        "INSERT INTO notification (incident_id, person_id, channel_id, kind, number, state, "
        "reason, due_at, data_version, rule_version, created_at) "
        "SELECT i.id, %s, %s, %s, %s, %s, %s, %s, i.data_version, i.rule_version, %s "
        "FROM incident i WHERE i.id = %s ON CONFLICT DO NOTHING",
        [
            person_id, channel_id, NotificationKind.REMINDER.value, count + 1, route.state,
            route.reason, route.due_at, now, incident_id,
        ],
    ).rowcount  # fmt: skip


def delete_old_notifications(session: Session, now: datetime) -> int:
    """Delete notifications that ended more than KEPT ago, of incidents that are over."""
    return (
        driver_connection(session)
        .execute(
            "DELETE FROM notification n USING incident i WHERE i.id = n.incident_id "
            "AND n.ended_at < %s AND n.remind_at IS NULL AND i.state NOT IN ('firing', 'flapping')",
            [now - KEPT],
        )
        .rowcount
    )
