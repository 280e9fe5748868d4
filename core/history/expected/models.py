"""The table of expected values."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class ExpectedValueRow(Base):
    """A value that a team approved for a field of a product, or that undoing it restores.

    `value` has the form that `rules.ExpectedValue` describes. `action_id` is the suggestion's
    action, whose table this package doesn't know.
    """

    __tablename__ = "expected_value"
    __table_args__ = (
        UniqueConstraint("action_id", "is_undo"),
        Index("ix_expected_value_product", "team_id", "product_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"))
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE")
    )
    field: Mapped[str] = mapped_column(Text)
    value: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))  # NULL: none
    state: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # the approval
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    action_id: Mapped[int] = mapped_column(BigInteger)
    is_undo: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
