"""Operations on incidents: acknowledge, snooze, and take either back. Never commits.

Users handle incidents of products that they track themselves, managers all of the team's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.errors import InvalidInputError

LONGEST_SNOOZE: Final = timedelta(days=366)
MOST_AT_ONCE: Final = 1000


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
    """A change, as SQL. `is_so`: the rows that need none."""

    is_so: str
    assignment: str


_ACKNOWLEDGE = _Change(
    "i.acknowledged_at IS NOT NULL",
    "acknowledged_at = %(now)s, acknowledged_by = %(person)s",
)
_UNACKNOWLEDGE = _Change(
    "i.acknowledged_at IS NULL",
    "acknowledged_at = NULL, acknowledged_by = NULL",
)
_SNOOZE = _Change(
    "i.snoozed_until IS NOT DISTINCT FROM %(until)s",
    "snoozed_until = %(until)s",
)
_END_SNOOZE = _Change(
    "coalesce(i.snoozed_until <= %(now)s, true)",
    "snoozed_until = NULL",
)


@requires(Permission.TRACK)
def acknowledge_incidents(
    session: Session, principal: Principal, ids: Collection[int], now: datetime
) -> Verdicts:
    """Acknowledge open incidents; return the verdict for each id."""
    verdicts = _change(session, principal, ids, _ACKNOWLEDGE, now)
    audit.record_bulk(session, principal, "acknowledged alert", "incident", list_done(verdicts))
    return verdicts


@requires(Permission.TRACK)
def unacknowledge_incidents(
    session: Session, principal: Principal, ids: Collection[int], now: datetime
) -> Verdicts:
    """Take the acknowledgement of open incidents back; return the verdict for each id."""
    verdicts = _change(session, principal, ids, _UNACKNOWLEDGE, now)
    audit.record_bulk(session, principal, "unacknowledged alert", "incident", list_done(verdicts))
    return verdicts


@requires(Permission.TRACK)
def snooze_incidents(
    session: Session, principal: Principal, ids: Collection[int], until: datetime, now: datetime
) -> Verdicts:
    """Snooze open incidents until a time; return the verdict for each id.

    Raises InvalidInputError for a time that is past, or more than a year ahead.
    """
    if not now < until <= now + LONGEST_SNOOZE:
        raise InvalidInputError("An alert is snoozed until a time within the next year.")
    verdicts, new = _change(session, principal, ids, _SNOOZE, now, until), {"until": until}
    audit.record_bulk(session, principal, "snoozed alert", "incident", list_done(verdicts), new)
    return verdicts


@requires(Permission.TRACK)
def end_snooze(
    session: Session, principal: Principal, ids: Collection[int], now: datetime
) -> Verdicts:
    """End the snooze of open incidents; return the verdict for each id."""
    verdicts = _change(session, principal, ids, _END_SNOOZE, now)
    audit.record_bulk(session, principal, "ended snooze of alert", "incident", list_done(verdicts))
    return verdicts


def list_done(verdicts: Verdicts) -> list[int]:
    """Return the ids of the incidents that an operation changed."""
    return [each for each, verdict in verdicts.items() if verdict is Verdict.DONE]


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
    until: datetime | None = None,
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
    }
    verdicts = dict.fromkeys(ids, Verdict.UNKNOWN)
    with driver_connection(session).cursor() as cursor:
        for number, *facts in cursor.execute(_LOCK.format(is_so=change.is_so), values):
            verdicts[number] = _judge(*facts)
        values["ids"] = list_done(verdicts)
        if values["ids"]:
            cursor.execute(
                f"UPDATE incident SET {change.assignment} WHERE id = ANY(%(ids)s)", values
            )
    return verdicts


def _judge(is_open: bool, is_so: bool, is_editable: bool) -> Verdict:
    if not is_editable:
        return Verdict.NOT_YOURS
    if not is_open:
        return Verdict.ENDED
    return Verdict.ALREADY if is_so else Verdict.DONE
