"""What is behind the bell: short notices for one person. Never commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.accounts.models import Notice, Person
from core.accounts.rules import Acting, Right, Role
from core.accounts.verbs import verb

SHOWN = 30


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as it is read."""

    id: int
    at: datetime
    text: str  # may hold text from outside: escape it where it is shown
    page: str | None
    is_read: bool


def tell(session: Session, person_ids: Sequence[int], words: str, page: str | None = None) -> None:
    """Put a notice behind the bell of each person."""
    session.add_all(Notice(person_id=number, text=words[:500], page=page) for number in person_ids)
    session.flush()


def tell_admins(session: Session, team_id: int, words: str, page: str | None = None) -> None:
    """Put a notice behind the bell of each active administrator of a team."""
    admins = select(Person.id).where(
        Person.team_id == team_id, Person.role == Role.ADMIN.value, Person.state == "active"
    )
    tell(session, session.scalars(admins).all(), words, page)


@verb(Right.SELF)
def count_unread(session: Session, acting: Acting) -> int:
    """Return how many notices the person has not read."""
    unread = select(func.count()).where(
        Notice.person_id == acting.person_id, Notice.read_at.is_(None)
    )
    return session.scalar(unread) or 0


@verb(Right.SELF)
def newest(session: Session, acting: Acting, limit: int = SHOWN) -> list[Told]:
    """Return the person's notices, newest first."""
    rows = session.scalars(
        select(Notice)
        .where(Notice.person_id == acting.person_id)
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    return [Told(row.id, row.at, row.text, row.page, row.read_at is not None) for row in rows]


@verb(Right.SELF)
def mark_read(session: Session, acting: Acting, up_to: int) -> int:
    """Mark the person's notices up to an id as read; return how many were not."""
    marked = session.execute(
        update(Notice)
        .where(Notice.person_id == acting.person_id, Notice.id <= up_to, Notice.read_at.is_(None))
        .values(read_at=func.now())
        .returning(Notice.id)
    )
    return len(marked.all())
