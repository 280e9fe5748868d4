"""Which alerts a user has not read in the app. Never commits.

Unread is an alert that the user was notified of in the app and neither opened nor marked as read.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.incidents.queries import IS_UNREAD
from core.database.session import driver_connection


@requires(Permission.READ)
def find_unread(session: Session, principal: Principal, ids: Sequence[int]) -> set[int]:
    """Return which of these incidents the user has not read."""
    rows = driver_connection(session).execute(
        f"SELECT i.id FROM incident i WHERE i.id = ANY(%(ids)s) AND {IS_UNREAD}",
        {"ids": list(ids), "person": principal.person_id},
    )
    return {number for (number,) in rows}


_MARK = """
UPDATE notification SET read_at = %(now)s
WHERE person_id = %(person)s AND channel_id IS NULL AND kind = 'opened' AND read_at IS NULL
"""


@requires(Permission.SELF)
def mark_read(session: Session, principal: Principal, ids: Sequence[int], now: datetime) -> int:
    """Mark incidents as read by the user; return how many were unread."""
    values = {"now": now, "person": principal.person_id, "ids": list(ids)}
    statement = f"{_MARK} AND incident_id = ANY(%(ids)s)"
    return driver_connection(session).execute(statement, values).rowcount


@requires(Permission.SELF)
def mark_all_read(session: Session, principal: Principal, until: datetime, now: datetime) -> int:
    """Mark all that the user was notified of until a time as read; return how many were unread."""
    values = {"now": now, "person": principal.person_id, "until": until}
    statement = f"{_MARK} AND created_at <= %(until)s"
    return driver_connection(session).execute(statement, values).rowcount
