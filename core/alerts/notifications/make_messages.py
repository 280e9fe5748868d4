"""Makes messages from notifications that are due, one per user and channel. Never commits.

Before that, those are cancelled that are not to be sent any more, and those held that wait: for
the end of a snooze or silence, for a group's next message, for room under the user's cap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Role
from core.accounts.models import Person, Team
from core.accounts.people.membership import get_principal
from core.alerts.incidents.queries import list_incident_rows
from core.alerts.incidents.silences import SILENCED
from core.alerts.notifications.message_text import (
    EXAMPLES,
    SHOWN,
    AlertEntry,
    MessageFacts,
    Reader,
    list_incidents,
    write_alerts,
)
from core.alerts.notifications.models import StoredDeliverySettings
from core.alerts.notifications.plan_notifications import NotificationKind
from core.alerts.notifications.policy import (
    GROUP_WINDOW,
    HOUR,
    USEFUL_FOR,
    DeliverySettings,
    HoldReason,
    find_cap_end,
    find_quiet_end,
    find_zone,
    passes_quiet,
)
from core.alerts.notifications.recipients import IS_RECIPIENT, make_settings
from core.alerts.rules.rule import Severity
from core.database.session import driver_connection
from core.delivery.message import Message
from core.delivery.outbox import Purpose, add_message
from core.text.locale import Formats
from core.tracking.list_filter import ListScope

_IS_DUE: Final = (
    "n.state IN ('queued', 'held') AND n.message_id IS NULL AND n.due_at <= %(now)s "
    "AND n.channel_id IS NOT NULL"
)
_OPEN: Final = "i.state IN ('firing', 'flapping')"
# Why a notification is not sent any more; NULL: it is to be sent.
_REFUSAL: Final = f"""
CASE WHEN c.state <> 'active' THEN 'channel_' || c.state
    WHEN NOT {IS_RECIPIENT} THEN 'not_visible'
    WHEN n.kind = 'withdrawn' THEN CASE WHEN i.state <> 'withdrawn' THEN 'reinstated' END
    WHEN i.state = 'withdrawn' THEN 'withdrawn'
    WHEN i.muted_by IS NOT NULL THEN 'muted'
    WHEN n.kind = 'reminder' AND NOT {_OPEN} THEN 'ended'
    WHEN n.kind = 'reminder' AND i.acknowledged_at IS NOT NULL THEN 'acknowledged'
    WHEN n.kind IN ('opened', 'reminder') AND i.resolved_at IS NOT NULL THEN 'resolved'
    WHEN n.reason IN ('snoozed', 'silenced') AND NOT {_OPEN} THEN n.reason
END"""
_JOINS: Final = """
JOIN incident i ON i.id = n.incident_id JOIN alert_rule r ON r.id = i.rule_id
JOIN person p ON p.id = n.person_id JOIN delivery_channel c ON c.id = n.channel_id
LEFT JOIN delivery_settings s ON s.person_id = p.id
"""
_CANCEL: Final = f"""
UPDATE notification AS u SET state = 'cancelled', reason = x.refusal, ended_at = %(now)s
FROM (SELECT n.id, {_REFUSAL} AS refusal FROM notification n {_JOINS} WHERE {_IS_DUE}) AS x
WHERE u.id = x.id AND x.refusal IS NOT NULL
"""
# An end or a correction waits for the message of its opening, and is not sent without it.
_FOLLOW: Final = f"""
UPDATE notification AS u SET
    state = CASE WHEN x.state IN ('queued', 'held') THEN 'held' ELSE 'cancelled' END,
    reason = CASE WHEN x.state IN ('queued', 'held') THEN u.reason ELSE 'opening_not_sent' END,
    due_at = %(now)s + interval '1 minute',
    ended_at = CASE WHEN x.state IN ('queued', 'held') THEN NULL ELSE %(now)s END
FROM (SELECT n.id, o.state FROM notification n JOIN notification o
        ON o.incident_id = n.incident_id AND o.person_id = n.person_id
        AND o.channel_id = n.channel_id AND o.kind = 'opened'
    WHERE {_IS_DUE} AND n.kind IN ('resolved', 'withdrawn')
        AND o.state NOT IN ('sent', 'unknown')) AS x
