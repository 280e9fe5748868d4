"""The table of competitor sets."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class Competitor(Base):
    """A product that a team compares one of its own products with."""

    __tablename__ = "competitor"

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    competitor_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    added_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
