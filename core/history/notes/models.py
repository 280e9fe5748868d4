"""The table of notes on products."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class ProductNote(Base):
    """A user's note on a product, at the time that it is about. The whole team sees it."""

    __tablename__ = "product_note"
    __table_args__ = (Index("ix_product_note_product", "team_id", "product_id", "noted_at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE")
    )
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id"))
    noted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # what it is about
    body: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
