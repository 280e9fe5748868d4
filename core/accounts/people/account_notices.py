"""What is behind the bell: short notices for one person. Never commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Role
from core.accounts.models import Notice, Person

MAX_SHOWN = 30
EMAIL_DELAY = timedelta(minutes=5)  # who sits at the pages sees the bell and needs no mail
MAX_EMAIL_AGE = timedelta(days=1)  # a mail server that is set later writes no old news


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """A notice as it is read."""

    id: int
    at: datetime
    text: str  # may hold text from outside: escape it where it is shown
    page: str | None
    is_read: bool


def notify(
    session: Session, person_ids: Sequence[int], words: str, page: str | None = None
) -> None:
    """Put a notice behind the bell of each person."""
    session.add_all(Notice(person_id=number, text=words[:500], page=page) for number in person_ids)
    session.flush()


def notify_admins(session: Session, team_id: int, words: str, page: str | None = None) -> None:
    """Put a notice behind the bell of each active administrator of a team."""
    admins = select(Person.id).where(
        Person.team_id == team_id, Person.role == Role.ADMIN.value, Person.state == "active"
    )
    notify(session, session.scalars(admins).all(), words, page)


@requires(Permission.SELF)
def list_notices(
    session: Session, principal: Principal, limit: int = MAX_SHOWN
) -> list[AccountNotice]:
    """Return the person's notices, newest first."""
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
    """Mark the person's notices up to an id as read; return how many were not."""
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
    """Return what is to be mailed to whom, oldest first, and mark it as mailed.

    Of those who want mails, what stayed unread for a while. Marked before it is sent: a
    crash between loses a mail, and the bell still tells; the other way round it would
    come twice.
    """
    values = {"now": now, "until": now - EMAIL_DELAY, "since": now - MAX_EMAIL_AGE}
    rows = session.execute(text(_CLAIM), values).all()
    letters: dict[str, list[str]] = {}
    for mail, words, _ in sorted(rows, key=lambda row: row[2]):
        letters.setdefault(mail, []).append(words)
    return letters
