"""Account notices: short texts about a user's account, shown behind the bell. Never commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Role
from core.accounts.models import Notice, Person

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


def notify(
    session: Session, person_ids: Sequence[int], notice: str, page: str | None = None
) -> None:
    """Add a notice for each user. `page`: where to read more."""
    session.add_all(Notice(person_id=number, text=notice[:500], page=page) for number in person_ids)
    session.flush()


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
    AND n.at <= :until AND n.at > :since
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
