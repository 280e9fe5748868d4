"""Tables of observations: snapshots, further ranks, days."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, REAL
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base

# The key's index includes what charts read, so that a year of one product is one index
# range and not 8,760 visits of a heap ordered by time.
CHART_COLUMNS = (
    "kind",
    "seen",
    "flags",
    "price",
    "list_price",
    "buy_box_price",
    "bsr",
    "bsr_category_id",
    "rating",
    "ratings_count",
    "availability",
)


class Snapshot(Base):
    """One stored observation. Values are never edited; the quality gate sets `flags`.

    Amounts are minor units of `currency`. If that is not the marketplace's, the snapshot is
    flagged and its amounts are not comparable. `unreadable` maps the fields that could not
    be read to their texts; NULL: none.
    """

    __tablename__ = "snapshot"
    __table_args__ = (
        PrimaryKeyConstraint(
            "product_id", "captured_at", "source", postgresql_include=list(CHART_COLUMNS)
        ),
        Index(
            "ix_snapshot_unreadable",
            "captured_at",
            postgresql_where=text("unreadable IS NOT NULL"),
        ),
        # Years of deals are read for a chart: few snapshots have one.
        Index(
            "ix_snapshot_deal",
            "product_id",
            "captured_at",
            postgresql_include=["deal_price"],
            postgresql_where=text("deal_price IS NOT NULL"),
        ),
        {"postgresql_partition_by": "RANGE (captured_at)"},
    )

    product_id: Mapped[int] = mapped_column(BigInteger)
    captured_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    source: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[int] = mapped_column(SmallInteger)
    seen: Mapped[int] = mapped_column(Integer)
    unreadable: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    flags: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    price: Mapped[int | None] = mapped_column(BigInteger)
    price_basis: Mapped[int | None] = mapped_column(SmallInteger)
    list_price: Mapped[int | None] = mapped_column(BigInteger)
    buy_box_price: Mapped[int | None] = mapped_column(BigInteger)
    buy_box_shipping: Mapped[int | None] = mapped_column(BigInteger)
    buy_box_seller: Mapped[str | None] = mapped_column(Text)
    buy_box_seller_id: Mapped[str | None] = mapped_column(Text)
    amazon_price: Mapped[int | None] = mapped_column(BigInteger)
    new_price: Mapped[int | None] = mapped_column(BigInteger)
    new_fba_price: Mapped[int | None] = mapped_column(BigInteger)
    used_price: Mapped[int | None] = mapped_column(BigInteger)
    deal_price: Mapped[int | None] = mapped_column(BigInteger)
    coupon_amount: Mapped[int | None] = mapped_column(BigInteger)
    coupon_percent: Mapped[int | None] = mapped_column(SmallInteger)
    fulfilment: Mapped[int | None] = mapped_column(SmallInteger)
    bsr: Mapped[int | None] = mapped_column(Integer)
    bsr_category_id: Mapped[int | None] = mapped_column(Integer)
    sub_rank: Mapped[int | None] = mapped_column(Integer)
    sub_category_id: Mapped[int | None] = mapped_column(Integer)
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    ratings_count: Mapped[int | None] = mapped_column(Integer)
    reviews_count: Mapped[int | None] = mapped_column(Integer)
    availability: Mapped[int | None] = mapped_column(SmallInteger)
    stock_left: Mapped[int | None] = mapped_column(Integer)
    offers_new: Mapped[int | None] = mapped_column(Integer)
    offers_used: Mapped[int | None] = mapped_column(Integer)
    fetch_run_id: Mapped[int | None] = mapped_column(BigInteger)
    import_run_id: Mapped[int | None] = mapped_column(BigInteger)


class SnapshotRank(Base):
    """Every category rank of a snapshot beyond its main and first sub rank."""

    __tablename__ = "snapshot_rank"
    __table_args__ = (
        PrimaryKeyConstraint(
            "product_id", "captured_at", "source", "category_id", postgresql_include=["rank"]
        ),
        {"postgresql_partition_by": "RANGE (captured_at)"},
    )

    product_id: Mapped[int] = mapped_column(BigInteger)
    captured_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    source: Mapped[int] = mapped_column(SmallInteger)
    category_id: Mapped[int] = mapped_column(Integer)
    rank: Mapped[int] = mapped_column(Integer)


class ProductDaily(Base):
    """A product's day, by the clock of its marketplace, without flagged values."""

    __tablename__ = "product_daily"
    __table_args__ = (PrimaryKeyConstraint("product_id", "day"),)

    product_id: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[date] = mapped_column(Date)
    price_open: Mapped[int | None] = mapped_column(BigInteger)
    price_low: Mapped[int | None] = mapped_column(BigInteger)
    price_high: Mapped[int | None] = mapped_column(BigInteger)
    price_close: Mapped[int | None] = mapped_column(BigInteger)
    list_price: Mapped[int | None] = mapped_column(BigInteger)  # at the close
    bsr_open: Mapped[int | None] = mapped_column(Integer)
    bsr_best: Mapped[int | None] = mapped_column(Integer)
    bsr_worst: Mapped[int | None] = mapped_column(Integer)
    bsr_close: Mapped[int | None] = mapped_column(Integer)
    bsr_category_id: Mapped[int | None] = mapped_column(Integer)  # of the close
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    ratings_count: Mapped[int | None] = mapped_column(Integer)
    in_stock_share: Mapped[float | None] = mapped_column(REAL)  # 0–1; None: not reported
    availability_close: Mapped[int | None] = mapped_column(SmallInteger)  # the day's last known
    seller_close: Mapped[str | None] = mapped_column(Text)  # the day's last known Buy Box seller
    looks: Mapped[int] = mapped_column(Integer)  # snapshots of the day; 0: carried forward
    is_sealed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class SnapshotCorrection(Base):
    """Since when a product's snapshots differ from those that alerts have evaluated.

    Written with a snapshot that is older than the newest, and with flags that change; deleted by
    the evaluation that replays it.
    """

    __tablename__ = "snapshot_correction"

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ProductChange(Base):
    """What changed since yesterday, over 7 and over 30 days; one row per product.

    `day` is the marketplace's day that the row holds for; NULL: not computed yet. The periods
    compare with the close of 1, 7 and 30 days before `day`. A close is, for each value, that of
    the newest day with one among that day and the 7 days before it, so that a weekly check is
    enough; NULL: none of them has a value.

    A change compares with the value of `product_latest`. It is NULL if either value is unknown, or
    if the value was not observed after that close; 0 is unchanged. A rating and the count of
    ratings are observed together, also if one of them is flagged. Prices: relative. Ranks: the
    natural logarithm of the ratio, above 0 is worse, only in the same category. Ratings: tenths
    of a star. `*_seller_changed`: from `*_seller` to another seller. A removed listing has none.

    `seller_share` is the share of the 30 days before `day` at whose close `share_seller`, who has
    the Buy Box now, had it: of the days whose seller is known, or that closed without a Buy Box.
    NULL: no such day. Both are NULL without a seller now, as of a removed listing.

    `attention_kind` is the worst change since yesterday, of a product that was observed on `day`,
    and `attention` its score; 0: none. `late_since` is the earliest closed day that changed since
    the days of teams were computed; NULL: none did.
    """

    __tablename__ = "product_change"
    __table_args__ = (
        # Lists are read along it; the id breaks ties, so that pages don't overlap.
        Index(
            "ix_product_change_attention",
            "attention",
            "product_id",
            postgresql_where=text("attention > 0"),
            postgresql_include=["attention_kind"],
        ),
        Index(
            "ix_product_change_late",
            "product_id",
            postgresql_where=text("late_since IS NOT NULL"),
        ),
        # Rewritten every night and with each observation, so pages keep room for the new rows.
        {"postgresql_with": {"fillfactor": 70}},
    )

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date | None] = mapped_column(Date)
    attention: Mapped[float] = mapped_column(REAL, server_default=text("0"))
    attention_kind: Mapped[str | None] = mapped_column(Text)
    changed_on: Mapped[date | None] = mapped_column(Date)  # the last day with such a change
    late_since: Mapped[date | None] = mapped_column(Date)
    late_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # last set
    seller_share: Mapped[float | None] = mapped_column(REAL)  # 0–1
    share_seller: Mapped[str | None] = mapped_column(Text)

    day_price: Mapped[int | None] = mapped_column(BigInteger)
    day_bsr: Mapped[int | None] = mapped_column(Integer)
    day_bsr_category_id: Mapped[int | None] = mapped_column(Integer)
    day_rating: Mapped[int | None] = mapped_column(SmallInteger)
    day_ratings_count: Mapped[int | None] = mapped_column(Integer)
    day_availability: Mapped[int | None] = mapped_column(SmallInteger)
    day_seller: Mapped[str | None] = mapped_column(Text)
    day_price_change: Mapped[float | None] = mapped_column(REAL)
    day_rank_change: Mapped[float | None] = mapped_column(REAL)
    day_rating_change: Mapped[int | None] = mapped_column(SmallInteger)
    day_ratings_change: Mapped[int | None] = mapped_column(Integer)
    day_seller_changed: Mapped[bool | None] = mapped_column(Boolean)

    week_price: Mapped[int | None] = mapped_column(BigInteger)
    week_bsr: Mapped[int | None] = mapped_column(Integer)
    week_bsr_category_id: Mapped[int | None] = mapped_column(Integer)
    week_rating: Mapped[int | None] = mapped_column(SmallInteger)
    week_ratings_count: Mapped[int | None] = mapped_column(Integer)
    week_availability: Mapped[int | None] = mapped_column(SmallInteger)
    week_seller: Mapped[str | None] = mapped_column(Text)
    week_price_change: Mapped[float | None] = mapped_column(REAL)
    week_rank_change: Mapped[float | None] = mapped_column(REAL)
    week_rating_change: Mapped[int | None] = mapped_column(SmallInteger)
    week_ratings_change: Mapped[int | None] = mapped_column(Integer)
    week_seller_changed: Mapped[bool | None] = mapped_column(Boolean)

    month_price: Mapped[int | None] = mapped_column(BigInteger)
    month_bsr: Mapped[int | None] = mapped_column(Integer)
    month_bsr_category_id: Mapped[int | None] = mapped_column(Integer)
    month_rating: Mapped[int | None] = mapped_column(SmallInteger)
    month_ratings_count: Mapped[int | None] = mapped_column(Integer)
    month_availability: Mapped[int | None] = mapped_column(SmallInteger)
    month_seller: Mapped[str | None] = mapped_column(Text)
    month_price_change: Mapped[float | None] = mapped_column(REAL)
    month_rank_change: Mapped[float | None] = mapped_column(REAL)
    month_rating_change: Mapped[int | None] = mapped_column(SmallInteger)
    month_ratings_change: Mapped[int | None] = mapped_column(Integer)
    month_seller_changed: Mapped[bool | None] = mapped_column(Boolean)


