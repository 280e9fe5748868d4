"""Changes of the products that a user or a team tracks. SELECTs only.

For the last day, the changes stored in `product_change` are read by their index. They compare
with yesterday's close, so products that were not checked today, or are checked several times a
day, are also compared with the day before `since`. Further back, the newest values of all tracked
products are compared with those of the day before `since`, a chunk of products at a time.
"""

from collections.abc import Callable
from datetime import timedelta
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.marketplaces import MARKETPLACES
from core.history.accepted_values import CURRENT_COLUMNS, DAY_COLUMNS, AcceptedValues
from core.history.changes.change_query import ORDER_VALUES, ChangeOrder, ChangeQuery, ChangesPage
from core.history.changes.change_rows import (
    NOW,
    SMALLEST_LOSS,
    FoundChange,
    FoundChanges,
    current_values,
    fetch_rows,
    find_notable,
    format_least,
    make_changed_product,
    make_values,
    order_key,
)
from core.history.changes.comparison import (
    ChangedProduct,
    availability_of_day,
    find_notable_change,
)
from core.history.changes.period_changes import (
    MARKETS,
    compare_with_close,
    list_by_value,
    make_period_values,
    read_period_details,
)
from core.history.periods.change_detection import ChangeKind
from core.history.periods.change_period import ChangePeriod
from core.thresholds import Thresholds
from core.tracking.list_filter import COUNT_CAP
from core.tracking.lists.list_filter_sql import (
    IS_ENOUGH,
    PRICE_PERCENT,
    RANK_PERCENT,
    SCOPES,
    scope_values,
)
from core.tracking.lists.team_thresholds import read_team_thresholds
from core.tracking.rules import Cadence

SEVERAL_A_DAY = ("hourly", "6h")  # cadences
CHUNK = 10_000  # products compared by one statement
OLDEST_DAY = 8  # days back from `since` to look for the last one: a weekly check, and a day

Report = Callable[[int, int], None]  # products compared so far, and at most how many in all


def _ignore_progress(_done: int, _total: int) -> None:
    """Report no progress."""


@requires(Permission.READ)
def find_changes(
    session: Session,
    principal: Principal,
    query: ChangeQuery,
    offset: int,
    size: int,
    report: Report = _ignore_progress,
) -> ChangesPage:
    """Return the changed ones of the tracked products that were checked since a time.

    Each product once, with its worst change. By a value's change: the products with that change,
    also those without a worst change. Raises InvalidInputError for kinds in such an order, or
    such an order without a period.
    """
    if query.order in ORDER_VALUES:
        return list_by_value(session, principal, query, offset, size)
    if query.period is not None:
        found = compare_with_close(session, principal, query, query.period)
    else:
        found = _find_since(session, principal, query, report)
    ordered = sorted(found, key=lambda number: (found[number].key, number), reverse=True)
    page = {number: found[number] for number in ordered[offset : offset + size]}
    total = min(len(found), COUNT_CAP + 1)
    return ChangesPage(_details(session, principal, query, page), total)


def _find_since(
    session: Session, principal: Principal, query: ChangeQuery, report: Report
) -> FoundChanges:
    """Return the products that changed since a time."""
    found = _compare_with_day(session, principal, query, report)
    if query.is_last_day:
        found = _merge_worst(found, _find_since_day_before(session, principal, query))
    return found


def _merge_worst(one: FoundChanges, other: FoundChanges) -> FoundChanges:
    """Return the products of both; for one in both, the worse change."""
    both = other | one
    return {
        number: max(one.get(number, each), other.get(number, each), key=lambda has: has.score)
        for number, each in both.items()
    }


# Compared with the day before


def _find_since_day_before(
    session: Session, principal: Principal, query: ChangeQuery
) -> FoundChanges:
    """Return the stored changes, the first COUNT_CAP + 1 of the order."""
    conditions = [
        SCOPES[query.scope],
        "c.attention > 0",
        "l.captured_at >= %(since)s",
        f"({IS_ENOUGH})",
    ]
    if query.roles:
        conditions.append("t.role = ANY(%(roles)s)")
    if query.kinds:
        conditions.append("c.attention_kind = ANY(%(kinds)s)")
    column = "c.attention" if query.order is ChangeOrder.WORST else "l.captured_at"
    statement = (
        "SELECT c.product_id, c.attention, l.captured_at "
        "FROM tracking t JOIN product_latest l ON l.product_id = t.product_id "
        "JOIN product_change c ON c.product_id = t.product_id "
        f"WHERE {' AND '.join(conditions)} "
        f"ORDER BY {column} DESC, c.product_id DESC LIMIT {COUNT_CAP + 1}"
    )
    return {
        row.product_id: FoundChange(row.attention, order_key(query, row.attention, row), True)
        for row in fetch_rows(session, statement, scope_values(principal) | make_values(query))
    }


