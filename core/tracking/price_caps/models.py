"""The table of price caps."""

from sqlalchemy import BigInteger, Float, ForeignKey, text
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
