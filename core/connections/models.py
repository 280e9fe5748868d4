"""Table of the connections, one row by name."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class Connection(Base):
    """A connection's encrypted values, and its last test.

    A test may also be of values that the environment sets: `sealed` is None then.
    """

    __tablename__ = "connection"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    changed_by: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="SET NULL")
    )
    tested_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    tested_values: Mapped[bytes | None] = mapped_column(LargeBinary)  # their keyed hash
    is_working: Mapped[bool | None] = mapped_column(Boolean)
    answer: Mapped[str | None] = mapped_column(Text)  # of the test, in a sentence
