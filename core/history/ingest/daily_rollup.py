"""Rolls snapshots up into days, by the clock of each product's marketplace.

Samples are rolled up by the database. The values of a change series hold until the next
row, also over days without one, so they are carried forward here. Flagged values are left
out. Recomputing a day is always safe. Never commits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from core.database.bulk_write import column_types, execute_with_arrays, insert_rows
from core.database.columnar_read import Column, read_frame
from core.database.session import driver_connection
from core.history.ingest.quality_gate import (
    COUNT_FLAGS,
    LIST_PRICE_FLAGS,
    PRICE_FLAGS,
    RANK_FLAGS,
    RATING_FLAGS,
    STALE_FLAGS,
)
from core.history.models import ProductDaily
from core.history.observation import Availability, Kind

if TYPE_CHECKING:
    import pandas as pd  # imported late: of a worker's tasks only imported series need it

_IN_STOCK = (int(Availability.IN_STOCK), int(Availability.LIMITED))

_COLUMNS = column_types(ProductDaily.__table__)
del _COLUMNS["is_sealed"]  # set when the day's snapshots are deleted
_VALUES = [name for name in _COLUMNS if name not in ("product_id", "day")]
_REPLACE = (
    "ON CONFLICT (product_id, day) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _VALUES)
    + " WHERE NOT product_daily.is_sealed"
)


class ProductDay(NamedTuple):
    """A product's day, with its start and end by its marketplace's clock."""

    product_id: int
    day: date
    starts_at: datetime
    ends_at: datetime


def make_product_day(product_id: int, day: date, zone: ZoneInfo) -> ProductDay:
    """Return a day with its bounds: 23 or 25 hours apart when the clocks change."""
    return ProductDay(product_id, day, *_bounds(day, zone))


@lru_cache(maxsize=1024)
def _bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    starts_at = datetime.combine(day, time.min, zone).astimezone(UTC)
    ends_at = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    return starts_at, ends_at


def _rollup_statement() -> str:
    """Return the SQL that rolls up the samples of given days and stores the result."""
    price = f"price) FILTER (WHERE price IS NOT NULL AND flags & {PRICE_FLAGS} = 0"
    bsr = f"bsr) FILTER (WHERE bsr IS NOT NULL AND flags & {RANK_FLAGS} = 0"

    # All in the same order, so that the server sorts once for all of them.
    def list_accepted(name: str, flags: int) -> str:
        accepted = f"FILTER (WHERE {name} IS NOT NULL AND flags & {flags} = 0)"
        return f"(array_agg({name} ORDER BY captured_at, source) {accepted})"

    def find_first(name: str, flags: int) -> str:
        return f"{list_accepted(name, flags)}[1]"

    def find_last(name: str, flags: int) -> str:
        return f"{list_accepted(name, flags)}[cardinality{list_accepted(name, flags)}]"

    known = f"availability IS NOT NULL AND flags & {STALE_FLAGS} = 0"
    stock = f"avg((availability IN {_IN_STOCK})::int) FILTER (WHERE {known})"
    chosen = [
        find_first("price", PRICE_FLAGS),
        f"min({price})",
        f"max({price})",
        find_last("price", PRICE_FLAGS),
        find_last("list_price", PRICE_FLAGS | LIST_PRICE_FLAGS),
        find_first("bsr", RANK_FLAGS),
        f"min({bsr})",
        f"max({bsr})",
        find_last("bsr", RANK_FLAGS),
        find_last("bsr_category_id", RANK_FLAGS),
        find_last("rating", RATING_FLAGS),
        find_last("ratings_count", COUNT_FLAGS),
        f"{stock}::float4",
        find_last("availability", STALE_FLAGS),
        find_last("buy_box_seller", STALE_FLAGS),
        "count(*)",
    ]
    return (
        f"INSERT INTO product_daily ({', '.join(_COLUMNS)}) "
        f"SELECT d.product_id, d.day, {', '.join(chosen)} "
        "FROM unnest(%s::int8[], %s::date[], %s::timestamptz[], %s::timestamptz[]) "
        "AS d (product_id, day, starts_at, ends_at) "
        "JOIN snapshot AS s ON s.product_id = d.product_id "
        "AND s.captured_at >= d.starts_at AND s.captured_at < d.ends_at "
        "WHERE s.captured_at >= '{first}' AND s.captured_at < '{last}' "
        f"GROUP BY d.product_id, d.day {_REPLACE}"
    )


_ROLL_UP = _rollup_statement()


def roll_up_samples(session: Session, days: Iterable[ProductDay]) -> None:
    """Recompute days that hold only samples."""
    ordered = sorted(set(days))
    if not ordered:
        return
    # The bounds are in the text, so that the plan opens only the partitions it needs.
    first = min(day.starts_at for day in ordered).isoformat()
    last = max(day.ends_at for day in ordered).isoformat()
    execute_with_arrays(session, _ROLL_UP.format(first=first, last=last), ordered)


_READ = [
    Column("captured_at", "captured_at", "time"),
    Column("kind", "kind", "int"),
    Column("flags", "flags", "int"),
    Column("price", "price"),
    Column("list_price", "list_price"),
    Column("bsr", "bsr"),
    Column("bsr_category_id", "bsr_category_id"),
    Column("rating", "rating"),
    Column("ratings_count", "ratings_count"),
    Column("availability", "availability"),
]
_SNAPSHOTS = (
    "FROM snapshot WHERE product_id = %(id)s AND captured_at >= %(first)s "
    "AND captured_at < %(last)s ORDER BY captured_at, source"
)


def roll_up_carried(
    session: Session, product_id: int, since: datetime, until: datetime, zone: ZoneInfo
) -> None:
    """Recompute the days of a product with a change series.

    Covers the days of `since` … `until` (both included), and those up to the snapshots
    before and after them, over which a change may hold.
    """
    first = make_product_day(product_id, since.astimezone(zone).date(), zone).starts_at
    last = make_product_day(product_id, until.astimezone(zone).date(), zone).ends_at
    before, after = _neighbours(session, product_id, first, last)
    if after is not None:
        last = make_product_day(product_id, after.astimezone(zone).date(), zone).ends_at
    import pandas as pd  # late: see above

    values = {"id": product_id, "first": before or first, "last": last}
    frame = read_frame(session, _READ, _SNAPSHOTS, values)
    frame["buy_box_seller"] = _read_sellers(session, values)
    days = carry_days(frame, zone)
    if before is not None:  # its day was read only in part
        days = days[days["day"] > pd.Timestamp(before.astimezone(zone).date())]
    _delete_carried(session, product_id, before or first, last, zone)
    insert_rows(
        session, "product_daily", _COLUMNS, _day_rows(product_id, days), on_conflict=_REPLACE
    )


def _read_sellers(session: Session, values: dict[str, Any]) -> "pd.Series":
    """Return the sellers of the snapshots, which are texts and don't travel as an array."""
    import pandas as pd  # late: see above

    with driver_connection(session).cursor() as cursor:
        rows = cursor.execute(f"SELECT buy_box_seller {_SNAPSHOTS}", values).fetchall()
    return pd.Series([seller for (seller,) in rows], dtype=object)


