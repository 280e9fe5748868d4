"""Keeps each product's changes since yesterday, over 7 and over 30 days. Never commits.

`product_change` holds for a day of the product's marketplace. The values that a period compares
with come from the closes of `product_daily`, the newest values from `product_latest`. The caller
has written both in the same transaction.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.database.bulk_write import execute_with_arrays
from core.history.accepted_values import CURRENT_COLUMNS, DAY_COLUMNS, AcceptedValues
from core.history.observation import Availability
from core.history.periods.change_detection import ChangeRule, find_change, make_change_rule
from core.history.periods.change_period import (
    LOOKBACK_DAYS,
    ChangePeriod,
    MarketDay,
    find_day,
    make_market_day,
)
from core.thresholds import USUAL_THRESHOLDS
from core.tracking.lists.team_thresholds import TEAM_DEFAULTS

# What a period compares with, and the column of the day's close.
_BASES: Final = {
    "price": "price_close",
    "bsr": "bsr_close",
    "bsr_category_id": "bsr_category_id",
    "rating": "rating",
    "ratings_count": "ratings_count",
    "availability": "availability_close",
    "seller": "seller_close",
}


class NewestValues(Protocol):
    """A product's row of `product_latest`, as `core.history.ingest.latest_values` holds it.

    It has an attribute for each of `CURRENT_COLUMNS`, too.
    """

    captured_at: datetime | None
    listing_changed_at: datetime | None
    availability: int | None
    buy_box_seller: str | None


class _KeptRow(NamedTuple):
    """What a row holds before an observation changes it."""

    day: date | None
    score: float
    kind: str | None
    share_seller: str | None
    prior: AcceptedValues  # at yesterday's close


def _lock_rows(session: Session, product_ids: Iterable[int]) -> dict[int, _KeptRow]:
    """Lock the rows of these products and return them.

    Always in the order of their ids, so that two sessions never deadlock. A row is locked before
    the statement that recomputes it, which then sees what other writers committed.
    """
    given = [(number,) for number in set(product_ids)]
    rows = execute_with_arrays(session, _LOCK_ROWS, given, fetch=True)
    return {
        row[0]: _KeptRow(row[1], row[2], row[3], row[4], AcceptedValues(*row[5:])) for row in rows
    }


_LOCK_ROWS: Final = (
    f"SELECT product_id, day, attention, attention_kind, share_seller, {', '.join(DAY_COLUMNS)} "
    "FROM product_change WHERE product_id = ANY(%s::int8[]) ORDER BY product_id FOR UPDATE"
)


def update_changes(
    session: Session,
    newest: Mapping[int, NewestValues],
    zones: Mapping[int, ZoneInfo],
    changed: Mapping[int, date],
    now: datetime,
) -> None:
    """Recompute the rows of products after a change of their values.

    `newest`: the products' stored values. `zones`: of their marketplaces. `changed`: the earliest
    day of each product with other values than before. A row never goes back to an earlier day.
    """
    fresh: dict[int, MarketDay] = {}
    moved: dict[int, MarketDay] = {}
    late: dict[int, date] = {}
    kept = _lock_rows(session, zones)
    todays = {zone: find_day(now, zone) for zone in set(zones.values())}
    for product_id, row in kept.items():
        zone = zones[product_id]
        today = todays[zone]
        day = today if row.day is None else max(row.day, today)
        first = changed.get(product_id, day)
        is_same = day == row.day and first >= day
        if first < day:
            late[product_id] = max(first, day - timedelta(LATE_DAYS))
        (fresh if is_same else moved)[product_id] = make_market_day(day, zone)
    if moved:
        move_rows(session, moved)
    _refresh_rows(session, fresh, kept, newest)
    execute_with_arrays(session, _MARK_LATE, list(late.items()))


def _refresh_rows(
    session: Session,
    days: Mapping[int, MarketDay],
    kept: Mapping[int, _KeptRow],
    newest: Mapping[int, NewestValues],
) -> None:
    """Update the rows of products whose day, and what it compares with, stay the same."""
    found = _compare_newest(session, days, kept, newest)
    rows = [(*row, *found.get(row[0], (None, None))) for row in _rows(days)]
    execute_with_arrays(session, _REFRESH, rows)
    moved = [
        (product_id, day.day)
        for product_id, day in days.items()
        if kept[product_id].share_seller != _find_holder(newest[product_id])
    ]
    execute_with_arrays(session, _SHARE, moved)


def _find_holder(newest: NewestValues) -> str | None:
    """Return who has the Buy Box of a listing; a removed one has none."""
    return None if newest.availability == Availability.GONE else newest.buy_box_seller


LATE_DAYS: Final = 31  # days of teams that are computed again; older ones stay
_MARK_LATE: Final = (
    "UPDATE product_change AS c SET late_since = least(c.late_since, n.since), "
    "late_at = clock_timestamp() FROM unnest(%s::int8[], %s::date[]) AS n (product_id, since) "
    "WHERE c.product_id = n.product_id"
)


def move_rows(session: Session, days: Mapping[int, MarketDay]) -> None:
    """Compute the rows of products, which are locked, anew for these days."""
    execute_with_arrays(session, _MOVE, _rows(days))
    _store_found(session, days, _find_changes(session, days))


def _rows(days: Mapping[int, MarketDay]) -> list[Sequence[Any]]:
    return [(number, day.day, *day.starts) for number, day in days.items()]


_STARTS: Final = [f"{period}_start" for period in ChangePeriod]
_ARRAYS: Final = "%s::int8[], %s::date[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[]"
_NAMES: Final = f"product_id, day, {', '.join(_STARTS)}"
_GIVEN: Final = f"unnest({_ARRAYS}) AS w ({_NAMES})"
_GIVEN_WITH_FOUND: Final = (
    f"unnest({_ARRAYS}, %s::float4[], %s::text[]) AS w ({_NAMES}, score, kind)"
)


def base_columns(period: ChangePeriod) -> Iterator[tuple[str, str]]:
    """Yield each column of what a period compares with, and its SQL. `w`: products with a day."""
    days = (
        f"FROM product_daily AS e WHERE e.product_id = w.product_id "
        f"AND e.day <= w.day - {period.days} "
        f"AND e.day >= w.day - {period.days + LOOKBACK_DAYS}"
    )
    for name, close in _BASES.items():
        known = "bsr_close" if name == "bsr_category_id" else close
        earlier = f"(SELECT e.{close} {days} AND e.{known} IS NOT NULL ORDER BY e.day DESC LIMIT 1)"
        # Without any day there is no older value: so it is of most new products.
        is_older = f"{period}.{known} IS NULL AND {period}.day IS NOT NULL"
        found = f"CASE WHEN {is_older} THEN {earlier} ELSE {period}.{close} END"
        yield f"{period}_{name}", found


def join_newest_day(period: ChangePeriod) -> str:
    """Return the join with the newest day that a period compares with, by the period's name.

    Most days have all values: only for the others an older day is read for each value.
    """
    return (
        "LEFT JOIN LATERAL (SELECT e.* FROM product_daily AS e "
        f"WHERE e.product_id = w.product_id AND e.day <= w.day - {period.days} "
        f"AND e.day >= w.day - {period.days + LOOKBACK_DAYS} "
        f"ORDER BY e.day DESC LIMIT 1) AS {period} ON true"
    )


_IS_LISTED: Final = f"l.availability IS DISTINCT FROM {Availability.GONE:d}"
_WITHOUT_BUY_BOX: Final = tuple(
    int(state)
    for state in (
        Availability.BUY_BOX_SUPPRESSED,
        Availability.NO_OFFERS,
        Availability.UNAVAILABLE,
        Availability.GONE,
    )
)
_HOLDER: Final = f"CASE WHEN {_IS_LISTED} THEN l.buy_box_seller END"
_SHARE_DAYS: Final = 30
_SHARE_OF_SELLER: Final = (
    f"CASE WHEN {_HOLDER} IS NOT NULL THEN "
    "(SELECT avg((e.seller_close IS NOT DISTINCT FROM l.buy_box_seller)::int)::float4 "
    "FROM product_daily AS e WHERE e.product_id = w.product_id "
    f"AND e.day < w.day AND e.day >= w.day - {_SHARE_DAYS} "
    f"AND (e.seller_close IS NOT NULL OR e.availability_close IN {_WITHOUT_BUY_BOX})) END"
)


def _change_columns(bases: str) -> Iterator[tuple[str, str]]:
    """Yield each column of a change and its SQL. `bases`: the table of what is compared with."""
    for period in ChangePeriod:
        start, base = f"w.{period}_start", f"{bases}.{period}"
        yield (
            f"{period}_price_change",
            f"CASE WHEN {_IS_LISTED} AND l.price_at >= {start} AND {base}_price > 0 "
            f"THEN ((l.price - {base}_price)::float8 / {base}_price)::float4 END",
        )
        yield (
            f"{period}_rank_change",
            f"CASE WHEN {_IS_LISTED} AND l.bsr_at >= {start} "
            f"AND l.bsr_category_id = {base}_bsr_category_id AND l.bsr > 0 AND {base}_bsr > 0 "
            f"THEN ln(l.bsr::float8 / {base}_bsr)::float4 END",
        )
        yield (
            f"{period}_rating_change",
            f"CASE WHEN {_IS_LISTED} AND l.rating_at >= {start} THEN l.rating - {base}_rating END",
        )
        yield (
            f"{period}_ratings_change",
            f"CASE WHEN {_IS_LISTED} AND l.rating_at >= {start} AND l.ratings_count >= 0 "
            f"AND {base}_ratings_count >= 0 THEN l.ratings_count - {base}_ratings_count END",
        )
        yield (
            f"{period}_seller_changed",
            f"CASE WHEN {_IS_LISTED} AND l.availability_at >= {start} "
            f"THEN l.buy_box_seller <> {base}_seller END",
        )


def _refresh_statement() -> str:
    """Return the SQL that compares the newest values with what is kept of the periods.

    It stores the worst change, too, where it is another one: a row is written only once.
    """
    changes = dict(_change_columns("o"))
    computed = ", ".join(f"{sql} AS {name}" for name, sql in changes.items())
    kept, new = (", ".join(f"{of}.{name}" for name in changes) for of in ("c", "n"))
    return (
        f"UPDATE product_change AS c SET {', '.join(f'{name} = n.{name}' for name in changes)}, "
        "attention = coalesce(n.score, c.attention), attention_kind = "
        "CASE WHEN n.score IS NULL THEN c.attention_kind ELSE n.kind END, "
        "changed_on = CASE WHEN n.kind IS NULL THEN c.changed_on ELSE n.day END "
        f"FROM (SELECT w.product_id, w.day, w.score, w.kind, {computed} FROM {_GIVEN_WITH_FOUND} "
        "JOIN product_change AS o ON o.product_id = w.product_id "
        "JOIN product_latest AS l ON l.product_id = w.product_id OFFSET 0) AS n "
        "WHERE c.product_id = n.product_id "
        f"AND (n.score IS NOT NULL OR ({kept}) IS DISTINCT FROM ({new}))"
    )


def _move_statement() -> str:
    """Return the SQL that computes rows anew for the given days."""
    bases = dict(each for period in ChangePeriod for each in base_columns(period))
    changes = dict(_change_columns("w"))
    based = ", ".join(f"{sql} AS {name}" for name, sql in bases.items())
    shares = {"seller_share": _SHARE_OF_SELLER, "share_seller": _HOLDER}
    changes |= shares
    compared = ", ".join(f"{sql} AS {name}" for name, sql in changes.items())
    newest_days = " ".join(map(join_newest_day, ChangePeriod))
    return (
        f"WITH w AS MATERIALIZED (SELECT w.*, {based} FROM {_GIVEN} {newest_days}) "
        "UPDATE product_change AS c "
        f"SET {', '.join(f'{name} = n.{name}' for name in ('day', *bases, *changes))}, "
        "attention = 0, attention_kind = NULL "
        f"FROM (SELECT w.*, {compared} FROM w "
        "JOIN product_latest AS l ON l.product_id = w.product_id OFFSET 0) AS n "
        "WHERE c.product_id = n.product_id"
    )


# The day that goes on doesn't count: without another seller, a share stays until midnight.
_SHARE: Final = (
    "UPDATE product_change AS c SET seller_share = n.share, share_seller = n.seller "
    f"FROM (SELECT w.product_id, {_SHARE_OF_SELLER} AS share, {_HOLDER} AS seller "
    "FROM unnest(%s::int8[], %s::date[]) AS w (product_id, day) "
    "JOIN product_latest AS l ON l.product_id = w.product_id OFFSET 0) AS n "
    "WHERE c.product_id = n.product_id"
)
_REFRESH: Final = _refresh_statement()
_MOVE: Final = _move_statement()


# The worst change since yesterday

# A product's change is kept once for all users: it is found by the smallest thresholds of any,
# and left out for the others where it is read.
_SMALLEST: Final = (
    "LEFT JOIN LATERAL (SELECT min(coalesce(t.price_change_percent, s.price_percent)) AS price, "
    "min(coalesce(t.rank_change_percent, s.rank_percent)) AS rank "
    "FROM tracking AS t JOIN defaults AS s ON s.team_id = t.team_id "
    "WHERE t.product_id = c.product_id) AS h ON true"
)
_OBSERVED: Final = (
    f"WITH defaults AS MATERIALIZED ({TEAM_DEFAULTS}) "
    f"SELECT c.product_id, c.attention, c.attention_kind, l.listing_changed_at >= w.start, "
    f"h.price, h.rank, "
    f"{', '.join(f'c.{name}' for name in DAY_COLUMNS)}, "
    f"{', '.join(f'l.{name}' for name in CURRENT_COLUMNS)} "
    "FROM unnest(%s::int8[], %s::timestamptz[]) AS w (product_id, start) "
    "JOIN product_change AS c ON c.product_id = w.product_id "
    "JOIN product_latest AS l ON l.product_id = w.product_id AND l.captured_at >= w.start "
    f"{_SMALLEST} "
    # A product without a day before has nothing that could have changed.
    f"WHERE num_nonnulls({', '.join(f'c.{name}' for name in DAY_COLUMNS)}) > 0 "
    "OR l.listing_changed_at >= w.start OR c.attention_kind IS NOT NULL"
)
_SET_FOUND: Final = (
    "UPDATE product_change AS c SET attention = n.score, attention_kind = n.kind, "
    "changed_on = CASE WHEN n.kind IS NULL THEN c.changed_on ELSE n.day END "
    "FROM unnest(%s::int8[], %s::date[], %s::float4[], %s::text[]) "
    "AS n (product_id, day, score, kind) WHERE c.product_id = n.product_id"
)


Found = tuple[float, str | None]  # the score and kind of a change; a kind of None: no change


def _find_changes(session: Session, days: Mapping[int, MarketDay]) -> dict[int, Found]:
    """Return the worst change since yesterday of products observed today, if it is not stored."""
    given = [(number, day.starts[0]) for number, day in days.items()]
    found: dict[int, Found] = {}
    for row in execute_with_arrays(session, _OBSERVED, given, fetch=True):
        product_id, score, kind, listing_changed, price_percent, rank_percent = row[:6]
        prior = AcceptedValues(*row[6 : 6 + len(DAY_COLUMNS)])
        now = AcceptedValues(*row[6 + len(DAY_COLUMNS) :])
        rule = _make_rule(price_percent, rank_percent)
        new_kind, new_score = find_change(prior, now, bool(listing_changed), rule)
        if new_kind != kind or abs(new_score - score) > _SAME_SCORE:
            found[product_id] = new_score, new_kind and new_kind.value
    return found


def _compare_newest(
    session: Session,
    days: Mapping[int, MarketDay],
    kept: Mapping[int, _KeptRow],
    newest: Mapping[int, NewestValues],
) -> dict[int, Found]:
    """Return what `_find_changes` does, of rows and newest values that were read already."""
    compared: dict[int, bool] = {}  # whether the listing changed today
    for product_id, day in days.items():
        row, values, start = kept[product_id], newest[product_id], day.starts[0]
        if values.captured_at is None or values.captured_at < start:
            continue
        changed_at = values.listing_changed_at
        listing_changed = changed_at is not None and changed_at >= start
        if listing_changed or row.kind is not None or row.prior != _NOTHING:
            compared[product_id] = listing_changed
    rules = _read_rules(session, list(compared))
    found: dict[int, Found] = {}
    for product_id, listing_changed in compared.items():
        row, now = kept[product_id], AcceptedValues(*_current_values_of(newest[product_id]))
        rule = rules.get(product_id, _NO_USERS_RULE)
        kind, score = find_change(row.prior, now, listing_changed, rule)
        if kind != row.kind or abs(score - row.score) > _SAME_SCORE:
            found[product_id] = score, kind and kind.value
    return found


_NOTHING: Final = AcceptedValues()
_current_values_of = attrgetter(*CURRENT_COLUMNS)


def _read_rules(session: Session, product_ids: Sequence[int]) -> dict[int, ChangeRule]:
    """Return the rule of each product that users track."""
    given = [(number,) for number in product_ids]
    rows = execute_with_arrays(session, _SMALLEST_OF_ALL, given, fetch=True)
    return {
        product_id: rule
        for price_percent, rank_percent, ids in rows
        for rule in [_make_rule(price_percent, rank_percent)]
        for product_id in ids
    }


# Most products have the same thresholds: one row for each pair of them.
_SMALLEST_OF_ALL: Final = (
    f"WITH defaults AS MATERIALIZED ({TEAM_DEFAULTS}) "
    "SELECT h.price, h.rank, array_agg(h.product_id) FROM ("
    "SELECT t.product_id, min(coalesce(t.price_change_percent, s.price_percent)) AS price, "
    "min(coalesce(t.rank_change_percent, s.rank_percent)) AS rank "
    "FROM tracking AS t JOIN defaults AS s ON s.team_id = t.team_id "
    "WHERE t.product_id = ANY(%s::int8[]) GROUP BY t.product_id) AS h GROUP BY h.price, h.rank"
)


def _store_found(
    session: Session, days: Mapping[int, MarketDay], found: Mapping[int, Found]
) -> None:
    """Store the changes found of these products."""
    rows = [(number, days[number].day, *found[number]) for number in days if number in found]
    execute_with_arrays(session, _SET_FOUND, rows)


@lru_cache(maxsize=1024)
def _make_rule(price_percent: Decimal | None, rank_percent: Decimal | None) -> ChangeRule:
    """Return the rule of the smallest thresholds of a product's users; None: the usual one."""
    return make_change_rule(USUAL_THRESHOLDS.with_own(price_percent, rank_percent))


_NO_USERS_RULE: Final = _make_rule(None, None)
_SAME_SCORE: Final = 1e-5  # scores are stored with seven digits
