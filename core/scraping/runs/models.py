"""Tables of runs: their input, the outcome of each product, original items, costs."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class FetchRun(Base):
    """One run of an actor for one batch.

    State: intended → running → finished → collected, or failed. `intended` is
    committed before the request to Apify, so that a run whose id was never stored
    can be found again by its input.
    """

    __tablename__ = "fetch_run"
    __table_args__ = (
        Index(
            "ix_fetch_run_open",
            "state",
            postgresql_where=text("state IN ('intended', 'running', 'finished')"),
        ),
        Index("ix_fetch_run_intended_at", "intended_at"),
        Index(
            "uq_fetch_run_outside_run_id",
            "outside_run_id",
            unique=True,
            postgresql_where=text("outside_run_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    provider: Mapped[str] = mapped_column(Text, server_default="apify")
    actor: Mapped[str] = mapped_column(Text)
    marketplace: Mapped[str] = mapped_column(Text)
    input: Mapped[dict[str, Any]] = mapped_column(JSONB)
    input_hash: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text)
    outside_run_id: Mapped[str | None] = mapped_column(Text)
    outside_dataset_id: Mapped[str | None] = mapped_column(Text)
    outside_status: Mapped[str | None] = mapped_column(Text)
    batch_size: Mapped[int] = mapped_column(Integer)
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(12, 6))
    error: Mapped[str | None] = mapped_column(Text)
    claimed_by: Mapped[UUID | None] = mapped_column(Uuid)
    claimed_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Right before the request to start it was sent; None: it was never sent.
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    intended_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    collected_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Its checks by how they ended, counted when the run ends; None: it has not.
    answered: Mapped[int | None] = mapped_column(Integer)
    blocked: Mapped[int | None] = mapped_column(Integer)
    failed: Mapped[int | None] = mapped_column(Integer)


class FetchItem(Base):
    """One product of a run; without an outcome until its item arrives."""

    __tablename__ = "fetch_item"
    __table_args__ = (
        PrimaryKeyConstraint("fetch_run_id", "product_id"),
        Index("ix_fetch_item_product", "product_id", text("fetch_run_id DESC")),
        # Leaves room on the page for the outcome, so that storing it changes no index.
        {"postgresql_with": {"fillfactor": 60}},
    )

    fetch_run_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("fetch_run.id"))
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE")
    )
    outcome: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    parser_version: Mapped[int | None] = mapped_column(SmallInteger)
    captured_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class RawItem(Base):
    """An original item as zstd-compressed JSON. Days older than the setting are dropped.

    The server stores `body` as it is (STORAGE EXTERNAL): it doesn't compress it again.
    """

    __tablename__ = "raw_item"
    __table_args__ = (
        PrimaryKeyConstraint("fetch_run_id", "product_id", "stored_at"),
        {"postgresql_partition_by": "RANGE (stored_at)"},
    )

    fetch_run_id: Mapped[int] = mapped_column(BigInteger)
    product_id: Mapped[int] = mapped_column(BigInteger)
    stored_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    parser_version: Mapped[int] = mapped_column(Integer)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class ProviderState(Base):
    """Whether a provider can be used, for the Health page and the next round."""

    __tablename__ = "provider_state"

    provider: Mapped[str] = mapped_column(Text, primary_key=True)
    # ok, no_token, bad_token, no_credit, unreachable, refused, misconfigured
    state: Mapped[str] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    checked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    retry_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