WHERE u.id = x.id
"""
# Whose snooze or silence was ended early.
_RELEASE: Final = f"""
UPDATE notification AS n SET due_at = %(now)s
FROM incident i JOIN alert_rule r ON r.id = i.rule_id JOIN product p ON p.id = i.product_id
WHERE n.state = 'held' AND n.message_id IS NULL AND n.due_at > %(now)s AND i.id = n.incident_id
    AND (n.reason = 'snoozed' AND coalesce(i.snoozed_until <= %(now)s, true)
        OR n.reason = 'silenced' AND NOT {SILENCED})
"""
_HOLD_SNOOZED: Final = f"""
UPDATE notification AS n SET state = 'held', reason = 'snoozed', due_at = i.snoozed_until
FROM incident i
WHERE {_IS_DUE} AND n.kind IN ('opened', 'reminder') AND i.id = n.incident_id
    AND i.snoozed_until > %(now)s
"""
# Until any silence of the team ends; checked anew then.
_HOLD_SILENCED: Final = f"""
UPDATE notification AS u SET state = 'held', reason = 'silenced', due_at = x.until
FROM (SELECT n.id, (SELECT min(coalesce(q.ended_at, q.ends_at)) FROM alert_silence q
        WHERE q.team_id = i.team_id AND q.begins_at <= %(now)s
            AND coalesce(q.ended_at, q.ends_at) > %(now)s) AS until
    FROM notification n JOIN incident i ON i.id = n.incident_id
    JOIN alert_rule r ON r.id = i.rule_id JOIN product p ON p.id = i.product_id
    WHERE {_IS_DUE} AND n.kind IN ('opened', 'reminder') AND {SILENCED}) AS x
WHERE u.id = x.id
"""
_HOLD_GROUPED: Final = f"""
UPDATE notification AS u SET state = 'held', reason = 'grouped',
    due_at = g.created_at + %(window)s
FROM (SELECT DISTINCT n.channel_id, n.group_id FROM notification n
    WHERE {_IS_DUE} AND n.kind = 'opened' AND n.group_id IS NOT NULL) AS d
CROSS JOIN LATERAL (SELECT m.created_at FROM outbox_message m
    WHERE m.channel_id = d.channel_id AND m.created_at > %(now)s - %(window)s
        AND m.created_at <= %(now)s AND m.state IN ('pending', 'sending', 'sent', 'unknown')
        AND EXISTS (SELECT 1 FROM notification y
            WHERE y.message_id = m.id AND y.group_id = d.group_id)
    ORDER BY m.created_at DESC LIMIT 1) AS g
WHERE u.channel_id = d.channel_id AND u.group_id = d.group_id AND u.kind = 'opened'
    AND {_IS_DUE.replace("n.", "u.")}
"""


def sort_due(session: Session, now: datetime) -> list[int]:
    """Cancel and hold what is due and not to be sent now; return the channels of the rest."""
    connection = driver_connection(session)
    values = {"now": now, "window": GROUP_WINDOW}
    for statement in (_RELEASE, _CANCEL, _FOLLOW, _HOLD_SNOOZED, _HOLD_SILENCED, _HOLD_GROUPED):
        connection.execute(statement, values, prepare=False)
    rows = connection.execute(
        f"SELECT DISTINCT n.channel_id FROM notification n WHERE {_IS_DUE} ORDER BY 1", values
    )
    return [int(number) for (number,) in rows]


@dataclass(frozen=True, slots=True)
class _Owner:
    """A channel's owner, with what a message to them needs."""

    person_id: int
    settings: DeliverySettings
    reader: Reader


