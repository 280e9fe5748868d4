"""Tables of price caps, and of from when on each holds."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Float, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class PriceCap(Base):
    """The price limits that a team set for a product."""

    __tablename__ = "price_cap"

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    floor: Mapped[int | None] = mapped_column(BigInteger)
    ceiling: Mapped[int | None] = mapped_column(BigInteger)
    step_percent: Mapped[float] = mapped_column(Float, server_default=text("15"))


class PriceCapChange(Base):
    """From when on a product's limits hold, until the next row. Before the first: no limits."""

    __tablename__ = "price_cap_change"

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    floor: Mapped[int | None] = mapped_column(BigInteger)
    ceiling: Mapped[int | None] = mapped_column(BigInteger)
