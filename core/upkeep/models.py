"""Tables of job runs and of values that the installation keeps."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class JobRun(Base):
    """One run of a job, for the Health page. State: running → done, failed or lost."""

    __tablename__ = "job_run"
    __table_args__ = (Index("ix_job_run_started_at", text("started_at DESC")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    job: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    note: Mapped[str | None] = mapped_column(Text)  # what it did, in a sentence
    error: Mapped[str | None] = mapped_column(Text)
    process: Mapped[str | None] = mapped_column(Text)  # host and process id


class Setting(Base):
    """A value that the installation keeps between starts, by name."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)