def make_message(
    session: Session, channel_id: int, now: datetime, base_url: str, unsubscribe: str | None
) -> int | None:
    """Make one message of all that is due for a channel; return its id, None without one.

    Over the user's cap, all of it is held until there is room. `unsubscribe`: the address that
    ends these messages by one click.
    """
    connection = driver_connection(session)
    found = connection.execute(
        "SELECT n.id, n.person_id, i.severity FROM notification n "
        f"JOIN incident i ON i.id = n.incident_id WHERE {_IS_DUE} "
        "AND n.channel_id = %(channel)s ORDER BY n.id FOR UPDATE OF n SKIP LOCKED",
        {"now": now, "channel": channel_id},
    ).fetchall()
    if not found:
        return None
    owner = _read_owner(session, found[0][1], base_url, unsubscribe)
    ids = _hold_quiet(session, [(row[0], Severity(row[2])) for row in found], owner, now)
    if not ids:
        return None
    sent_at = _list_recent(session, channel_id, now)
    free_at = find_cap_end(sent_at, owner.settings, now)
    if free_at is not None:
        connection.execute(
            "UPDATE notification SET state = 'held', reason = %s, due_at = %s WHERE id = ANY(%s)",
            [HoldReason.CAP.value, free_at, ids],
        )
        return None
    full_until = find_cap_end([*sent_at, now], owner.settings, now)
    message = _write(session, f"alerts-{ids[0]}-{now:%Y%m%d%H%M%S}", ids, owner, now, full_until)
    if message is None:
        return None
    number = add_message(
        session, message, owner.person_id, channel_id, Purpose.ALERTS, now, now + USEFUL_FOR
    )
    connection.execute(
        "UPDATE notification SET message_id = %s, state = 'queued' WHERE id = ANY(%s)",
        [number, ids],
    )
    return number


def _hold_quiet(
    session: Session, due: Sequence[tuple[int, Severity]], owner: _Owner, now: datetime
) -> list[int]:
    """Hold what became due in quiet hours, after a group or a cap; return what may be sent."""
    until = find_quiet_end(now, owner.settings, ZoneInfo(owner.reader.time_zone))
    if until is None:
        return [number for number, _ in due]
    sent = [number for number, each in due if passes_quiet(each, owner.settings)]
    held = sorted({number for number, _ in due}.difference(sent))
    driver_connection(session).execute(
        "UPDATE notification SET state = 'held', reason = %s, due_at = %s WHERE id = ANY(%s)",
        [HoldReason.QUIET.value, until, held],
    )
    return sent


def _list_recent(session: Session, channel_id: int, now: datetime) -> list[datetime]:
    """Return when the channel's messages about alerts of the last hour were made."""
    rows = driver_connection(session).execute(
        "SELECT created_at FROM outbox_message WHERE channel_id = %s AND created_at > %s "
        "AND purpose = %s AND state <> 'cancelled'",
        [channel_id, now - HOUR, Purpose.ALERTS.value],
    )
    return [at for (at,) in rows]


def _read_owner(session: Session, person_id: int, base_url: str, unsubscribe: str | None) -> _Owner:
    person = session.get_one(Person, person_id, populate_existing=True)
    team = session.get_one(Team, person.team_id)
    stored = session.get(StoredDeliverySettings, person_id, populate_existing=True)
    has_code = person.preferences.get("currency_display") == "code"
    reader = Reader(
        find_zone((person.time_zone, team.time_zone)).key,
        Formats(person.locale, has_code),
        base_url,
        unsubscribe,
    )
    settings = make_settings(stored)
    if person.role == Role.SELLER.value:
        settings = replace(settings, scope=ListScope.MINE)
    return _Owner(person_id, settings, reader)


# The worst first; of equally bad ones what was planned first.
_ENTRIES: Final = """
SELECT n.kind, count(*),
    (array_agg(n.incident_id ORDER BY n.id))[1:%(examples)s],
    (ARRAY['critical', 'warning', 'info'])[
        min(array_position(ARRAY['critical', 'warning', 'info'], i.severity))]
FROM notification n JOIN incident i ON i.id = n.incident_id
WHERE n.id = ANY(%(ids)s)
GROUP BY n.kind, coalesce(-n.group_id, n.incident_id)
ORDER BY min(array_position(ARRAY['critical', 'warning', 'info'], i.severity)), min(n.id)
"""
_COUNTS: Final = """
SELECT i.severity, count(*), count(*) FILTER (WHERE n.reason = 'cap')
FROM notification n JOIN incident i ON i.id = n.incident_id WHERE n.id = ANY(%s) GROUP BY 1
"""