def _neighbours(
    session: Session, product_id: int, first: datetime, last: datetime
) -> tuple[datetime | None, datetime | None]:
    """Return the times of the last snapshot before `first` and the first one from `last` on."""
    row = execute_with_arrays(
        session,
        "SELECT (SELECT max(captured_at) FROM snapshot WHERE product_id = k.id "
        "AND captured_at < k.first), (SELECT min(captured_at) FROM snapshot "
        "WHERE product_id = k.id AND captured_at >= k.last) "
        "FROM unnest(%s::int8[], %s::timestamptz[], %s::timestamptz[]) AS k (id, first, last)",
        [(product_id, first, last)],
        fetch=True,
    )[0]
    return row[0], row[1]


def _delete_carried(
    session: Session, product_id: int, since: datetime, until: datetime, zone: ZoneInfo
) -> None:
    """Delete carried-forward days; a late observation may have ended the value."""
    execute_with_arrays(
        session,
        "DELETE FROM product_daily AS d USING unnest(%s::int8[], %s::date[], %s::date[]) "
        "AS k (product_id, since, until) WHERE d.product_id = k.product_id "
        "AND d.day > k.since AND d.day < k.until AND d.looks = 0 AND NOT d.is_sealed",
        [(product_id, since.astimezone(zone).date(), until.astimezone(zone).date())],
    )