class TeamChangeDay(Base):
    """How many of a team's products had a change as their worst on a day, by the marketplace.

    A day is the marketplace's, and closed. No row: none.
    """

    __tablename__ = "team_change_day"

    team_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    marketplace: Mapped[str] = mapped_column(Text, primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    products: Mapped[int] = mapped_column(Integer)


class TeamIndexDay(Base):
    """How a team's own products, or its competitors, moved on a day, in all marketplaces.

    A ratio is the median of each product's close to its close before; above 1 a price rose and a
    rank got worse. NULL: of fewer than 5 products. Products that join or leave don't move it.
    """

    __tablename__ = "team_index_day"

    team_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    price_ratio: Mapped[float | None] = mapped_column(REAL)
    price_products: Mapped[int] = mapped_column(Integer)
    rank_ratio: Mapped[float | None] = mapped_column(REAL)
    rank_products: Mapped[int] = mapped_column(Integer)


class TeamFigureDay(Base):
    """A team's products at a day's close, by role, availability and seller in the Buy Box.

    A day is the marketplace's, and closed. Of products with a value on that day.
    """

    __tablename__ = "team_figure_day"

    team_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("team.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    marketplace: Mapped[str] = mapped_column(Text, primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    availability: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  # 0: not known
    # "": not known. Only of own products: nothing is counted by others' sellers.
    seller: Mapped[str] = mapped_column(Text, primary_key=True)
    products: Mapped[int] = mapped_column(Integer)
    rated: Mapped[int] = mapped_column(Integer)  # products with a rating
    ratings_sum: Mapped[int] = mapped_column(BigInteger)  # of their ratings, in tenths of a star


class MarketDayCount(Base):
    """Through which day the days of teams include a marketplace."""

    __tablename__ = "market_day_count"

    marketplace: Mapped[str] = mapped_column(Text, primary_key=True)
    through: Mapped[date] = mapped_column(Date)
