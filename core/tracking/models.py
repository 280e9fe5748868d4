"""Tables of who tracks what, and of when each product is checked next."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class Tracking(Base):
    """One person tracks one product. Pausing or removing affects only this row."""

    __tablename__ = "tracking"
    __table_args__ = (
        UniqueConstraint("person_id", "product_id", postgresql_include=["role"]),
        Index("ix_tracking_team_product", "team_id", "product_id"),
        Index(
            "uq_tracking_team_first",
            "team_id",
            "product_id",
            unique=True,
            postgresql_where=text("is_first"),
            postgresql_include=["role"],
        ),
        # A team's own products among very many.
        Index(
            "ix_tracking_team_role",
            "team_id",
            "role",
            "product_id",
            postgresql_where=text("is_first"),
        ),
        Index("ix_tracking_product", "product_id"),
        Index("ix_tracking_tags", "tags", postgresql_using="gin"),
        Index(
            "ix_tracking_paused",
            "person_id",
            "product_id",
            postgresql_where=text("paused_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id"))
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE")
    )
    role: Mapped[str] = mapped_column(Text, server_default="watched")
    cadence: Mapped[str] = mapped_column(Text, server_default="daily")
    # Of a team's rows for a product, the one that the team's list shows.
    is_first: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    is_primary: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    note: Mapped[str | None] = mapped_column(Text)
    price_change_percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 2))
    rank_change_percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 2))
    paused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class FetchSchedule(Base):
    """When a product is due, and which run fetches it. A product without a row is not fetched.

    `priority` 0 is a user's request, 1 the regular check. The run `fetch_run_id` has the
    lease until `leased_until`; after that, any run may take it.
    """

    __tablename__ = "fetch_schedule"
    __table_args__ = (
        Index("ix_fetch_schedule_due", "provider", "priority", "due_at"),
        Index("ix_fetch_schedule_batch", "provider", "marketplace", "priority", "due_at"),
        # A lease changes no indexed column and fits on its page, so no index is written.
        {"postgresql_with": {"fillfactor": 60}},
    )

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    provider: Mapped[str] = mapped_column(Text)  # who fetches it: Apify, or the demo market
    marketplace: Mapped[str] = mapped_column(Text)  # the product's: a batch has only one
    cadence_minutes: Mapped[int] = mapped_column(Integer)
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    fetch_run_id: Mapped[int | None] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    looked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_outcome: Mapped[str | None] = mapped_column(Text)
    requested_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
