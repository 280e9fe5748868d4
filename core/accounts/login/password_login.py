"""Reads and writes of a sign-in with a password. Never commits, never hashes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.one_time_tokens import Purpose, create_token, lock_person
from core.accounts.login.throttling import (
    AttemptLimits,
    count_failed,
    mark_succeeded,
    reset_failures,
)
from core.accounts.models import Notice, Person, Team
from core.accounts.people import account_notices


@dataclass(frozen=True, slots=True)
class LoginCandidate:
    """A user who may sign in with a password. `password_hash` None: has no password."""

    person_id: int
    password_hash: str | None
    needs_second_factor: bool
    password_changed_at: datetime | None = None


def find_login_candidate(session: Session, mail: str, *, with_demo: bool) -> LoginCandidate | None:
    """Return the active user of an email address, None for no user.

    `with_demo`: include demo users, whose passwords are published.
    """
    row = session.execute(
        select(
            Person.id, Person.password_hash, Person.totp_confirmed_at, Person.password_changed_at
        ).where(
            Person.mail == mail, Person.state == "active", true() if with_demo else ~Person.is_demo
        )
    ).first()
    return None if row is None else LoginCandidate(row[0], row[1], row[2] is not None, row[3])


def complete_login(
    session: Session, known: LoginCandidate, attempt_id: int, now: datetime
) -> tuple[Purpose, str] | None:
    """Return the token for the next step: a ticket, or one for the second factor.

    None if the user was disabled or the password changed while it was being hashed. Failed
    attempts are reset only by a complete sign-in: a correct password alone gives no new
    attempts at the second factor.
    """
    person = lock_person(session, known.person_id)
    if person is None or person.state != "active":
        return None
    if person.password_changed_at != known.password_changed_at:
        return None
    if person.totp_confirmed_at is not None:
        mark_succeeded(session, attempt_id)
        return Purpose.SECOND, create_token(session, known.person_id, Purpose.SECOND, now)
    reset_failures(session, attempt_id)
    return Purpose.TICKET, create_token(session, known.person_id, Purpose.TICKET, now)


def replace_hash(session: Session, known: LoginCandidate, password_hash: str) -> None:
    """Store a hash with the current costs, unless the password was changed meanwhile."""
    person = lock_person(session, known.person_id)
    if person is not None and person.password_hash == known.password_hash:
        person.password_hash = password_hash
        session.flush()


def record_failure(
    session: Session,
    mail: str,
    address: str | None,
    limits: AttemptLimits,
    now: datetime,
    bucket: str | None = None,
) -> None:
    """Record the attempt that locks an address in the audit, and notify its user.

    `bucket`: the known device that is locked; None: all unknown devices.
    """
    if count_failed(session, mail, limits.window, now, bucket) != limits.per_person:
        return
    person = session.scalars(select(Person).where(Person.mail == mail)).first()
    team_id = (
        person.team_id if person else session.scalars(select(Team.id).order_by(Team.id)).first()
    )
    if team_id is None:
        return
    audit.record_anonymous(session, team_id, "locked out", address, person.id if person else None)
    if person is not None and not _was_notified_today(session, person.id, now):
        account_notices.notify_security(
            session, person.id, _lockout_text(limits), "profile", address=address
        )


def _lockout_text(limits: AttemptLimits) -> str:
    return (
        f"After {limits.per_person} failed attempts, signing in was locked for a while. "
        "Browsers that you have signed in with before are not affected by attempts elsewhere."
    )


def _was_notified_today(session: Session, person_id: int, now: datetime) -> bool:
    """Return whether the user was notified within a day, so attempts can't flood the notices."""
    sent = select(Notice.id).where(
        Notice.person_id == person_id,
        Notice.text.like("After % failed attempts%"),
        Notice.at > now - timedelta(days=1),
    )
    return session.scalar(sent.limit(1)) is not None
