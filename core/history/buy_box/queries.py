"""SELECTs of a product's Buy Box. Times are bounded below, so few partitions are opened."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.database.bulk_write import execute_with_arrays
from core.database.columnar_read import Arrays, Column, ColumnQuery, read_columns_many
from core.history.buy_box.holders import UNKNOWN_HOLDER, Holder, join_sellers, make_vacancy
from core.history.buy_box.periods import BuyBoxHistory, HolderRows, find_history
from core.history.ingest.quality_gate import PRICE_FLAGS
from core.history.observation import Availability, Confirmed, Flag, Kind, PriceBasis, Seen
from core.history.product_summary import HistoryKey
from core.history.timeline.daily_timeline import DAY
from core.history.timeline.period import days_between
from core.history.timeline.queries import MOST_SNAPSHOT_DAYS
from core.history.timeline.series import Codes, Marks, Times
from core.history.timeline.statistics import MissingReason
from core.tracking.sellers.rules import OwnSellers

# A stale row repeats an old page: its seller is not believed, even where its price was confirmed.
_STALE: Final = int(Flag.STALE_VALUE) | int(Confirmed.STALE)
_NO_AMOUNT: Final = PRICE_FLAGS | int(Flag.AMOUNTS_DISAGREE)
_NAMES: Final = int(Seen.SELLER) | int(Seen.SELLER_ID)
_OF_BUY_BOX: Final = _NAMES | int(Seen.AVAILABILITY)
# Small columns in one, as first bit and width.
_MARKS: Final = {
    "kind": (0, 4), "availability": (4, 8), "source": (12, 12), "fulfilment": (24, 4),
    "is_stale": (28, 1), "names_seller": (29, 1),
}  # fmt: skip
_ROW: Final = [
    Column("times", "captured_at", "time"),
    Column(
        "marks",
        "kind::int8 | (COALESCE(availability, 0)::int8 << 4) | (source::int8 << 12) "
        "| (COALESCE(fulfilment, 0)::int8 << 24) "
        f"| ((flags & {_STALE} <> 0)::int::int8 << 28) | ((seen & {_NAMES} <> 0)::int::int8 << 29)",
        "long",
    ),
    # 0: no seller. Texts have no fixed width, so their hashes are read, and each seller once.
    Column(
        "seller",
        "CASE WHEN COALESCE(buy_box_seller_id, buy_box_seller) IS NULL THEN 0 ELSE "
        "hashtextextended(concat_ws(chr(31), buy_box_seller_id, buy_box_seller), 0) END",
        "long",
    ),
    # Without a Buy Box price of its own, the price on the page is that of the featured offer.
    Column(
        "price",
        f"CASE WHEN flags & {_NO_AMOUNT} = 0 THEN COALESCE(buy_box_price, CASE WHEN price_basis "
        f"IN ({int(PriceBasis.BUY_BOX)}, {int(PriceBasis.AS_LISTED)}) THEN price END) END",
    ),
]
_WANTED: Final = f"product_id = %(id)s AND seen & {_OF_BUY_BOX} <> 0"
_INSIDE: Final = (
    f"FROM snapshot WHERE {_WANTED} AND captured_at >= %(since)s AND captured_at < %(until)s "
    "ORDER BY captured_at, source"
)
_BEFORE: Final = (
    f"FROM snapshot WHERE {_WANTED} AND captured_at >= %(first)s AND captured_at < %(since)s "
    "ORDER BY captured_at DESC, source DESC LIMIT 1"
)
_AFTER: Final = (
    f"FROM snapshot WHERE {_WANTED} AND captured_at >= %(until)s ORDER BY captured_at LIMIT 1"
)
_DELETED: Final = ColumnQuery(
    [Column("day", "day", "day")],
    "FROM product_daily WHERE product_id = %(id)s AND day >= %(since_day)s AND is_sealed LIMIT 1",
)


def read_buy_box(
    session: Session,
    key: HistoryKey,
    since: datetime,
    until: datetime,
    own_sellers: OwnSellers | None = None,
) -> BuyBoxHistory:
    """Return who held a product's Buy Box from `since` to `until`, without flagged values.

    Long or deleted periods are read by day, as `read_timeline` does; a day has its last holder.
    """
    own = own_sellers or {}
    if until - since <= timedelta(days=MOST_SNAPSHOT_DAYS):
        found = _read_snapshots(session, key, since, until, own)
        if found is not None:
            return found
    return _read_days(session, key, since, until, own)


def _read_snapshots(
    session: Session, key: HistoryKey, since: datetime, until: datetime, own: OwnSellers
) -> BuyBoxHistory | None:
    """Return the history by snapshot, None if some of its snapshots were deleted."""
    values = {
        "id": key.product_id,
        "since": since,
        "until": until,
        "since_day": since.astimezone(UTC).date(),
        "first": min(_start_of(key.first_day), since),
    }
    parts = [_DELETED, *(ColumnQuery(_ROW, rest) for rest in (_BEFORE, _INSIDE, _AFTER))]
    deleted, *read = read_columns_many(session, parts, values)
    if len(deleted["day"]):
        return None
    arrays = _unpack({name: np.concatenate([each[name] for each in read]) for name in read[0]})
    accepted = _select(arrays, arrays["is_stale"] == 0)
    if len(arrays["times"]) and not len(accepted["times"]):
        return BuyBoxHistory(since, until, False, (), (), MissingReason.ONLY_FLAGGED)
    reported = _select(accepted, _find_reported(accepted))
    sellers = _name_sellers(session, key.product_id, reported)
    rows = _make_rows(reported, sellers, own, key.marketplace)
    return find_history(rows, since, until)


def _start_of(day: date) -> datetime:
    """Return a time before the day's start on every marketplace: 14 h before UTC's."""
    return datetime.combine(day, time(), UTC) - timedelta(hours=14)


def _unpack(arrays: Arrays) -> Arrays:
    marks = arrays.pop("marks")
    for name, (first, bits) in _MARKS.items():
        arrays[name] = (marks >> first) & ((1 << bits) - 1)
    return arrays


def _select(arrays: Arrays, rows: Marks) -> Arrays:
    return arrays if rows.all() else {name: values[rows] for name, values in arrays.items()}


_VACANT: Final = [int(state) for state in Availability if not state.has_featured_offer]


def _find_reported(arrays: Arrays) -> Marks:
    """Mark the rows at which the holder is known, or known to be vacant.

    A row without a seller from a source that never names one leaves the holder as it was; a
    change by a source that does name sellers makes it unknown.
    """
    vacant = np.isin(arrays["availability"], _VACANT)
    named = vacant | (arrays["seller"] != 0)
    naming = np.unique(arrays["source"][arrays["names_seller"] == 1])
    is_ended = (arrays["kind"] == Kind.CHANGE) & np.isin(arrays["source"], naming)
    before = np.maximum.accumulate(np.where(named | is_ended, np.arange(len(named)), -1))
    holds = (before >= 0) & named[before] & ~vacant[before]
    reported: Marks = named | is_ended | ~holds
    return reported


_SELLERS: Final = """
SELECT s.buy_box_seller_id, s.buy_box_seller
FROM unnest(%s::int8[], %s::timestamptz[], %s::int2[]) AS w (id, at, source)
JOIN snapshot AS s ON s.product_id = w.id AND s.captured_at = w.at AND s.source = w.source
ORDER BY w.at, w.source
"""
Sellers = Mapping[int, tuple[str | None, str | None]]


def _name_sellers(session: Session, product_id: int, arrays: Arrays) -> Sellers:
    """Return the id and name behind each hash, in the order in which they were observed."""
    first = _find_first(arrays["seller"])
    keys = zip(_to_moments(arrays["times"][first]), arrays["source"][first].tolist(), strict=True)
    asked = [(product_id, at, source) for at, source in keys]
    names = execute_with_arrays(session, _SELLERS, asked, fetch=True)
    found = zip(arrays["seller"][first].tolist(), names, strict=True)
    return {number: (seller_id, name) for number, (seller_id, name) in found}


def _find_first(hashes: Codes) -> NDArray[np.intp]:
    """Return the first row of each seller, in time order."""
    numbers, first = np.unique(hashes, return_index=True)
    ordered: NDArray[np.intp] = np.sort(first[numbers != 0])
    return ordered


def _to_moments(times: Times) -> list[datetime]:
    return [moment.replace(tzinfo=UTC) for moment in times.tolist()]


def _make_rows(arrays: Arrays, sellers: Sellers, own: OwnSellers, marketplace: str) -> HolderRows:
    """Return the rows with their holders: first the sellers, then the vacancies, then unknown."""
    places, joined = join_sellers(list(sellers.values()), own, marketplace)
    holders: list[Holder] = [*joined, *(make_vacancy(Availability(each)) for each in _VACANT)]
    holders.append(UNKNOWN_HOLDER)
    holder = np.full(len(arrays["times"]), len(holders) - 1)
    for number, place in zip(sellers, places, strict=True):
        holder[arrays["seller"] == number] = place
    vacancies = np.searchsorted(_VACANT, arrays["availability"])
    vacant = np.isin(arrays["availability"], _VACANT)
    holder[vacant] = vacancies[vacant] + len(joined)
    price = np.where(vacant, np.nan, arrays["price"])
    return HolderRows(arrays["times"], arrays["kind"], holder, price, arrays["fulfilment"], holders)


_DAYS: Final = [
    Column("times", "day", "day"),
    Column("availability", "COALESCE(availability_close, 0)", "int"),
    Column(
        "seller",
        "CASE WHEN seller_close IS NULL THEN 0 ELSE hashtextextended(seller_close, 0) END",
        "long",
    ),
    Column("price", "price_close"),
]
_OF_DAYS: Final = (
    "FROM product_daily WHERE product_id = %(id)s AND day >= %(first)s AND day <= %(last)s "
    "AND (seller_close IS NOT NULL OR availability_close IS NOT NULL) ORDER BY day"
)
_DAY_SELLERS: Final = """
SELECT d.seller_close FROM unnest(%s::int8[], %s::timestamptz[]) AS w (id, at)
JOIN product_daily AS d ON d.product_id = w.id AND d.day = (w.at AT TIME ZONE 'UTC')::date
ORDER BY w.at
"""


def _read_days(
    session: Session, key: HistoryKey, since: datetime, until: datetime, own: OwnSellers
) -> BuyBoxHistory:
    """Return the history by day: a day's last holder at its last price."""
    first, last = days_between(key.marketplace, since, until)
    values: dict[str, Any] = {"id": key.product_id, "first": first, "last": last}
    [arrays] = read_columns_many(session, [ColumnQuery(_DAYS, _OF_DAYS)], values)
    count = len(arrays["times"])
    arrays |= {"kind": np.full(count, int(Kind.SAMPLE)), "fulfilment": np.zeros(count, np.int64)}
    rows = _make_rows(arrays, _name_day_sellers(session, key, arrays), own, key.marketplace)
    bounds = (_midnight(first), _midnight(last) + timedelta(days=1))
    return find_history(rows, *bounds, max_gap=DAY)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _name_day_sellers(session: Session, key: HistoryKey, arrays: Arrays) -> Sellers:
    first = _find_first(arrays["seller"])
    asked = [(key.product_id, day) for day in _to_moments(arrays["times"][first])]
    names = execute_with_arrays(session, _DAY_SELLERS, asked, fetch=True)
    numbers = arrays["seller"][first].tolist()
    return {number: (None, name) for number, (name,) in zip(numbers, names, strict=True)}
