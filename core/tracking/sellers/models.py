"""The table of a team's own sellers."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class OwnSellerRow(Base):
    """A seller of the team in one marketplace: Amazon's id, the name shown there, or both."""

    __tablename__ = "own_seller"
    __table_args__ = (
        CheckConstraint("seller_id IS NOT NULL OR name IS NOT NULL", name="id_or_name"),
        Index(
            "uq_own_seller_id",
            "team_id",
            "marketplace",
            "seller_id",
            unique=True,
            postgresql_where=text("seller_id IS NOT NULL"),
        ),
        Index(
            "uq_own_seller_name",
            "team_id",
            "marketplace",
            "name",
            unique=True,
            postgresql_where=text("seller_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"))
    marketplace: Mapped[str] = mapped_column(Text)
    seller_id: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
