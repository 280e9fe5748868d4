"""The table of product images, and the pace of the hosts that have them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class ProductImage(Base):
    """An image that listings name, by the hash of its address, with its thumbnail."""

    __tablename__ = "product_image"
    __table_args__ = (
        UniqueConstraint("id"),
        Index(
            "ix_product_image_due",
            "next_try_at",
            postgresql_where=text("next_try_at IS NOT NULL"),
        ),
        # The sum of sizes is read from the index alone.
        Index(
            "ix_product_image_stored",
            "used_at",
            "size",
            postgresql_where=text("state = 'stored'"),
        ),
    )

    url_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # SHA-256
    id: Mapped[int] = mapped_column(BigInteger, Identity())  # in the thumbnail's address
    url: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)  # "": drawn here
    state: Mapped[str] = mapped_column(Text)
    thumbnail: Mapped[bytes | None] = mapped_column(LargeBinary)  # WebP
    size: Mapped[int | None] = mapped_column(Integer)  # of the thumbnail, bytes
    width: Mapped[int | None] = mapped_column(SmallInteger)  # of the thumbnail, px
    height: Mapped[int | None] = mapped_column(SmallInteger)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    found_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    tried_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    next_try_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # NULL: never
    reason: Mapped[str | None] = mapped_column(Text)  # why it failed or is refused
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # shown, to the day
    claimed_by: Mapped[UUID | None] = mapped_column(Uuid)
    claimed_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ImageHost(Base):
    """When a host may be asked next."""

    __tablename__ = "image_host"

    host: Mapped[str] = mapped_column(Text, primary_key=True)
    next_request_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    failures: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))  # in a row