def _write(
    session: Session,
    key: str,
    ids: Sequence[int],
    owner: _Owner,
    now: datetime,
    full_until: datetime | None,
) -> Message | None:
    """Return the message of notifications, None if its reader sees none of their products."""
    connection = driver_connection(session)
    grouped = connection.execute(_ENTRIES, {"ids": list(ids), "examples": EXAMPLES}).fetchall()
    shown = [number for _, _, numbers, _ in grouped[:SHOWN] for number in numbers]
    principal = get_principal(session, owner.person_id)
    # One that is shown twice (opened and corrected) is read once.
    scope = owner.settings.scope
    rows = {
        each.id: each
        for each in list_incident_rows(session, principal, sorted(set(shown)), now, scope)
    }
    entries = [
        AlertEntry(NotificationKind(kind), count, seen, Severity(worst))
        for kind, count, numbers, worst in grouped[:SHOWN]
        if (seen := [rows[number] for number in numbers if number in rows])
    ]
    if not entries:
        return None
    counts = connection.execute(_COUNTS, [list(ids)]).fetchall()
    facts = MessageFacts(
        more=sum(count for _, count, _, _ in grouped[SHOWN:]),
        severities={Severity(severity): count for severity, count, _ in counts},
        capped=sum(capped for _, _, capped in counts),
        most_per_hour=owner.settings.most_per_hour,
        full_until=full_until,
    )
    return write_alerts(key, entries, facts, owner.reader, now)


_REFUSED: Final = f"""
SELECT n.message_id, n.id, n.incident_id, {_REFUSAL} AS refusal FROM notification n {_JOINS}
WHERE n.message_id = ANY(%(ids)s) AND n.state = 'queued'
"""


def remove_refused(
    session: Session, messages: Mapping[int, Message], now: datetime
) -> dict[int, list[int]]:
    """Cancel notifications of messages that are not to be sent any more.

    Returns for each message that lost some the ids of those that are left. Lost are also those
    that were deleted with their rule, or are in another message by now.
    """
    connection = driver_connection(session)
    rows = connection.execute(
        _REFUSED, {"ids": list(messages), "now": now}, prepare=False
    ).fetchall()
    left: dict[int, list[int]] = {message_id: [] for message_id in messages}
    incidents: dict[int, set[int]] = {message_id: set() for message_id in messages}
    lost, refused = set(), []
    for message_id, number, incident_id, refusal in rows:
        if refusal is None:
            left[message_id].append(number)
            incidents[message_id].add(incident_id)
        else:
            lost.add(message_id)
            refused.append((refusal, now, number))
    if refused:
        connection.cursor().executemany(
            "UPDATE notification SET state = 'cancelled', reason = %s, ended_at = %s WHERE id = %s",
            refused,
        )
    lost |= {
        message_id
        for message_id, message in messages.items()
        if not (left[message_id] and list_incidents(message) <= incidents[message_id])
    }
    return {message_id: left[message_id] for message_id in lost}


_HELD_MESSAGES: Final = f"""
UPDATE notification AS u SET reason = x.reason
FROM (SELECT n.id, CASE WHEN i.snoozed_until > %(now)s THEN 'snoozed' ELSE 'silenced' END AS reason,
        bool_and(n.kind IN ('opened', 'reminder')
            AND (coalesce(i.snoozed_until > %(now)s, false) OR {SILENCED}))
            OVER (PARTITION BY n.message_id) AS is_held
    FROM notification n JOIN incident i ON i.id = n.incident_id
    JOIN alert_rule r ON r.id = i.rule_id JOIN product p ON p.id = i.product_id
    WHERE n.message_id = ANY(%(ids)s) AND n.state = 'queued') AS x
WHERE u.id = x.id AND x.is_held
RETURNING u.message_id
"""


def find_held(session: Session, message_ids: Sequence[int], now: datetime) -> set[int]:
    """Return the messages whose alerts are all snoozed or silenced by now, and note that there.

    So those that end meanwhile are not sent.
    """
    values = {"ids": list(message_ids), "now": now}
    rows = driver_connection(session).execute(_HELD_MESSAGES, values, prepare=False)
    return {message_id for (message_id,) in rows}


def remake_messages(session: Session, message_ids: Sequence[int], now: datetime) -> None:
    """Let the notifications of messages that can't be sent be due for new ones."""
    driver_connection(session).execute(
        "UPDATE notification SET message_id = NULL, due_at = %s "
        "WHERE message_id = ANY(%s) AND state = 'queued'",
        [now, list(message_ids)],
    )


def write_again(
    session: Session,
    old: Message,
    person_id: int,
    ids: Sequence[int],
    now: datetime,
    base_url: str,
) -> Message | None:
    """Return a message of the notifications that are left of it, None if there are none."""
    if not ids:
        return None
    owner = _read_owner(session, person_id, base_url, old.unsubscribe)
    return _write(session, old.key, ids, owner, now, None)
