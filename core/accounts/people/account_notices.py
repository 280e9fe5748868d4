"""Account notices: short texts about a user's account, shown behind the bell. Never commits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Role
from core.accounts.models import Notice, Person
from core.database.session import call_after_commit

MAX_SHOWN = 30
EMAIL_DELAY = timedelta(minutes=5)  # users who are on the pages read notices there
MAX_EMAIL_AGE = timedelta(days=1)  # so that a newly configured mail server sends no old notices


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """A notice."""

    id: int
    at: datetime
    text: str  # may contain text from outside: escape it for display
    page: str | None
    is_read: bool


_wakers: list[Callable[[], object]] = []


def set_security_email_waker(wake: Callable[[], object]) -> None:
    """Set how this process wakes the worker that sends security emails, once it has the queue.

    Without one they are sent in the worker's next round, within a minute.
    """
    _wakers[:] = [wake]


def _wake_for_security_email() -> None:
    for wake in _wakers:
        wake()


def notify(
    session: Session, person_ids: Sequence[int], notice: str, page: str | None = None
) -> None:
    """Add a notice for each user. `page`: where to read more."""
    session.add_all(Notice(person_id=number, text=notice[:500], page=page) for number in person_ids)
    session.flush()


def notify_security(
    session: Session,
    person_id: int,
    notice: str,
    page: str | None = None,
    *,
    address: str | None = None,
    browser: str | None = None,
    mail: str | None = None,
) -> None:
    """Add a notice that is also emailed at once, whatever the user's preferences.

    The worker is woken when the caller's transaction is committed.

    `address`, `browser`: where it came from. `mail`: where to, if not to the account's address.
    """
    person = session.get_one(Person, person_id)
    origin = ", ".join(filter(None, (address, browser)))
    session.add(
        Notice(
            person_id=person_id,
            text=notice[:500],
            page=page,
            security_mail=None if person.is_demo else mail or person.mail,
            origin=origin[:300] or None,
        )
    )
    session.flush()
    call_after_commit(session, _wake_for_security_email)


def notify_admins(session: Session, team_id: int, notice: str, page: str | None = None) -> None:
    """Add a notice for each active admin of a team."""
    admins = select(Person.id).where(
        Person.team_id == team_id, Person.role == Role.ADMIN.value, Person.state == "active"
    )
    notify(session, session.scalars(admins).all(), notice, page)


@requires(Permission.SELF)
def list_notices(
    session: Session, principal: Principal, limit: int = MAX_SHOWN
) -> list[AccountNotice]:
    """Return the user's notices, newest first."""
    rows = session.scalars(
        select(Notice)
        .where(Notice.person_id == principal.person_id)
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    return [
        AccountNotice(row.id, row.at, row.text, row.page, row.read_at is not None) for row in rows
    ]


@requires(Permission.SELF)
def mark_notices_read(session: Session, principal: Principal, up_to: int) -> int:
    """Mark the user's notices up to an id as read; return how many were unread."""
    marked = session.execute(
        update(Notice)
        .where(
            Notice.person_id == principal.person_id, Notice.id <= up_to, Notice.read_at.is_(None)
        )
        .values(read_at=func.now())
        .returning(Notice.id)
    )
    return len(marked.all())


_CLAIM = """
UPDATE notice n SET mailed_at = :now
FROM person p
WHERE p.id = n.person_id AND n.mailed_at IS NULL AND n.read_at IS NULL
    AND n.security_mail IS NULL AND n.at <= :until AND n.at > :since
    AND p.state = 'active' AND NOT p.is_demo AND p.mail IS NOT NULL
    AND COALESCE(p.preferences ->> 'mails', 'true') = 'true'
RETURNING p.mail, n.text, n.id
"""


def claim_unsent_emails(session: Session, now: datetime) -> dict[str, list[str]]:
    """Return the unread notices to email by address, oldest first, and mark them as emailed.

    Only users who want emails, and notices unread for EMAIL_DELAY. They are marked before
    they are sent: a crash in between loses an email, while the notice stays on the pages;
    marking them afterwards could send an email twice.
    """
    values = {"now": now, "until": now - EMAIL_DELAY, "since": now - MAX_EMAIL_AGE}
    rows = session.execute(text(_CLAIM), values).all()
    notices: dict[str, list[str]] = {}
    for mail, notice, _ in sorted(rows, key=lambda row: row[2]):
        notices.setdefault(mail, []).append(notice)
    return notices


@dataclass(frozen=True, slots=True)
class SecurityNotice:
    """A security notice to email. `zone`: the user's. `origin`: network address and browser."""

    id: int
    to: str
    at: datetime
    zone: str
    text: str
    origin: str | None


_UNSENT_SECURITY = """
SELECT n.id, n.security_mail, n.at, COALESCE(p.time_zone, t.time_zone), n.text, n.origin
FROM notice n JOIN person p ON p.id = n.person_id JOIN team t ON t.id = p.team_id
WHERE n.security_mail IS NOT NULL AND n.mailed_at IS NULL AND n.at > :since
    AND p.state = 'active'
ORDER BY n.at, n.id
LIMIT 500
"""


def list_unsent_security(session: Session, now: datetime) -> list[SecurityNotice]:
    """Return the security notices of the last day that are not emailed yet, oldest first."""
    rows = session.execute(text(_UNSENT_SECURITY), {"since": now - MAX_EMAIL_AGE})
    return [SecurityNotice(*row) for row in rows]


def mark_security_emailed(session: Session, notice_id: int, now: datetime) -> None:
    """Mark a security notice as emailed, and forget where to and where it came from."""
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id)
        .values(mailed_at=now, security_mail=None, origin=None)
    )
