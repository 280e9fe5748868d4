"""Tracked products by what changed over a period. SELECTs only."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.history.periods.change_period import ChangePeriod
from core.tracking.list_filter import COUNT_CAP, LARGEST_PAGE, ListFilter
from core.tracking.lists.list_filter_sql import make_filter_sql


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
    column, direction = f"c.{period}_{value}", "DESC" if is_descending else "ASC"
    moved = f"FROM {filtered.from_tables('c')} WHERE {filtered.conditions} AND {column} <> 0"
    ordered = f"ORDER BY {column} {direction}, c.product_id {direction}"
    rows = _fetch(
        session,
        f"SELECT c.product_id {moved} {ordered} "
        f"OFFSET {max(skipped, 0)} LIMIT {min(max(size, 1), LARGEST_PAGE)}",
        filtered.values,
    )
    capped = f"SELECT 1 {moved} LIMIT {COUNT_CAP + 1}"
    [count] = _fetch(session, f"SELECT count(*) AS number FROM ({capped}) AS m", filtered.values)
    return Movers([row.product_id for row in rows], count.number)


def _fetch(session: Session, statement: str, values: dict[str, Any]) -> list[Any]:
    # Never prepared: a generic plan for any filter is slow.
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()
