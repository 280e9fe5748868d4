"""Changes of the products that a user or a team tracks, since a time. SELECTs only.

For the last day, the changes stored in `product_change` are read by their index. They compare
with yesterday's close, so products that were not checked today, or are checked several times a
day, are also compared with the day before `since`. Further back, the newest values of all tracked
products are compared with those of the day before `since`, a chunk of products at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.marketplaces import MARKETPLACES
from core.database.session import driver_connection
from core.errors import InvalidInputError
from core.history.accepted_values import (
    CURRENT_COLUMNS,
    DAY_COLUMNS,
    VALUE_NAMES,
    AcceptedValues,
)
from core.history.changes.comparison import (
    ChangedProduct,
    availability_of_day,
    find_notable_change,
)
from core.history.periods.change_detection import ChangeKind
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import MovedValue, find_movers
from core.history.periods.roll import list_market_days
from core.thresholds import Thresholds
from core.tracking.list_filter import COUNT_CAP, ListFilter, ListScope
from core.tracking.lists.list_filter_sql import (
    IS_ENOUGH,
    PRICE_PERCENT,
    RANK_PERCENT,
    SCOPES,
    scope_values,
)
from core.tracking.lists.team_thresholds import read_team_thresholds
from core.tracking.rules import Cadence, Role

DEFAULT_PERIOD = timedelta(days=1)
A_DAY = timedelta(hours=25)  # a caller that asks for one day may take a while to send it
LONGEST_PERIOD = timedelta(days=92)
SEVERAL_A_DAY = ("hourly", "6h")  # cadences
CHUNK = 10_000  # products compared by one statement
OLDEST_DAY = 8  # days back from `since` to look for the last one: a weekly check, and a day

Report = Callable[[int, int], None]  # products compared so far, and at most how many in all


class ChangeOrder(StrEnum):
    """How a list of changes is ordered: by the worst change, the check or one value's change."""

    WORST = "worst"
    NEWEST = "newest"
    PRICE = "price"
    RANK = "rank"
    RATING = "rating"
    RATINGS_COUNT = "ratings_count"


_VALUES: Final = {
    ChangeOrder.PRICE: MovedValue.PRICE,
    ChangeOrder.RANK: MovedValue.RANK,
    ChangeOrder.RATING: MovedValue.RATING,
    ChangeOrder.RATINGS_COUNT: MovedValue.RATINGS_COUNT,
}


@dataclass(frozen=True, slots=True)
class ChangeQuery:
    """A filter of changes and their order. Empty: all."""

    since: datetime
    is_last_day: bool  # include changes since the day before each newest observation
    scope: ListScope = ListScope.TEAM
    roles: tuple[Role, ...] = ()
    kinds: tuple[ChangeKind, ...] = ()
    order: ChangeOrder = ChangeOrder.WORST
    period: ChangePeriod | None = None  # compare with its close instead of the day before `since`
    is_descending: bool = True  # of the order by a value


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """A page of changes. `total` is exact up to COUNT_CAP, and one more beyond it."""

    rows: list[ChangedProduct]
    total: int


def start_of_changes(since: datetime | None, now: datetime) -> tuple[datetime, bool]:
    """Return the start of the period, and whether it is the last day.

    Raises InvalidInputError for a time in the future or too long ago.
    """
    if since is None:
        return (now - DEFAULT_PERIOD).replace(microsecond=0), True
    aware = since if since.tzinfo else since.replace(tzinfo=UTC)
    if aware > now:
        raise InvalidInputError("`since` lies in the future. Leave it out for a day ago.")
    if aware < now - LONGEST_PERIOD:
        raise InvalidInputError(
            f"`since` lies more than {LONGEST_PERIOD.days} days back. Ask for a later time, "
            "or for one product's history."
        )
    return aware.replace(microsecond=0), aware >= now - A_DAY


def find_first_start(period: ChangePeriod, now: datetime) -> datetime:
    """Return when a period begins in the marketplace where it does so first."""
    place = list(ChangePeriod).index(period)
    return min(day.starts[place] for day in list_market_days(now).values())


