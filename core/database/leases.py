"""Leases: who does something just now, and until when. By the database's clock. Never commits.

A lease ends by itself, so that nobody who died or hangs stops others. It is renewed only
by its holder: who slept beyond its end finds out that another has it now.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import DateTime, Text, Uuid, delete, func, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database.session import Base
from core.errors import AmazcopeError

LEASE_TERM: Final = timedelta(seconds=20)  # of a lease or claim; renewed four times within it


class LeaseLostError(AmazcopeError):
    """The claim on some work ended, and another worker went on with it."""


class Lease(Base):
    """Who holds a name, until when; a row whose time is over counts for nothing."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[UUID] = mapped_column(Uuid)
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def take_lease(session: Session, name: str, holder: UUID, term: timedelta) -> bool:
    """Take a lease where nobody has it; return whether it is the holder's now."""
    new = insert(Lease).values(name=name, holder=holder, until=func.clock_timestamp() + term)
    taken = new.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": new.excluded.holder, "until": new.excluded.until},
        where=or_(
            Lease.until <= func.clock_timestamp(),
            # The clock was ahead when this one was given, and is right again.
            Lease.until > func.clock_timestamp() + term,
        ),
    )
    return session.execute(taken.returning(Lease.name)).first() is not None


def renew_lease(session: Session, name: str, holder: UUID, term: timedelta) -> bool:
    """Renew a lease; False when another has it by now."""
    renewed = (
        update(Lease)
        .where(Lease.name == name, Lease.holder == holder)
        .values(until=func.clock_timestamp() + term)
    )
    return session.execute(renewed.returning(Lease.name)).first() is not None


def end_lease(session: Session, name: str, holder: UUID) -> None:
    """Give a lease back, unless another has it by now."""
    session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
