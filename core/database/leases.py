"""Leases: which worker does something, and until when, by the database's clock. Never commits.

A lease expires, so that a process that died or hangs does not block others. Only its
holder renews it: one that was suspended beyond its end finds that another holds it.
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
    """The claim on some work expired, and another worker continued it."""


class Lease(Base):
    """The holder of a name and when the lease expires; expired rows have no effect."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[UUID] = mapped_column(Uuid)
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def take_lease(session: Session, name: str, holder: UUID, term: timedelta) -> bool:
    """Take a lease if it is free; return whether the holder has it now."""
    new = insert(Lease).values(name=name, holder=holder, until=func.clock_timestamp() + term)
    taken = new.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": new.excluded.holder, "until": new.excluded.until},
        where=or_(
            Lease.until <= func.clock_timestamp(),
            # It was taken while the clock was ahead.
            Lease.until > func.clock_timestamp() + term,
        ),
    )
    return session.execute(taken.returning(Lease.name)).first() is not None


def renew_lease(session: Session, name: str, holder: UUID, term: timedelta) -> bool:
    """Renew a lease; False if another holder has taken it meanwhile."""
    renewed = (
        update(Lease)
        .where(Lease.name == name, Lease.holder == holder)
        .values(until=func.clock_timestamp() + term)
    )
    return session.execute(renewed.returning(Lease.name)).first() is not None


def end_lease(session: Session, name: str, holder: UUID) -> None:
    """End a lease, unless another holder has taken it meanwhile."""
    session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
