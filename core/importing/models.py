"""Tables of imports: the file, its progress, and a verdict for each row."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class ImportRun(Base):
    """One file or paste.

    State: offered → queued → running → done, failed or discarded.

    The bytes are kept in the database until the import ends, in pieces, so that web
    and worker need no shared disk.
    """

    __tablename__ = "import_run"
    __table_args__ = (Index("ix_import_run_team", "team_id", text("created_at DESC")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    file_hash: Mapped[bytes] = mapped_column(LargeBinary)
    file_bytes: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)  # why the file is of this kind
    preview: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    # What each column of a table is read as: column, meaning (None: not used), unreadable, rows.
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    problems: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    times: Mapped[str | None] = mapped_column(Text)  # a sentence: which time its rows get
    needs_time: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    needs_marketplace: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    needs_day_order: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    marketplace: Mapped[str | None] = mapped_column(Text)
    day_order: Mapped[str | None] = mapped_column(Text)  # day_first or month_first, as confirmed
    captured_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    is_fetched: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    role: Mapped[str] = mapped_column(Text, server_default="watched")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    rows_estimated: Mapped[int | None] = mapped_column(Integer)
    products_estimated: Mapped[int | None] = mapped_column(Integer)  # of a list: can be tracked
    rows_read: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rows_stored: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rows_known: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rows_failed: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    snapshots_stored: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    products_added: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    error: Mapped[str | None] = mapped_column(Text)
    claimed_by: Mapped[UUID | None] = mapped_column(Uuid)
    claimed_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ImportPiece(Base):
    """A piece of an uploaded file, in order; deleted when the import ends."""

    __tablename__ = "import_piece"
    __table_args__ = (PrimaryKeyConstraint("import_run_id", "number"),)

    import_run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("import_run.id", ondelete="CASCADE")
    )
    number: Mapped[int] = mapped_column(Integer)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class ImportRow(Base):
    """The verdict of one row of an import."""

    __tablename__ = "import_row"
    __table_args__ = (PrimaryKeyConstraint("import_run_id", "number"),)

    import_run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("import_run.id", ondelete="CASCADE")
    )
    number: Mapped[int] = mapped_column(Integer)  # of the row in the file, from 1
    asked: Mapped[str] = mapped_column(Text)  # the product as the row writes it, shortened
    verdict: Mapped[str] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    product_id: Mapped[int | None] = mapped_column(BigInteger)
