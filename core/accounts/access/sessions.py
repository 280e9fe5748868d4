"""Sessions of users: started by a ticket, found by a cookie, ended by either side.

The cookie holds a random token, the table its hash. Role, state and expiry are read at every
request, so a revoked role or session ends at once. Never commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import tuple_row
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.credentials import generate_token, hash_token
from core.accounts.access.devices import DEVICE_LIFETIME, delete_devices, delete_session_device
from core.accounts.access.one_time_tokens import (
    Purpose,
    consume_token,
    create_token,
    lock_person,
    revoke_tokens,
)
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Role, Via
from core.accounts.access.team_settings import NEEDS_TWO_FACTOR_SQL
from core.accounts.models import Person, SignIn
from core.database.session import driver_connection
from core.errors import NotFoundError

HOST_BOUND_PREFIX = "2."  # of tokens whose cookie is bound to its host; older ones have none
SEEN_INTERVAL = timedelta(minutes=1)  # resolution of "last seen"


@dataclass(frozen=True, slots=True)
class SessionLifetime:
    """How long a session lasts."""

    idle: timedelta  # without a request
    whole: timedelta  # at most


@dataclass(frozen=True, slots=True)
class DisplayPreferences:
    """A user's display preferences, and the number of unread notices."""

    locale: str
    has_currency_code: bool
    page_size: int
    theme: str | None  # of `profile.THEMES`; None: not chosen
    unread: int  # notices, counted up to 100


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A valid session. `is_stale`: "last seen" must be updated."""

    principal: Principal
    display: DisplayPreferences
    is_stale: bool


def create_ticket(session: Session, person_id: int, now: datetime) -> str:
    """Return a ticket that starts one session of a user within a minute."""
    return create_token(session, person_id, Purpose.TICKET, now)


def start_session(
    session: Session,
    ticket: str,
    lifetime: SessionLifetime,
    now: datetime,
    address: str | None,
    browser: str | None,
) -> str | None:
    """Consume a ticket and return the token for the cookie; None for an invalid ticket."""
    person = consume_token(session, ticket, Purpose.TICKET, now)
    if person is None or person.state != "active":
        return None
    token = generate_token(HOST_BOUND_PREFIX)
    session.add(
        SignIn(
            person_id=person.id,
            token_hash=hash_token(token),
            begun_at=now,
            seen_at=now,
            expires_at=now + lifetime.whole,
            address=address,
            browser=_strip_unprintable(browser) if browser else None,
            # Users without a password confirm their identity by signing in again.
            confirmed_at=now if person.password_hash is None else None,
        )
    )
    person.last_signed_in_at = now
    session.flush()
    audit.record_anonymous(session, person.team_id, "signed in", address, person.id)
    return token


def _strip_unprintable(browser: str) -> str:
    """Return a browser's name without unprintable characters, which can't be stored."""
    return "".join(sign for sign in browser[:200] if sign.isprintable())


# Runs at every request: through the driver, one indexed row per table.
_FIND = f"""
SELECT s.id, s.seen_at, p.id, p.team_id, p.name, COALESCE(p.time_zone, t.time_zone), p.role,
    {NEEDS_TWO_FACTOR_SQL},
    p.locale, p.preferences ->> 'currency_display' = 'code', p.page_size,
    p.preferences ->> 'theme',
    (SELECT count(*) FROM (
        SELECT FROM notice n WHERE n.person_id = p.id AND n.read_at IS NULL LIMIT 100
    ) unread)
FROM sign_in s JOIN person p ON p.id = s.person_id JOIN team t ON t.id = p.team_id
WHERE s.token_hash = %(token)s AND s.ended_at IS NULL AND s.expires_at > %(now)s
    AND s.seen_at > %(idle)s AND p.state = 'active'
"""


def find_session(
    session: Session, token: str, lifetime: SessionLifetime, now: datetime, address: str | None
) -> ActiveSession | None:
    """Return the session of a cookie's token, None for an invalid or ended one."""
    values = {"token": hash_token(token), "now": now, "idle": now - lifetime.idle}
    with driver_connection(session).cursor(row_factory=tuple_row) as cursor:
        row: Any = cursor.execute(_FIND, values).fetchone()
    if row is None:
        return None
    number, seen_at, person_id, team_id, name, zone, role, needs_second_factor, *seen = row
    locale, has_code, page_size, theme, unread = seen
    display = DisplayPreferences(locale, bool(has_code), page_size, theme, unread)
    principal = Principal(
        person_id,
        team_id,
        name,
        zone,
        Role(role),
        Via.PAGE,
        address,
        session_id=number,
        needs_second_factor=needs_second_factor,
    )
    return ActiveSession(principal, display, now - seen_at > SEEN_INTERVAL)


