"""Tables of products: identity, text, listing versions, latest values."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class Product(Base):
    """An ASIN in a marketplace. Shared by all teams."""

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("marketplace", "asin"),
        Index("ix_product_marketplace", "marketplace", "id"),
        Index("ix_product_asin_prefix", text("asin text_pattern_ops")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    marketplace: Mapped[str] = mapped_column(Text)
    asin: Mapped[str] = mapped_column(Text)
    is_demo: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ProductText(Base):
    """A product's text for search. Not in `product`, because it changes with the listing."""

    __tablename__ = "product_text"
    __table_args__ = (
        Index("ix_product_text_words", "words", postgresql_using="gin"),
        Index("ix_product_text_pairs", "pairs", postgresql_using="gin"),
        # A title may be longer than the largest index entry.
        Index("ix_product_text_title", text("lower(left(title, 60))"), "product_id"),
    )

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    title: Mapped[str | None] = mapped_column(Text)
    brand: Mapped[str | None] = mapped_column(Text)
    image: Mapped[str | None] = mapped_column(Text)  # address of the first image
    words: Mapped[str | None] = mapped_column(TSVECTOR)
    pairs: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # for scripts without spaces


class ListingVersion(Base):
    """A listing's text and images; a new row only when the content changes."""

    __tablename__ = "listing_version"
    __table_args__ = (
        Index("ix_listing_version_product", "product_id", text("first_seen_at DESC")),
        UniqueConstraint("product_id", "first_seen_at", "content_hash"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE")
    )
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    title: Mapped[str | None] = mapped_column(Text)
    brand: Mapped[str | None] = mapped_column(Text)
    bullets: Mapped[list[str]] = mapped_column(ARRAY(Text))
    description: Mapped[str | None] = mapped_column(Text)
    category_path: Mapped[list[str]] = mapped_column(ARRAY(Text))
    images: Mapped[list[str]] = mapped_column(ARRAY(Text))
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    source: Mapped[int] = mapped_column(SmallInteger)
    first_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Category(Base):
    """The name of a category in a marketplace, as rank lists write it."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("marketplace", "name"),)

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    marketplace: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)


class ProductLatest(Base):
    """The newest accepted values, which lists sort and filter by; one row per product.

    Each group of values has its own time: if a source does not report a rank, the older
    rank stays, with its time. `core.history.ingest.latest_values` reads and writes many rows at
    once, as `LatestValues`.
    """

    __tablename__ = "product_latest"
    __table_args__ = (
        # Lists are read along one of these; the id breaks ties, so that pages don't overlap.
        Index("ix_product_latest_price", "price", "product_id"),
        Index("ix_product_latest_bsr", "bsr", "product_id"),
        Index("ix_product_latest_rating", "rating", "product_id"),
        Index("ix_product_latest_ratings_count", "ratings_count", "product_id"),
        Index("ix_product_latest_captured_at", "captured_at", "product_id"),
        Index("ix_product_latest_availability", "availability", "product_id"),
        Index("ix_product_latest_flags", "product_id", postgresql_where=text("flags <> 0")),
    )

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    data_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    captured_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    listing_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    listing_source: Mapped[int | None] = mapped_column(SmallInteger)
    listing_changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Until when a change may hold into a day: its own time while it is the newest snapshot,
    # then the end of the day of the first observation after it. None: never a change.
    carried_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    flags: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    pending: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # the unconfirmed values
    # Fields that could not be read last: {"bsr": {"text": …, "at": …}}. NULL: none.
    unreadable: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    price: Mapped[int | None] = mapped_column(BigInteger)
    price_basis: Mapped[int | None] = mapped_column(SmallInteger)
    list_price: Mapped[int | None] = mapped_column(BigInteger)
    buy_box_price: Mapped[int | None] = mapped_column(BigInteger)
    coupon_amount: Mapped[int | None] = mapped_column(BigInteger)
    coupon_percent: Mapped[int | None] = mapped_column(SmallInteger)
    price_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    bsr: Mapped[int | None] = mapped_column(Integer)
    bsr_category_id: Mapped[int | None] = mapped_column(Integer)
    bsr_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    rating: Mapped[int | None] = mapped_column(SmallInteger)
    ratings_count: Mapped[int | None] = mapped_column(Integer)
    reviews_count: Mapped[int | None] = mapped_column(Integer)
    rating_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    availability: Mapped[int | None] = mapped_column(SmallInteger)
    stock_left: Mapped[int | None] = mapped_column(Integer)
    buy_box_seller: Mapped[str | None] = mapped_column(Text)
    # Of the same seller as the name; NULL: not reported, or none.
    buy_box_seller_id: Mapped[str | None] = mapped_column(Text)
    availability_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
