"""The figures above the overview: how many products, how fresh, how many wait. Capped counts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.tracking.list_filter import COUNT_CAP, ListScope
from core.tracking.lists.list_filter_sql import NEWS_HOURS, SCOPES, scope_values

_CAP = COUNT_CAP + 1


@dataclass(frozen=True, slots=True)
class Freshness:
    """How up to date a person's products are. Counts beyond COUNT_CAP say COUNT_CAP + 1."""

    followed: int
    expected: int  # neither paused nor weekly: one look a day at least
    looked_at: int  # of the expected ones, in the last 24 hours
    last_look: datetime | None  # None: never
    as_of: datetime
    is_compared: bool  # False: no product was checked lately that was checked on a day before


_FRESHNESS = """
SELECT
  (SELECT count(*) FROM (SELECT 1 FROM tracking t WHERE {scope} LIMIT {cap}) AS a),
  (SELECT count(*) FROM (SELECT 1 FROM tracking t WHERE {scope}
     AND t.paused_at IS NULL AND t.cadence <> 'weekly' LIMIT {cap}) AS b),
  (SELECT count(*) FROM (SELECT 1 FROM tracking t
     JOIN product_latest l ON l.product_id = t.product_id
     WHERE {scope} AND t.paused_at IS NULL AND t.cadence <> 'weekly'
     AND l.captured_at >= now() - interval '24 hours' LIMIT {cap}) AS c),
  (SELECT l.captured_at FROM product_latest l JOIN tracking t ON t.product_id = l.product_id
     WHERE {scope} AND l.captured_at IS NOT NULL
     ORDER BY l.captured_at DESC LIMIT 1),
  now(),
  EXISTS (SELECT 1 FROM tracking t JOIN product_latest l ON l.product_id = t.product_id
     WHERE {scope} AND l.prior_day IS NOT NULL
     AND l.captured_at >= now() - interval '{news} hours')
"""


@requires(Permission.READ)
def freshness(
    session: Session, principal: Principal, whose: ListScope = ListScope.MINE
) -> Freshness:
    """Return how up to date the products of the acting person, or of the team, are."""
    statement = _FRESHNESS.format(scope=SCOPES[whose], cap=_CAP, news=NEWS_HOURS)
    with driver_connection(session).cursor() as cursor:
        row: Any = cursor.execute(statement, scope_values(principal)).fetchone()
    return Freshness(*row)


def requests_waiting(session: Session, but: list[int]) -> int:
    """Return how many products somebody asked for and that wait, without `but`."""
    statement = (
        "SELECT count(*) FROM (SELECT 1 FROM fetch_schedule WHERE priority = 0 "
        "AND leased_until IS NULL AND due_at <= now() AND product_id <> ALL(:but) "
        f"LIMIT {_CAP}) AS capped"
    )
    return int(session.execute(text(statement), {"but": but}).scalar_one())
