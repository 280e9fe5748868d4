"""Products by what changed over a period, and what changed by team and day. SELECTs only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.history.periods.change_detection import ChangeKind
from core.history.periods.change_period import ChangePeriod
from core.history.periods.index import chain_index
from core.tracking.list_filter import COUNT_CAP, LARGEST_PAGE, ListFilter
from core.tracking.lists.list_filter_sql import make_filter_sql
from core.tracking.rules import Role


class MovedValue(StrEnum):
    """What to order products by: the end of the column's name."""

    PRICE = "price_change"
    RANK = "rank_change"
    RATING = "rating_change"
    RATINGS_COUNT = "ratings_change"


@dataclass(frozen=True, slots=True)
class Movers:
    """A page of products. `total` is exact up to COUNT_CAP, and one more beyond it."""

    product_ids: list[int]
    total: int


_AMONG: Final = 4  # a team's page is first sought among so many times its size


@requires(Permission.READ)
def find_movers(
    session: Session,
    principal: Principal,
    list_filter: ListFilter,
    period: ChangePeriod,
    value: MovedValue,
    *,
    is_descending: bool,
    skipped: int,
    size: int,
) -> Movers:
    """Return the products of a list whose value changed over a period, by the change.

    Descending: the largest increase first, which is a rank's worst. Products whose value is the
    same or not known at both times are left out.
    """
    filtered = make_filter_sql(principal, list_filter)
    skipped, size = max(skipped, 0), min(max(size, 1), LARGEST_PAGE)
    column, direction = f"c.{period}_{value}", "DESC" if is_descending else "ASC"
    moved = f"FROM {filtered.from_tables('c')} WHERE {filtered.conditions} AND {column} <> 0"
    ordered = f"ORDER BY {column} {direction}, c.product_id {direction}"
    page = f"OFFSET {skipped} LIMIT {size}"
    if list_filter.is_empty:  # a team tracks most products: its first ones are among the first
        first = (
            f"SELECT c.product_id, {column} AS change FROM product_change AS c "
            f"WHERE {column} <> 0 {ordered} LIMIT {skipped + size * _AMONG}"
        )
        among = (
            f"WITH first AS MATERIALIZED ({first}), counted AS ({_COUNT_MOVED.format(moved)}) "
            "SELECT t.product_id, (SELECT number FROM counted) AS number "
            f"FROM first JOIN tracking AS t ON t.product_id = first.product_id "
            f"WHERE {filtered.conditions} "
            f"ORDER BY first.change {direction}, t.product_id {direction} {page}"
        )
        rows = _fetch(session, among, filtered.values)
        if len(rows) == size:
            return Movers([row.product_id for row in rows], rows[0].number)
    # They are all read, and so are counted with it.
    whole = f"SELECT c.product_id, count(*) OVER () AS number {moved} {ordered} {page}"
    rows = _fetch(session, whole, filtered.values)
    if rows or not skipped:
        total = min(rows[0].number, COUNT_CAP + 1) if rows else 0
        return Movers([row.product_id for row in rows], total)
    [count] = _fetch(session, _COUNT_MOVED.format(moved), filtered.values)
    return Movers([], count.number)


_COUNT_MOVED: Final = f"SELECT count(*) AS number FROM (SELECT 1 {{}} LIMIT {COUNT_CAP + 1}) AS m"


@requires(Permission.READ)
def find_extremes(
    session: Session,
    _principal: Principal,
    product_ids: Sequence[int],
    period: ChangePeriod,
    value: MovedValue,
    size: int,
) -> list[int]:
    """Return the products whose value moved most: at most `size` of those that rose, then fell.

    `product_ids`: of a list of the principal's. The largest rise first, the largest fall last.
    """
    column = f"c.{period}_{value}"
    side = (
        "(SELECT c.product_id, {column} AS change FROM product_change AS c "
        "WHERE c.product_id = ANY(%(ids)s) AND {column} {sign} 0 "
        "ORDER BY {column} {direction}, c.product_id LIMIT {size})"
    )
    rising = side.format(column=column, sign=">", direction="DESC", size=size)
    falling = side.format(column=column, sign="<", direction="ASC", size=size)
    statement = f"{rising} UNION ALL {falling} ORDER BY change DESC, product_id"
    return [row.product_id for row in _fetch(session, statement, {"ids": list(product_ids)})]


@dataclass(frozen=True, slots=True)
class ChangeCount:
    """How many products of a role had a change as their worst on a marketplace's day."""

    day: date
    marketplace: str
    role: Role
    kind: ChangeKind
    products: int


@requires(Permission.READ)
def list_change_counts(session: Session, principal: Principal, since: date) -> list[ChangeCount]:
    """Return the team's counts of the closed days from `since` on, in order of day."""
    rows = _fetch(session, _COUNTS, {"team": principal.team_id, "since": since})
    return [
        ChangeCount(row.day, row.marketplace, Role(row.role), ChangeKind(row.kind), row.products)
        for row in rows
    ]


_COUNTS: Final = """
SELECT day, marketplace, role, kind, products FROM team_change_day
WHERE team_id = %(team)s AND day >= %(since)s ORDER BY day, marketplace, role, kind
"""


@dataclass(frozen=True, slots=True)
class IndexDay:
    """The index of the team's products of a role at a day's close, 100 before the first day.

    None: fewer than `index.FEWEST` products were compared. A higher rank index is worse.
    """

    day: date
    role: Role
    price_index: float | None
    price_products: int
    rank_index: float | None
    rank_products: int


@requires(Permission.READ)
def list_index_days(session: Session, principal: Principal, since: date) -> list[IndexDay]:
    """Return the team's index by role and day, from `since` on."""
    rows = _fetch(session, _INDEX_DAYS, {"team": principal.team_id, "since": since})
    found = []
    for role, group in groupby(rows, key=attrgetter("role")):
        days = list(group)
        prices = chain_index([row.price_ratio for row in days])
        ranks = chain_index([row.rank_ratio for row in days])
        found += [
            IndexDay(row.day, Role(role), price, row.price_products, rank, row.rank_products)
            for row, price, rank in zip(days, prices, ranks, strict=True)
        ]
    return found


_INDEX_DAYS: Final = """
SELECT day, role, price_ratio, price_products, rank_ratio, rank_products FROM team_index_day
WHERE team_id = %(team)s AND day >= %(since)s ORDER BY role DESC, day
"""


def _fetch(session: Session, statement: str, values: dict[str, Any]) -> list[Any]:
    # Never prepared: a generic plan for any filter is slow.
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()
