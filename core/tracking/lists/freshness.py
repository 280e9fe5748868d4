"""How many products are tracked, checked lately and pending. Capped counts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.tracking.list_filter import COUNT_CAP, ListScope
from core.tracking.lists.list_filter_sql import SCOPES, scope_values

_CAP = COUNT_CAP + 1


@dataclass(frozen=True, slots=True)
class Freshness:
    """How up to date the tracked products are. Counts beyond COUNT_CAP are COUNT_CAP + 1."""

    tracked: int
    expected: int  # neither paused nor weekly: checked at least once a day
    checked: int  # of the expected ones, in the last 24 hours
    last_observed_at: datetime | None  # None: never
    as_of: datetime


_LAST_OBSERVED = """
SELECT l.captured_at FROM product_latest l JOIN tracking t ON t.product_id = l.product_id
WHERE {scope} AND l.captured_at IS NOT NULL
ORDER BY l.captured_at DESC LIMIT 1
"""
_FRESHNESS = """
SELECT
  (SELECT count(*) FROM (SELECT 1 FROM tracking t WHERE {scope} LIMIT {cap}) AS a),
  (SELECT count(*) FROM (SELECT 1 FROM tracking t WHERE {scope}
     AND t.paused_at IS NULL AND t.cadence <> 'weekly' LIMIT {cap}) AS b),
  (SELECT count(*) FROM (SELECT 1 FROM tracking t
     JOIN product_latest l ON l.product_id = t.product_id
     WHERE {scope} AND t.paused_at IS NULL AND t.cadence <> 'weekly'
     AND l.captured_at >= now() - interval '24 hours' LIMIT {cap}) AS c),
  ({last_observed}),
  now()
"""


@requires(Permission.READ)
def measure_freshness(
    session: Session, principal: Principal, scope: ListScope = ListScope.MINE
) -> Freshness:
    """Return how up to date the products of the principal, or of the team, are."""
    in_scope = SCOPES[scope]
    last_observed = _LAST_OBSERVED.format(scope=in_scope)
    statement = _FRESHNESS.format(scope=in_scope, cap=_CAP, last_observed=last_observed)
    with driver_connection(session).cursor() as cursor:
        row: Any = cursor.execute(statement, scope_values(principal)).fetchone()
    return Freshness(*row)


@requires(Permission.READ)
def find_last_observed(
    session: Session, principal: Principal, scope: ListScope = ListScope.MINE
) -> datetime | None:
    """Return when any of the principal's, or of the team's, products was last observed."""
    statement = _LAST_OBSERVED.format(scope=SCOPES[scope])
    with driver_connection(session).cursor() as cursor:
        row: Any = cursor.execute(statement, scope_values(principal)).fetchone()
    return None if row is None else row[0]


def count_pending_requests(session: Session, except_ids: list[int]) -> int:
    """Return how many requested checks are due and not started, without these products."""
    statement = (
        "SELECT count(*) FROM (SELECT 1 FROM fetch_schedule WHERE priority = 0 "
        "AND leased_until IS NULL AND due_at <= now() AND product_id <> ALL(:except) "
        f"LIMIT {_CAP}) AS capped"
    )
    return int(session.execute(text(statement), {"except": except_ids}).scalar_one())
