"""What the lists of changes share: how rows are read, compared and returned. SELECTs only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.database.session import driver_connection
from core.history.accepted_values import CURRENT_COLUMNS, AcceptedValues
from core.history.changes.change_query import ChangeOrder, ChangeQuery
from core.history.changes.comparison import ChangedProduct, find_notable_change
from core.history.periods.change_detection import ChangeKind
from core.thresholds import Thresholds
from core.tracking.rules import Role

NOW = ", ".join(f"l.{name}" for name in CURRENT_COLUMNS)


@dataclass(frozen=True, slots=True)
class FoundChange:
    """A product that changed."""

    score: float
    key: float  # what the list is ordered by
    is_since_day_before: bool  # compared with the day before its newest observation


FoundChanges = dict[int, FoundChange]


def make_values(query: ChangeQuery) -> dict[str, Any]:
    """Return the values of a statement's parameters."""
    return {
        "since": query.since,
        "roles": [role.value for role in query.roles],
        "kinds": [kind.value for kind in query.kinds],
    }


def fetch_rows(session: Session, statement: str, values: dict[str, Any]) -> list[Any]:
    """Return rows with their columns as attributes."""
    # Never prepared: a plan made for any filter is a bad plan for this one.
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()


def order_key(query: ChangeQuery, score: float, row: Any) -> float:
    """Return what a list is ordered by."""
    moment: float = row.captured_at.timestamp()
    return score if query.order is ChangeOrder.WORST else moment


SMALLEST_LOSS = 0.0499  # of the ratings


def format_least(percent: str) -> str:
    """Return the SQL of a threshold as a share, a little below it."""
    return f"({percent}::float8 * 0.00999)"


def find_notable(
    rows: Sequence[Any],
    then_of: Callable[[Any], AcceptedValues],
    query: ChangeQuery,
    team: Thresholds,
) -> FoundChanges:
    """Return the rows' products with a worst change that reaches the user's thresholds.

    `then_of`: returns the values that a row's newest ones are compared with.
    """
    found = {}
    for row in rows:
        thresholds = team.with_own(row.price_change_percent, row.rank_change_percent)
        notable = find_notable_change(
            then_of(row), current_values(row), row.listing_changed, thresholds
        )
        if notable is None or (query.kinds and notable[0] not in query.kinds):
            continue
        key = order_key(query, notable[1], row)
        found[row.product_id] = FoundChange(notable[1], key, False)
    return found


_current_values_of = attrgetter(*CURRENT_COLUMNS)


def current_values(row: Any) -> AcceptedValues:
    """Return the newest accepted values of a row."""
    return AcceptedValues(*_current_values_of(row))


def make_changed_product(
    row: Any,
    then: AcceptedValues,
    now: AcceptedValues,
    kind: ChangeKind | None,
    day: date,
    *,
    is_exact: bool = True,
) -> ChangedProduct:
    """Return a row as a product that changed since the close of a day."""
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
