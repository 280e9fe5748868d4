"""What signing in reads of a person, and what it leaves behind. Never commits, never hashes."""

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
    """Somebody who may sign in with a password. `password_hash` None: with none."""

    person_id: int
    password_hash: str | None
    needs_second_factor: bool
    password_changed_at: datetime | None = None


def find_login_candidate(session: Session, mail: str, *, with_demo: bool) -> LoginCandidate | None:
    """Return the active person of a mail address, None for nobody.

    `with_demo`: also one of the demo's people, whose passwords everybody knows.
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
    """Return what opens the next door: a ticket, or the second factor's form.

    None when the person was shut out or got a new password while the old one was
    hashed. Slips are forgiven only when somebody is in: a right password alone does
    not give new tries at the second factor.
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
    """Keep a hash made with today's costs, unless the password was changed meanwhile."""
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
    """Write the attempt that locks somebody into the audit, and tell the person.

    `bucket`: the known device that is locked; None: all unknown ones are.
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
        account_notices.notify(session, [person.id], _lockout_text(limits), "profile")


def _lockout_text(limits: AttemptLimits) -> str:
    return (
        f"After {limits.per_person} failed attempts, signing in was locked for a while. "
        "Browsers that you have signed in with before are not affected by attempts elsewhere."
    )


def _was_notified_today(session: Session, person_id: int, now: datetime) -> bool:
    """Return whether the person was told today: who tries on must not flood the bell."""
    told = select(Notice.id).where(
        Notice.person_id == person_id,
        Notice.text.like("After % failed attempts%"),
        Notice.at > now - timedelta(days=1),
    )
    return session.scalar(told.limit(1)) is not None
