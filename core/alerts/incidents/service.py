"""Operations on incidents: acknowledge, snooze, assign, comment, resolve. Never commits.

Users handle incidents of products that they track themselves, managers all of the team's. No
operation changes an incident's state, which is evaluation's alone: an incident that a user marks
as resolved is no open issue any more, and its state ends when the rule no longer holds. Only then
can the rule open the next one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import (
    Permission,
    Principal,
    Role,
    find_minimum_role,
)
from core.accounts.models import Person
from core.alerts.incidents.incident_events import record_events
from core.alerts.incidents.incident_filter import EventKind
from core.database.session import driver_connection
from core.errors import InvalidInputError, NotAllowedError, NotFoundError

LONGEST_SNOOZE: Final = timedelta(days=366)
MOST_AT_ONCE: Final = 1000
LONGEST_COMMENT: Final = 2000  # characters
LONGEST_RESOLUTION: Final = 500


class Verdict(StrEnum):
    """What an operation did about an incident."""

    DONE = "done"
    ALREADY = "already"  # it was so before
    ENDED = "ended"  # it is resolved or withdrawn: there is nothing to do
    NOT_YOURS = "not_yours"  # only others of the team track its product
    UNKNOWN = "unknown"  # the team has no such incident


Verdicts = dict[int, Verdict]


@dataclass(frozen=True, slots=True)
class _Change:
    """A change, as SQL. `is_so`: the rows that need none; `event`: what it is recorded as."""

    is_so: str
    assignment: str | None  # None: the rows are locked and stay as they are
    event: EventKind
    is_for_ended: bool = False  # True: also of incidents that ended


_ACKNOWLEDGE = _Change(
    "i.acknowledged_at IS NOT NULL",
    "acknowledged_at = %(now)s, acknowledged_by = %(person)s",
    EventKind.ACKNOWLEDGED,
)
_UNACKNOWLEDGE = _Change(
    "i.acknowledged_at IS NULL",
    "acknowledged_at = NULL, acknowledged_by = NULL",
    EventKind.UNACKNOWLEDGED,
)
_SNOOZE = _Change(
    "i.snoozed_until IS NOT DISTINCT FROM %(until)s",
    "snoozed_until = %(until)s",
    EventKind.SNOOZED,
)
_END_SNOOZE = _Change(
    "coalesce(i.snoozed_until <= %(now)s, true)",
    "snoozed_until = NULL",
    EventKind.SNOOZE_ENDED,
)
_ASSIGN = _Change(
    "i.assigned_to IS NOT DISTINCT FROM %(assignee)s::int8",
    "assigned_to = %(assignee)s",
    EventKind.ASSIGNED,
)
_COMMENT = _Change("false", None, EventKind.COMMENTED, is_for_ended=True)
_RESOLVE = _Change(
    "i.resolved_at IS NOT NULL",
    "resolved_at = %(now)s, resolved_by = %(person)s",
    EventKind.RESOLVED,
)
_REOPEN = _Change(
    "i.resolved_at IS NULL",
    "resolved_at = NULL, resolved_by = NULL",
    EventKind.REOPENED,
)


@requires(Permission.TRACK)
def acknowledge_incidents(
    session: Session, principal: Principal, ids: Collection[int], now: datetime
) -> Verdicts:
    """Acknowledge open incidents; return the verdict for each id."""
    return _change_all(session, principal, ids, _ACKNOWLEDGE, "acknowledged alert", now)


@requires(Permission.TRACK)
def unacknowledge_incidents(
    session: Session, principal: Principal, ids: Collection[int], now: datetime
) -> Verdicts:
    """Take the acknowledgement of open incidents back; return the verdict for each id."""
    return _change_all(session, principal, ids, _UNACKNOWLEDGE, "unacknowledged alert", now)


@requires(Permission.TRACK)
def snooze_incidents(
    session: Session, principal: Principal, ids: Collection[int], until: datetime, now: datetime
) -> Verdicts:
    """Snooze open incidents until a time; return the verdict for each id.

    Raises InvalidInputError for a time that is past, or more than a year ahead.
    """
    if not now < until <= now + LONGEST_SNOOZE:
        raise InvalidInputError("An alert is snoozed until a time within the next year.")
    new = {"until": until}
    return _change_all(session, principal, ids, _SNOOZE, "snoozed alert", now, new, until=until)


@requires(Permission.TRACK)
def end_snooze(
    session: Session, principal: Principal, ids: Collection[int], now: datetime
) -> Verdicts:
    """End the snooze of open incidents; return the verdict for each id."""
    return _change_all(session, principal, ids, _END_SNOOZE, "ended snooze of alert", now)


@dataclass(frozen=True, slots=True)
class Assignee:
    """A teammate to whom alerts can be assigned."""

    person_id: int
    name: str


@requires(Permission.READ)
def list_assignees(session: Session, principal: Principal) -> list[Assignee]:
    """Return the active teammates who may handle alerts, by name."""
    least = list(Role).index(find_minimum_role(Permission.TRACK))
    rows = session.execute(
        select(Person.id, Person.name)
        .where(
            Person.team_id == principal.team_id,
            Person.state == "active",
            Person.role.in_([each.value for each in list(Role)[least:]]),
        )
        .order_by(Person.name, Person.id)
    )
    return [Assignee(*row) for row in rows]


@requires(Permission.TRACK)
def assign_incidents(
    session: Session,
    principal: Principal,
    ids: Collection[int],
    assignee: int | None,
    now: datetime,
) -> Verdicts:
    """Assign open incidents to a teammate, None: to no one; return the verdict for each id.

    Raises NotFoundError for a person who is none of `list_assignees`.
    """
    known = {each.person_id for each in list_assignees(session, principal)}
    if assignee is not None and assignee not in known:
        raise NotFoundError("This user is not in the team (any more), or can't handle alerts.")
    new = {"person_id": assignee}
    return _change_all(
        session, principal, ids, _ASSIGN, "assigned alert", now, new, assignee=assignee
    )


@requires(Permission.TRACK)
def comment_incident(
    session: Session, principal: Principal, incident_id: int, body: str, now: datetime
) -> None:
    """Add a comment to an incident, also to one that ended.

    Raises InvalidInputError, NotAllowedError, NotFoundError.
    """
    text = _read_text(body, LONGEST_COMMENT, "A comment")
    verdict = _change(session, principal, [incident_id], _COMMENT, now, body=text)[incident_id]
    if verdict is Verdict.UNKNOWN:
        raise NotFoundError("This alert does not exist (any more).")
    if verdict is Verdict.NOT_YOURS:
        raise NotAllowedError("Only teammates track the product of this alert.")
    audit.record(session, principal, "commented alert", f"incident:{incident_id}")


@requires(Permission.TRACK)
def resolve_incidents(
    session: Session, principal: Principal, ids: Collection[int], reason: str, now: datetime
) -> Verdicts:
    """Mark open incidents as resolved for a reason; return the verdict for each id.

    They are no open issues from then on. Their state stays.
    """
    text = _read_text(reason, LONGEST_RESOLUTION, "A reason")
    new = {"reason": text}
    return _change_all(session, principal, ids, _RESOLVE, "resolved alert", now, new, body=text)


@requires(Permission.TRACK)
def reopen_incidents(
    session: Session, principal: Principal, ids: Collection[int], now: datetime
) -> Verdicts:
    """Take back that open incidents were marked as resolved; return the verdict for each id."""
    return _change_all(session, principal, ids, _REOPEN, "reopened alert", now)


def _read_text(typed: str, longest: int, what: str) -> str:
    """Return a text without control characters, its line ends kept. Raises InvalidInputError."""
    cleaned = "".join(each for each in typed if each.isprintable() or each == "\n").strip()
    if not cleaned:
        raise InvalidInputError(f"{what} has at least one character.")
    if len(cleaned) > longest:
        raise InvalidInputError(f"{what} has at most {longest:,} characters.")
    return cleaned


def list_done(verdicts: Verdicts) -> list[int]:
    """Return the ids of the incidents that an operation changed."""
    return [each for each, verdict in verdicts.items() if verdict is Verdict.DONE]


def _change_all(
    session: Session,
    principal: Principal,
    ids: Collection[int],
    change: _Change,
    what: str,
    now: datetime,
    new: audit.Values | None = None,
    **values: Any,
) -> Verdicts:
    """Change incidents, and record those that changed as one event of the audit.

    `what` and `new` are of that event, `values` of `change`.
    """
    verdicts = _change(session, principal, ids, change, now, **values)
    audit.record_bulk(session, principal, what, "incident", list_done(verdicts), new)
    return verdicts


_LOCK = """
SELECT i.id, i.state IN ('firing', 'flapping') AS is_open, {is_so} AS is_so,
    %(is_manager)s OR EXISTS (SELECT 1 FROM tracking AS t
        WHERE t.person_id = %(person)s AND t.product_id = i.product_id) AS is_editable