# Further back

# The marketplace's date at `since`; UTC's date differs for some hours of the day. The
# marketplaces' clocks differ by less than a day, so there are at most two dates.
# A CASE, not a sum of days: the whole statement then takes a third less time.
_BEGUN = "(CASE WHEN p.marketplace = ANY(%(ahead)s) THEN %(later)s ELSE %(day)s END)"
_DAY_THEN = f"""
LATERAL (
    SELECT day, price_close, bsr_close, bsr_category_id, rating, ratings_count, in_stock_share,
        availability_close, seller_close
    FROM product_daily WHERE product_id = l.product_id AND day < {_BEGUN}
    AND day >= {_BEGUN} - {OLDEST_DAY} ORDER BY day DESC LIMIT 1
) AS d
"""
_LISTING_CHANGED = """
(l.listing_changed_at >= %(since)s AND EXISTS (
    SELECT 1 FROM listing_version v
    WHERE v.product_id = l.product_id AND v.first_seen_at < %(since)s))
"""
# Wider than the check in Python, never narrower: it skips products that did not change.
_MAY_BE_OF_NOTE = f"""
(abs(l.price - d.price_close) >= d.price_close * {format_least(PRICE_PERCENT)}
 OR (l.bsr_category_id = d.bsr_category_id
     AND greatest(l.bsr, d.bsr_close)
         >= least(l.bsr, d.bsr_close) * (1 + {format_least(RANK_PERCENT)}))
 OR l.ratings_count <= d.ratings_count * (1 - {SMALLEST_LOSS})
 OR (l.availability IN (1, 2)) <> (d.in_stock_share > 0)
 OR l.availability <> d.availability_close
 OR l.buy_box_seller <> d.seller_close
 OR {_LISTING_CHANGED})
"""
_CHUNK = f"""
SELECT l.product_id, l.captured_at, t.price_change_percent, t.rank_change_percent,
    {", ".join(f"l.{name}" for name in CURRENT_COLUMNS)},
    d.price_close, d.bsr_close, d.bsr_category_id AS then_category_id, d.rating AS then_rating,
    d.ratings_count AS then_ratings_count, d.in_stock_share, d.availability_close,
    d.seller_close, {_LISTING_CHANGED} AS listing_changed
FROM tracking t
JOIN product_latest l ON l.product_id = t.product_id
JOIN product p ON p.id = t.product_id
JOIN {_DAY_THEN} ON true
WHERE {{scope}} AND t.product_id > %(after)s AND t.product_id <= %(last)s
AND l.product_id > %(after)s AND l.product_id <= %(last)s AND l.captured_at >= %(since)s
AND {_MAY_BE_OF_NOTE} AND {{compared}}
"""


# A product that was not checked today has no stored change. It may be checked more often than by
# this user's cadence, because of a teammate.
_BESIDE_STORED = f"""
(l.captured_at < (SELECT m.starts_at FROM {MARKETS} WHERE m.code = p.marketplace)
OR t.cadence = ANY(%(several)s) OR EXISTS (
    SELECT 1 FROM fetch_schedule s
    WHERE s.product_id = t.product_id AND s.cadence_minutes < %(daily)s))
"""


def _compare_with_day(
    session: Session, principal: Principal, query: ChangeQuery, report: Report
) -> FoundChanges:
    """Return the products whose values differ from those of the day before `since`.

    For the last day only products that were not checked today, or are checked several times a
    day: the stored changes cover the others.
    """
    conditions = [SCOPES[query.scope]]
    if query.roles:
        conditions.append("t.role = ANY(%(roles)s)")
    scope = " AND ".join(conditions)
    compared = _BESIDE_STORED if query.is_last_day else "true"
    values = scope_values(principal) | make_values(query) | _day_values(query)
    values |= make_period_values(ChangePeriod.DAY) | {
        "several": list(SEVERAL_A_DAY),
        "daily": Cadence.DAILY.minutes,
    }
    team = read_team_thresholds(session, principal.team_id)
    found: FoundChanges = {}
    ranges = _chunk_ranges(session, scope, values)
    for number, (after, last) in enumerate(ranges):
        report(number * CHUNK, len(ranges) * CHUNK)
        statement = _CHUNK.format(scope=scope, compared=compared)
        rows = fetch_rows(session, statement, values | {"after": after, "last": last})
        found.update(find_notable(rows, _values_of_day, query, team))
    return found