def _ignore_progress(_done: int, _total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A product that changed."""

    score: float
    key: float  # what the list is ordered by
    is_since_day_before: bool  # compared with the day before its newest observation


Found = dict[int, _Found]


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
    if query.order in _VALUES:
        return _find_movers(session, principal, query, offset, size)
    if query.period is not None:
        found = _compare_with_close(session, principal, query, query.period)
    else:
        found = _find_since(session, principal, query, report)
    ordered = sorted(found, key=lambda number: (found[number].key, number), reverse=True)
    page = {number: found[number] for number in ordered[offset : offset + size]}
    total = min(len(found), COUNT_CAP + 1)
    return ChangesPage(_details(session, principal, query, page), total)


def _find_since(
    session: Session, principal: Principal, query: ChangeQuery, report: Report
) -> Found:
    """Return the products that changed since a time."""
    found = _compare_with_day(session, principal, query, report)
    if query.is_last_day:
        found = _merge_worst(found, _find_since_day_before(session, principal, query))
    return found


def _merge_worst(one: Found, other: Found) -> Found:
    """Return the products of both; for one in both, the worse change."""
    both = other | one
    return {
        number: max(one.get(number, each), other.get(number, each), key=lambda has: has.score)
        for number, each in both.items()
    }


def _values(principal: Principal, query: ChangeQuery) -> dict[str, Any]:
    return {
        **scope_values(principal),
        "since": query.since,
        "roles": [role.value for role in query.roles],
        "kinds": [kind.value for kind in query.kinds],
    }


def _fetch(session: Session, statement: str, values: dict[str, Any]) -> list[Any]:
    # Never prepared: a plan made for any filter is a bad plan for this one.
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()


# Compared with the day before


def _find_since_day_before(session: Session, principal: Principal, query: ChangeQuery) -> Found:
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
        row.product_id: _Found(row.attention, _key(query, row.attention, row), True)
        for row in _fetch(session, statement, _values(principal, query))
    }


def _key(query: ChangeQuery, score: float, row: Any) -> float:
    moment: float = row.captured_at.timestamp()
    return score if query.order is ChangeOrder.WORST else moment


# Compared with the close that a period begins with

_SMALLEST_LOSS = 0.0499  # of the ratings


def _least(percent: str) -> str:
    """Return the SQL of a threshold as a share, a little below it."""
    return f"({percent}::float8 * 0.00999)"


def _find_movers(
    session: Session, principal: Principal, query: ChangeQuery, offset: int, size: int
) -> ChangesPage:
    if query.period is None:
        raise InvalidInputError("An order by a value needs `period`: day, week or month.")
    if query.kinds:
        raise InvalidInputError("`kinds` need the order worst or newest.")
    page = find_movers(
        session,
        principal,
        ListFilter(roles=query.roles, scope=query.scope),
        query.period,
        _VALUES[query.order],
        is_descending=query.is_descending,
        skipped=offset,
        size=size,
    )
    found = dict.fromkeys(page.product_ids, _Found(0, 0, False))
    return ChangesPage(_details(session, principal, query, found), page.total)


_THEN_OF_PERIOD: Final = {
    period: ", ".join(f"c.{period}_{name} AS then_{name}" for name in VALUE_NAMES)
    for period in ChangePeriod
}
_MARKETS: Final = "unnest(%(codes)s::text[], %(starts)s::timestamptz[]) AS m (code, starts_at)"
_LISTING_CHANGED_IN_PERIOD: Final = """
(l.listing_changed_at >= m.starts_at AND EXISTS (
    SELECT 1 FROM listing_version v
    WHERE v.product_id = l.product_id AND v.first_seen_at < m.starts_at))
"""
# Wider than the check in Python, never narrower, as `_MAY_BE_OF_NOTE`.
_CHANGED_IN_PERIOD: Final = f"""
SELECT l.product_id, l.captured_at, t.price_change_percent, t.rank_change_percent,
    {", ".join(f"l.{name}" for name in CURRENT_COLUMNS)}, {{then}},
    {_LISTING_CHANGED_IN_PERIOD} AS listing_changed
FROM tracking t
JOIN product p ON p.id = t.product_id
JOIN {_MARKETS} ON m.code = p.marketplace
JOIN product_latest l ON l.product_id = t.product_id AND l.captured_at >= m.starts_at
JOIN product_change c ON c.product_id = t.product_id
WHERE {{scope}} AND (abs(c.{{period}}_price_change) >= {_least(PRICE_PERCENT)}
    OR abs(c.{{period}}_rank_change) >= ln(1 + {_least(RANK_PERCENT)})
    OR -c.{{period}}_ratings_change >= c.{{period}}_ratings_count * {_SMALLEST_LOSS}
    OR l.availability <> c.{{period}}_availability OR c.{{period}}_seller_changed
    OR l.listing_changed_at >= m.starts_at)
"""


def _compare_with_close(
    session: Session, principal: Principal, query: ChangeQuery, period: ChangePeriod
) -> Found:
    """Return the products that changed over a period."""
    conditions = [SCOPES[query.scope]]
    if query.roles:
        conditions.append("t.role = ANY(%(roles)s)")
    statement = _CHANGED_IN_PERIOD.format(
        period=period, then=_THEN_OF_PERIOD[period], scope=" AND ".join(conditions)
    )
    values = _values(principal, query) | _period_values(period)
    team = read_team_thresholds(session, principal.team_id)
    return dict(_find_notable(_fetch(session, statement, values), query, team))


def _period_values(period: ChangePeriod) -> dict[str, Any]:
    """Return the marketplaces, and when the period began in each."""
    days = list_market_days(datetime.now(UTC))
    place = list(ChangePeriod).index(period)
    return {"codes": list(days), "starts": [each.starts[place] for each in days.values()]}


_then_values_of = attrgetter(*(f"then_{name}" for name in VALUE_NAMES))


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
(abs(l.price - d.price_close) >= d.price_close * {_least(PRICE_PERCENT)}
 OR (l.bsr_category_id = d.bsr_category_id
     AND greatest(l.bsr, d.bsr_close) >= least(l.bsr, d.bsr_close) * (1 + {_least(RANK_PERCENT)}))
 OR l.ratings_count <= d.ratings_count * (1 - {_SMALLEST_LOSS})
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
(l.captured_at < (SELECT m.starts_at FROM {_MARKETS} WHERE m.code = p.marketplace)
OR t.cadence = ANY(%(several)s) OR EXISTS (
    SELECT 1 FROM fetch_schedule s
    WHERE s.product_id = t.product_id AND s.cadence_minutes < %(daily)s))
"""


def _compare_with_day(
    session: Session, principal: Principal, query: ChangeQuery, report: Report
) -> Found:
    """Return the products whose values differ from those of the day before `since`.

    For the last day only products that were not checked today, or are checked several times a
    day: the stored changes cover the others.
    """
    conditions = [SCOPES[query.scope]]
    if query.roles:
        conditions.append("t.role = ANY(%(roles)s)")
    scope = " AND ".join(conditions)
    compared = _BESIDE_STORED if query.is_last_day else "true"
    values = _values(principal, query) | _day_values(query)
    values |= _period_values(ChangePeriod.DAY) | {
        "several": list(SEVERAL_A_DAY),
        "daily": Cadence.DAILY.minutes,
    }
    team = read_team_thresholds(session, principal.team_id)
    found: Found = {}
    ranges = _chunk_ranges(session, scope, values)
    for number, (after, last) in enumerate(ranges):
        report(number * CHUNK, len(ranges) * CHUNK)
        statement = _CHUNK.format(scope=scope, compared=compared)
        rows = _fetch(session, statement, values | {"after": after, "last": last})
        found.update(_find_notable(rows, query, team))
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
    while rows := _fetch(session, statement, values | {"after": after}):
        ranges.append((after, rows[0].product_id))
        after = rows[0].product_id
    return [*ranges, (after, 2**62)]


def _find_notable(
    rows: Sequence[Any], query: ChangeQuery, team: Thresholds
) -> Iterator[tuple[int, _Found]]:
    for row in rows:
        thresholds = team.with_own(row.price_change_percent, row.rank_change_percent)
        then = _values_then(row, query)
        notable = find_notable_change(then, _current_values(row), row.listing_changed, thresholds)
        if notable is None or (query.kinds and notable[0] not in query.kinds):
            continue
        yield row.product_id, _Found(notable[1], _key(query, notable[1], row), False)


_current_values_of = attrgetter(*CURRENT_COLUMNS)
_day_values_of = attrgetter(*DAY_COLUMNS)


def _current_values(row: Any) -> AcceptedValues:
    return AcceptedValues(*_current_values_of(row))


def _values_then(row: Any, query: ChangeQuery) -> AcceptedValues:
    if query.period is None:
        return _values_of_day(row)
    return AcceptedValues(*_then_values_of(row))


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


# Details of a page

_NOW = ", ".join(f"l.{name}" for name in CURRENT_COLUMNS)
_YESTERDAY = ", ".join(f"c.{name}" for name in DAY_COLUMNS)
_DETAILS = f"""
SELECT p.id AS product_id, p.marketplace, p.asin, p.is_demo, x.title, t.role, t.tags,
    t.price_change_percent, t.rank_change_percent, l.captured_at, g.name AS bsr_category,
    {_NOW}, {_YESTERDAY}, c.attention_kind, c.day - 1 AS yesterday,
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
    session: Session, principal: Principal, query: ChangeQuery, page: Found
) -> list[ChangedProduct]:
    if not page:
        return []
    if query.period is not None:
        return _period_details(session, principal, query, query.period, list(page))
    statement = _DETAILS.format(scope=SCOPES[query.scope])
    values = _values(principal, query) | _day_values(query) | {"ids": list(page)}
    rows = _fetch(session, statement, values)
    team = read_team_thresholds(session, principal.team_id)
    changes = (
        _change_since_day_before(row)
        if page[row.product_id].is_since_day_before
        else _change_since_day(row, team)
        for row in rows
    )
    return [each for each in changes if each is not None]


_PERIOD_DETAILS = f"""
SELECT p.id AS product_id, p.marketplace, p.asin, p.is_demo, x.title, t.role, t.tags,
    t.price_change_percent, t.rank_change_percent, l.captured_at, g.name AS bsr_category,
    {_NOW}, {{then}}, c.day - {{days}} AS then_day, {_LISTING_CHANGED_IN_PERIOD} AS listing_changed
FROM unnest(%(ids)s::int8[]) WITH ORDINALITY AS o (id, place)
JOIN product p ON p.id = o.id
JOIN {_MARKETS} ON m.code = p.marketplace
JOIN tracking t ON t.product_id = o.id AND {{scope}}
JOIN product_latest l ON l.product_id = o.id
JOIN product_change c ON c.product_id = o.id
LEFT JOIN product_text x ON x.product_id = o.id
LEFT JOIN category g ON g.id = l.bsr_category_id
WHERE c.day IS NOT NULL
ORDER BY o.place
"""


def _period_details(
    session: Session,
    principal: Principal,
    query: ChangeQuery,
    period: ChangePeriod,
    ids: Sequence[int],
) -> list[ChangedProduct]:
    statement = _PERIOD_DETAILS.format(
        then=_THEN_OF_PERIOD[period], days=period.days, scope=SCOPES[query.scope]
    )
    values = _values(principal, query) | _period_values(period) | {"ids": ids}
    team = read_team_thresholds(session, principal.team_id)
    changes = []
    for row in _fetch(session, statement, values):
        then, now = AcceptedValues(*_then_values_of(row)), _current_values(row)
        thresholds = team.with_own(row.price_change_percent, row.rank_change_percent)
        notable = find_notable_change(then, now, row.listing_changed, thresholds)
        kind = None if notable is None else notable[0]
        if kind is not None or query.order in _VALUES:
            changes.append(_make_changed_product(row, then, now, kind, row.then_day))
    return changes


def _change_since_day_before(row: Any) -> ChangedProduct | None:
    if row.attention_kind is None:  # an observation stored meanwhile reverted the change
        return None
    then, now = AcceptedValues(*_day_values_of(row)), _current_values(row)
    return _make_changed_product(row, then, now, ChangeKind(row.attention_kind), row.yesterday)


def _change_since_day(row: Any, team: Thresholds) -> ChangedProduct | None:
    then, now = _values_of_day(row), _current_values(row)
    thresholds = team.with_own(row.price_change_percent, row.rank_change_percent)
    notable = find_notable_change(then, now, row.listing_changed, thresholds)
    if notable is None or row.day is None:
        return None
    return _make_changed_product(row, then, now, notable[0], row.day, is_exact=False)


def _make_changed_product(
    row: Any,
    then: AcceptedValues,
    now: AcceptedValues,
    kind: ChangeKind | None,
    day: date,
    *,
    is_exact: bool = True,
) -> ChangedProduct:
    return ChangedProduct(
        product_id=row.product_id,
        marketplace=row.marketplace,
        asin=row.asin,
        title=row.title,
        is_demo=row.is_demo,
        role=Role(row.role),
        tags=tuple(row.tags),
        captured_at=row.captured_at,
        bsr_category=row.bsr_category,
        then_day=day,
        then=then,
        now=now,
        kind=kind,
        is_exact=is_exact,
    )