FROM incident AS i WHERE i.id = ANY(%(ids)s) AND i.team_id = %(team)s
ORDER BY i.id FOR UPDATE OF i
"""


def _change(
    session: Session,
    principal: Principal,
    ids: Collection[int],
    change: _Change,
    now: datetime,
    *,
    until: datetime | None = None,
    assignee: int | None = None,
    body: str | None = None,
) -> Verdicts:
    if len(ids) > MOST_AT_ONCE:
        raise InvalidInputError(f"At most {MOST_AT_ONCE:,} alerts at once. Choose fewer.")
    values: dict[str, Any] = {
        "ids": list(ids),
        "team": principal.team_id,
        "person": principal.person_id,
        "is_manager": principal.may(Permission.TRACK_TEAM),
        "now": now,
        "until": until,
        "assignee": assignee,
    }
    verdicts = dict.fromkeys(ids, Verdict.UNKNOWN)
    with driver_connection(session).cursor() as cursor:
        for number, *facts in cursor.execute(_LOCK.format(is_so=change.is_so), values):
            verdicts[number] = _judge(*facts, is_for_ended=change.is_for_ended)
        values["ids"] = list_done(verdicts)
        if values["ids"] and change.assignment is not None:
            cursor.execute(
                f"UPDATE incident SET {change.assignment} WHERE id = ANY(%(ids)s)", values
            )
    record_events(
        session,
        principal,
        list_done(verdicts),
        change.event,
        now,
        body=body,
        until=until,
        assigned_to=assignee,
    )
    return verdicts


def _judge(is_open: bool, is_so: bool, is_editable: bool, *, is_for_ended: bool) -> Verdict:
    if not is_editable:
        return Verdict.NOT_YOURS
    if not is_open and not is_for_ended:
        return Verdict.ENDED
    return Verdict.ALREADY if is_so else Verdict.DONE