def _day_values(query: ChangeQuery) -> dict[str, Any]:
    """Return the earlier local date of `since`, the later, and the marketplaces with the later."""
    days = {
        code: query.since.astimezone(ZoneInfo(place.time_zone)).date()
        for code, place in MARKETPLACES.items()
    }
    day = min(days.values())
    ahead = [code for code, own in days.items() if own > day]
    return {"day": day, "later": day + timedelta(days=1), "ahead": ahead}


def _chunk_ranges(session: Session, scope: str, values: dict[str, Any]) -> list[tuple[int, int]]:
    """Return ranges of product ids with a chunk of products each, as (after, last)."""
    statement = (
        f"SELECT t.product_id FROM tracking t WHERE {scope} AND t.product_id > %(after)s "
        f"ORDER BY t.product_id OFFSET {CHUNK - 1} LIMIT 1"
    )
    ranges, after = [], 0
    while rows := fetch_rows(session, statement, values | {"after": after}):
        ranges.append((after, rows[0].product_id))
        after = rows[0].product_id
    return [*ranges, (after, 2**62)]


def _values_of_day(row: Any) -> AcceptedValues:
    return AcceptedValues(
        row.price_close,
        row.bsr_close,
        row.then_category_id,
        row.then_rating,
        row.then_ratings_count,
        # Days of before the state at the close was kept have only the share.
        availability_of_day(row.in_stock_share, row.availability)
        if row.availability_close is None
        else row.availability_close,
        row.seller_close,
    )


_day_values_of = attrgetter(*DAY_COLUMNS)


# Details of a page

_YESTERDAY = ", ".join(f"c.{name}" for name in DAY_COLUMNS)
_DETAILS = f"""
SELECT p.id AS product_id, p.marketplace, p.asin, p.is_demo, x.title, t.role, t.tags,
    t.price_change_percent, t.rank_change_percent, l.captured_at, g.name AS bsr_category,
    {NOW}, {_YESTERDAY}, c.attention_kind, c.day - 1 AS yesterday,
    d.day, d.price_close, d.bsr_close, d.bsr_category_id AS then_category_id,
    d.rating AS then_rating, d.ratings_count AS then_ratings_count, d.in_stock_share,
    d.availability_close, d.seller_close, {_LISTING_CHANGED} AS listing_changed
FROM unnest(%(ids)s::int8[]) WITH ORDINALITY AS o (id, place)
JOIN product p ON p.id = o.id
JOIN tracking t ON t.product_id = o.id AND {{scope}}
JOIN product_latest l ON l.product_id = o.id
JOIN product_change c ON c.product_id = o.id
LEFT JOIN {_DAY_THEN} ON true
LEFT JOIN product_text x ON x.product_id = o.id
LEFT JOIN category g ON g.id = l.bsr_category_id
ORDER BY o.place
"""


def _details(
    session: Session, principal: Principal, query: ChangeQuery, page: FoundChanges
) -> list[ChangedProduct]:
    if not page:
        return []
    if query.period is not None:
        return read_period_details(session, principal, query, query.period, list(page))
    statement = _DETAILS.format(scope=SCOPES[query.scope])
    values = scope_values(principal) | make_values(query) | _day_values(query) | {"ids": list(page)}
    rows = fetch_rows(session, statement, values)
    team = read_team_thresholds(session, principal.team_id)
    changes = (
        _change_since_day_before(row)
        if page[row.product_id].is_since_day_before
        else _change_since_day(row, team)
        for row in rows
    )
    return [each for each in changes if each is not None]


def _change_since_day_before(row: Any) -> ChangedProduct | None:
    if row.attention_kind is None:  # an observation stored meanwhile reverted the change
        return None
    then, now = AcceptedValues(*_day_values_of(row)), current_values(row)
    return make_changed_product(row, then, now, ChangeKind(row.attention_kind), row.yesterday)


def _change_since_day(row: Any, team: Thresholds) -> ChangedProduct | None:
    then, now = _values_of_day(row), current_values(row)
    thresholds = team.with_own(row.price_change_percent, row.rank_change_percent)
    notable = find_notable_change(then, now, row.listing_changed, thresholds)
    if notable is None or row.day is None:
        return None
    return make_changed_product(row, then, now, notable[0], row.day, is_exact=False)