def carry_days(frame: "pd.DataFrame", zone: ZoneInfo) -> "pd.DataFrame":
    """Return one row per day of a product's snapshots, with values of changes carried forward.

    `frame`: captured_at (datetime64[us, UTC], ascending), kind, flags, price, list_price,
    bsr, bsr_category_id, rating, ratings_count, availability (float64, NaN unknown),
    buy_box_seller (object, None unknown).
    Columns: day (datetime64, midnight without zone) and those of `product_daily` as
    float64, the seller as object; `looks`, the number of snapshots, is 0 on
    carried-forward days.
    """
    rows = _with_carried_rows(_without_flagged(frame), zone)
    known = rows["availability"].notna()
    rows["in_stock"] = rows["availability"].isin(_IN_STOCK).astype("f8").where(known)
    grouped = rows.groupby("day", sort=True)
    days = grouped.agg(
        price_open=("price", "first"),
        price_low=("price", "min"),
        price_high=("price", "max"),
        price_close=("price", "last"),
        list_price=("list_price", "last"),
        bsr_open=("bsr", "first"),
        bsr_best=("bsr", "min"),
        bsr_worst=("bsr", "max"),
        bsr_close=("bsr", "last"),
        bsr_category_id=("bsr_category_id", "last"),
        rating=("rating", "last"),
        ratings_count=("ratings_count", "last"),
        in_stock_share=("in_stock", "mean"),
        availability_close=("availability", "last"),
        seller_close=("buy_box_seller", "last"),
        looks=("is_snapshot", "sum"),
    )
    return days.reset_index()


def _without_flagged(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return a copy in which flagged values are unknown."""
    clean = frame.copy()
    for names, flags in (
        (["price"], PRICE_FLAGS),
        (["list_price"], PRICE_FLAGS | LIST_PRICE_FLAGS),
        (["bsr", "bsr_category_id"], RANK_FLAGS),
        (["rating"], RATING_FLAGS),
        (["ratings_count"], COUNT_FLAGS),
        (["availability", "buy_box_seller"], STALE_FLAGS),
    ):
        clean.loc[(frame["flags"] & int(flags)) != 0, names] = np.nan
    return clean


def _with_carried_rows(frame: "pd.DataFrame", zone: ZoneInfo) -> "pd.DataFrame":
    """Return the rows and one more at each midnight over which a change held, in time order."""
    import pandas as pd  # late: see above

    local = frame["captured_at"].dt.tz_convert(zone).dt.tz_localize(None)
    rows = frame.assign(day=local.dt.normalize(), is_snapshot=1.0, order=1)
    next_day = rows["day"].shift(-1)
    held = np.where(rows["kind"] == int(Kind.CHANGE), (next_day - rows["day"]).dt.days, 0)
    nights = np.nan_to_num(held).astype("i8")
    carried = rows.loc[rows.index.repeat(nights)].copy()
    step = carried.groupby(level=0).cumcount() + 1
    carried["day"] = carried["day"] + pd.to_timedelta(step, unit="D")
    carried["is_snapshot"], carried["order"] = 0.0, 0
    both = pd.concat([rows, carried])
    return both.sort_values(["day", "order", "captured_at"], kind="stable")


def _day_rows(product_id: int, days: "pd.DataFrame") -> Sequence[Sequence[Any]]:
    dates = [moment.date() for moment in days["day"]]
    same = [product_id] * len(dates)
    columns = [map(_WRITERS.get(name, _whole), days[name]) for name in _VALUES]
    return list(zip(same, dates, *columns, strict=True))


def _whole(value: float) -> int | None:
    return None if np.isnan(value) else int(value)


def _share(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


_WRITERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "in_stock_share": _share,
    "seller_close": _text,
}
