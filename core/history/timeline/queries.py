"""SELECTs of one product's history: arrays for charts, rows for tables.

Times are always bounded below, so that only the partitions of the period are opened.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.catalog.models import ListingVersion
from core.database.columnar_read import (
    Arrays,
    Column,
    ColumnQuery,
    read_columns,
    read_columns_many,
)
from core.history.observation import Kind, Seen, Source

if TYPE_CHECKING:
    pass

MOST_SNAPSHOT_DAYS = 400  # longer periods are read by day: there are fewer pixels than points
_DEAL = int(Seen.DEAL)

# Four small columns in one, as first bit and width: packing each takes a tenth of the read's time.
MARKS = {"kind": (0, 4), "flags": (4, 20), "availability": (24, 8), "seen": (32, 31)}
_HISTORY = [
    Column("captured_at", "captured_at", "time"),
    Column(
        "marks",
        f"kind::int8 | (flags::int8 << {MARKS['flags'][0]}) "
        f"| (COALESCE(availability, 0)::int8 << {MARKS['availability'][0]}) "
        f"| (seen::int8 << {MARKS['seen'][0]})",
        "long",
    ),
    Column("price", "price"),
    Column("list_price", "list_price"),
    Column("bsr", "bsr", "small"),
    Column("bsr_category", "COALESCE(bsr_category_id, -1)", "int"),
    Column("rating", "rating", "tiny"),
    Column("ratings_count", "ratings_count", "small"),
]

_EXTRA = [
    Column("new_price", "new_price"),
    Column("used_price", "used_price"),
    Column("coupon_amount", "coupon_amount"),
    Column("coupon_percent", "coupon_percent", "tiny"),
    Column("offers_new", "offers_new", "small"),
    Column("sub_rank", "sub_rank", "small"),
    Column("sub_category", "COALESCE(sub_category_id, -1)", "int"),
]

_ALWAYS = ("captured_at", "marks")
HISTORY_COLUMNS = tuple(column.name for column in _HISTORY if column.name not in _ALWAYS)

_DAYS = [
    Column("day", "day", "day"),
    *(
        Column(name, name)
        for name in (
            "price_open",
            "price_low",
            "price_high",
            "price_close",
            "list_price",
            "bsr_open",
            "bsr_best",
            "bsr_worst",
            "bsr_close",
        )
    ),
    Column("bsr_category", "COALESCE(bsr_category_id, -1)", "int"),
    Column("rating", "rating"),
    Column("ratings_count", "ratings_count"),
    Column("in_stock_share", "in_stock_share", "share"),
    Column("availability", "COALESCE(availability_close, 0)", "int"),
    Column("looks", "looks", "int"),
]


_SNAPSHOTS = (
    "FROM snapshot WHERE product_id = %(id)s AND captured_at >= %(since)s "
    "AND captured_at < %(until)s ORDER BY captured_at, source"
)
# Only a change holds into the period: a sample holds for hours at most.
_LAST_CHANGE = (
    "FROM (SELECT * FROM snapshot WHERE product_id = %(id)s AND captured_at < %(since)s "
    "AND captured_at >= %(first)s ORDER BY captured_at DESC, source DESC LIMIT 1) AS newest "
    "WHERE kind = %(change)s"
)
_DELETED = ColumnQuery(
    [Column("day", "day", "day")],
    "FROM product_daily WHERE product_id = %(id)s AND day >= %(since_day)s AND is_sealed LIMIT 1",
)


def snapshot_columns(
    session: Session,
    product_id: int,
    since: datetime,
    until: datetime,
    first_day: date | None,
    columns: Collection[str] = HISTORY_COLUMNS,
) -> Arrays | None:
    """Return a product's snapshots from `since` to before `until`, oldest first.

    None if the period must be read by day (`daily_columns`): it is long, or some of its
    snapshots were deleted.

    `first_day`: the product's first day; nothing is read before it. None: never observed.
    `columns`: which of the columns from price on.

    Columns: captured_at (datetime64[us], UTC); kind, seen, flags (int64);
    price, list_price (float64, minor units), bsr, rating (tenths), ratings_count
    (float64), all NaN where none or unknown; bsr_category (int64,
    -1 none); availability (int64, 0 unknown).
    A state that holds from an earlier change comes first, at `since` itself.
    """
    if until - since > timedelta(days=MOST_SNAPSHOT_DAYS):
        return None
    chosen = [each for each in _HISTORY if each.name in {*_ALWAYS, *columns}]
    parts = [_DELETED, ColumnQuery(chosen, _SNAPSHOTS)]
    first = None if first_day is None else _earliest_start(first_day)
    if first is not None and first < since:
        parts.append(ColumnQuery(chosen, _LAST_CHANGE))
    values = {
        "id": product_id,
        "since": since,
        "until": until,
        "since_day": since.astimezone(UTC).date(),
        "first": first,
        "change": int(Kind.CHANGE),
    }
    deleted, snapshots, *earlier = read_columns_many(session, parts, values)
    if len(deleted["day"]):
        return None
    return _with_marks(_with_initial_state(earlier, snapshots, since))


def extra_columns(
    session: Session,
    product_id: int,
    since: datetime,
    until: datetime,
    first_day: date,
    columns: Collection[str],
) -> Arrays:
    """Return what charts show on request, by snapshot however long the period is, oldest first.

    `columns`: of the history and of `_EXTRA`. Besides them captured_at, kind, seen, flags and
    availability as `snapshot_columns` has them. Deleted snapshots are missing. Reads the table
    itself.
    """
    chosen = [each for each in [*_HISTORY, *_EXTRA] if each.name in {*_ALWAYS, *columns}]
    first = min(_earliest_start(first_day), since)
    parts = [ColumnQuery(chosen, _SNAPSHOTS), ColumnQuery(chosen, _LAST_CHANGE)]
    values = {
        "id": product_id,
        "since": since,
        "until": until,
        "first": first,
        "change": int(Kind.CHANGE),
    }
    snapshots, earlier = read_columns_many(session, parts, values)
    return _with_marks(_with_initial_state([earlier], snapshots, since))


_DEAL_ROWS = [Column("captured_at", "captured_at", "time"), Column("deal_price", "deal_price")]
_RANK_ROWS = [
    Column("captured_at", "captured_at", "time"),
    Column("category", "category_id", "int"),
    Column("rank", "rank", "int"),
]


def deal_columns(session: Session, product_id: int, since: datetime, until: datetime) -> Arrays:
    """Return the snapshots of a period with a deal, oldest first: captured_at, deal_price.

    Reads an index of deals alone, so that years cost little.
    """
    return read_columns(
        session,
        _DEAL_ROWS,
        "FROM snapshot WHERE product_id = %(id)s AND captured_at >= %(since)s "
        "AND captured_at < %(until)s AND deal_price IS NOT NULL ORDER BY captured_at, source",
        {"id": product_id, "since": since, "until": until},
    )


def further_rank_columns(
    session: Session, product_id: int, since: datetime, until: datetime
) -> Arrays:
    """Return a period's ranks beyond the main and the first sub rank, oldest first.

    Columns: captured_at, category (its id), rank.
    """
    return read_columns(
        session,
        _RANK_ROWS,
        "FROM snapshot_rank WHERE product_id = %(id)s AND captured_at >= %(since)s "
        "AND captured_at < %(until)s ORDER BY captured_at, source",
        {"id": product_id, "since": since, "until": until},
    )


def _earliest_start(day: date) -> datetime:
    """Return a time before the day's start on every marketplace: 14 h before UTC's."""
    return datetime.combine(day, time(), UTC) - timedelta(hours=14)


def _with_initial_state(earlier: Sequence[Arrays], snapshots: Arrays, since: datetime) -> Arrays:
    """Return the snapshots of a period after its initial state, which is moved to `since`."""
    if not earlier or not len(earlier[0]["captured_at"]):
        return snapshots
    at = np.array([since.astimezone(UTC).replace(tzinfo=None)], dtype="M8[us]")
    before = earlier[0] | {"captured_at": at}
    return {name: np.concatenate([before[name], snapshots[name]]) for name in snapshots}


def _with_marks(arrays: Arrays) -> Arrays:
    """Return the columns with `marks` replaced by the four columns that it packs."""
    marks = arrays.pop("marks")
    for name, (first, bits) in MARKS.items():
        arrays[name] = (marks >> first) & ((1 << bits) - 1)
    return arrays


def daily_columns(session: Session, product_id: int, since_day: date, until_day: date) -> Arrays:
    """Return the days of a product, both ends included, oldest first.

    Columns: day (datetime64[us], midnight without a zone: the marketplace's day);
    price_open, price_low, price_high, price_close, list_price (float64, minor units);
    bsr_open, bsr_best, bsr_worst, bsr_close, rating (tenths), ratings_count (float64);
    bsr_category (int64, -1 none); in_stock_share (float64, 0–1); availability (int64, the
    day's last, 0 unknown); looks (int64, 0:
    carried forward). NaN where none or unknown.
    """
    return read_columns(
        session,
        _DAYS,
        "FROM product_daily WHERE product_id = %(id)s AND day >= %(since)s AND day <= %(until)s "
        "ORDER BY day",
        {"id": product_id, "since": since_day, "until": until_day},
    )


_TABLE = (
    "captured_at, source, outcome, flags, seen, price, price_basis, list_price, buy_box_price, "
    "buy_box_seller, buy_box_seller_id, deal_price, coupon_amount, coupon_percent, bsr, "
    "bsr_category_id, sub_rank, rating, ratings_count, reviews_count, availability, stock_left, "
    "offers_new, currency, unreadable"
)
_OF_PERIOD = (
    "FROM snapshot WHERE product_id = :id AND captured_at >= :since AND captured_at < :until"
)


def count_snapshots(session: Session, product_id: int, since: datetime, until: datetime) -> int:
    """Return how many snapshots a period holds."""
    values = {"id": product_id, "since": since, "until": until}
    return int(session.execute(text(f"SELECT count(*) {_OF_PERIOD}"), values).scalar_one())


def snapshot_page(
    session: Session,
    product_id: int,
    since: datetime,
    until: datetime,
    *,
    offset: int = 0,
    limit: int | None = 100,
) -> list[dict[str, Any]]:
    """Return stored snapshots, newest first; `limit` None: all of the period."""
    order = "ORDER BY captured_at DESC, source LIMIT :limit OFFSET :offset"
    statement = f"SELECT {_TABLE} {_OF_PERIOD} {order}"
    values = {
        "id": product_id,
        "since": since,
        "until": until,
        "limit": limit,
        "offset": offset,
    }
    return [dict(row._mapping) for row in session.execute(text(statement), values)]


@dataclass(frozen=True, slots=True)
class ListingText:
    """A listing's text from `first_seen_at` on."""

    first_seen_at: datetime
    source: Source
    title: str | None
    brand: str | None
    bullets: tuple[str, ...]
    description: str | None
    image_count: int


def listing_versions(session: Session, product_id: int, limit: int = 50) -> list[ListingText]:
    """Return the newest versions of a listing, newest first."""
    statement = (
        ListingVersion.__table__.select()
        .where(ListingVersion.product_id == product_id)
        .order_by(ListingVersion.first_seen_at.desc())
        .limit(limit)
    )
    return [
        ListingText(
            first_seen_at=row.first_seen_at,
            source=Source(row.source),
            title=row.title,
            brand=row.brand,
            bullets=tuple(row.bullets),
            description=row.description,
            image_count=len(row.images),
        )
        for row in session.execute(statement)
    ]


def listing_changes(session: Session, product_id: int, since: datetime) -> list[datetime]:
    """Return when the listing changed from `since` on, oldest first, without its first version."""
    statement = text(
        "SELECT first_seen_at FROM listing_version WHERE product_id = :id "
        "AND first_seen_at >= :since AND first_seen_at > (SELECT min(first_seen_at) "
        "FROM listing_version WHERE product_id = :id) ORDER BY first_seen_at"
    )
    found: Sequence[datetime] = session.scalars(statement, {"id": product_id, "since": since}).all()
    return list(found)