@requires(Permission.SELF)
def mark_session_used(session: Session, principal: Principal, now: datetime) -> None:
    """Update when a session was last seen."""
    session.execute(
        update(SignIn)
        .where(SignIn.id == principal.session_id, SignIn.seen_at < now)
        .values(seen_at=now)
    )


def end_session_by_token(session: Session, token: str, now: datetime, address: str | None) -> bool:
    """End the session of a cookie; return whether it was still open."""
    ended = session.execute(
        update(SignIn)
        .where(SignIn.token_hash == hash_token(token), SignIn.ended_at.is_(None))
        .values(ended_at=now)
        .returning(SignIn.person_id)
    ).first()
    if ended is None:
        return False
    person = session.get_one(Person, ended[0])
    audit.record_anonymous(session, person.team_id, "signed out", address, person.id)
    return True


def end_sessions(session: Session, person_id: int, now: datetime, but: int | None = None) -> int:
    """End a user's open sessions, except `but`; return how many. Checks no permission.

    Also revokes tokens of unfinished sign-ins, and deletes the known devices of the ended
    sessions.
    """
    for purpose in (Purpose.TICKET, Purpose.SECOND):
        revoke_tokens(session, person_id, purpose, now)
    ended = session.execute(
        update(SignIn)
        .where(SignIn.person_id == person_id, SignIn.ended_at.is_(None), SignIn.id != (but or 0))
        .values(ended_at=now)
        .returning(SignIn.id)
    )
    delete_devices(session, person_id, but_of=but)
    return len(ended.all())


# The user's own sessions


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of the user's own sessions."""

    id: int
    begun_at: datetime
    seen_at: datetime
    address: str | None
    browser: str | None
    is_this: bool


@requires(Permission.SELF)
def list_open_sessions(
    session: Session, principal: Principal, lifetime: SessionLifetime, now: datetime
) -> list[OpenSession]:
    """Return the user's valid sessions, last used first."""
    rows: Sequence[SignIn] = session.scalars(
        select(SignIn)
        .where(
            SignIn.person_id == principal.person_id,
            SignIn.ended_at.is_(None),
            SignIn.expires_at > now,
            SignIn.seen_at > now - lifetime.idle,
        )
        .order_by(SignIn.seen_at.desc())
    ).all()
    return [
        OpenSession(
            row.id,
            row.begun_at,
            row.seen_at,
            row.address,
            row.browser,
            row.id == principal.session_id,
        )
        for row in rows
    ]


@requires(Permission.SELF)
def end_own_session(session: Session, principal: Principal, sign_in_id: int, now: datetime) -> None:
    """End one of the user's own sessions. Raises NotFoundError for another user's."""
    ended = session.execute(
        update(SignIn)
        .where(
            SignIn.id == sign_in_id,
            SignIn.person_id == principal.person_id,
            SignIn.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(SignIn.id)
    ).first()
    if ended is None:
        raise NotFoundError("This session has already ended.")
    delete_session_device(session, sign_in_id)
    audit.record(session, principal, "signed out elsewhere", f"sign_in:{sign_in_id}")


@requires(Permission.SELF)
def end_other_sessions(session: Session, principal: Principal, now: datetime) -> int:
    """End all of the user's sessions except the current one; return how many."""
    lock_person(session, principal.person_id)
    count = end_sessions(session, principal.person_id, now, but=principal.session_id)
    audit.record(session, principal, "signed out everywhere else", new={"count": count})
    return count


def delete_old_sign_ins(session: Session, now: datetime, kept: timedelta) -> int:
    """Delete data past its retention `kept`; return the number of deleted sessions.

    Deletes sessions, one-time tokens, attempts, known devices, counts of refusals, read
    notices, and users who registered without confirming their address.
    """
    values = {"before": now - kept}
    session.execute(text("DELETE FROM one_time_token WHERE expires_at < :before"), values)
    session.execute(text("DELETE FROM sign_in_attempt WHERE at < :before"), values)
    session.execute(text("DELETE FROM notice WHERE read_at < :before"), values)
    session.execute(text("DELETE FROM refusal_count WHERE day < :before"), values)
    session.execute(
        text("DELETE FROM known_device WHERE seen_at <= :unseen"), {"unseen": now - DEVICE_LIFETIME}
    )
    session.execute(
        text("DELETE FROM person WHERE state = 'registered' AND created_at < :before"), values
    )
    deleted = session.execute(
        text("DELETE FROM sign_in WHERE ended_at < :before OR expires_at < :before RETURNING id"),
        values,
    )
    return len(deleted.all())
