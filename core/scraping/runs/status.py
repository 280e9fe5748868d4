"""Read the status of fetching for one product or a team: its runs, its schedule.

SELECTs only. The text on a product's schedule is in `core.history.current.missing_values`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.history.observation import Outcome
from core.history.product_summary import ProductSummary


@dataclass(frozen=True, slots=True)
class ProductRun:
    """A run of an actor that was to fetch a product, with its state."""

    run_id: int
    provider: str
    actor: str
    state: str  # intended, running, finished, collected, failed
    began_at: datetime
    ended_at: datetime | None  # None: still open
    outcome: Outcome | None  # of this product; None: not yet known
    detail: str | None  # of the outcome; may quote a page
    error: str | None  # of the whole run; may quote the provider


_RUNS = """
SELECT r.id, r.provider, r.actor, r.state, r.intended_at,
    COALESCE(r.collected_at, r.finished_at) AS ended_at, i.outcome, i.detail, r.error
FROM (SELECT * FROM fetch_item WHERE product_id = :product
      ORDER BY fetch_run_id DESC LIMIT :limit) AS i
JOIN fetch_run r ON r.id = i.fetch_run_id
ORDER BY r.id DESC
"""


@requires(Permission.READ)
def list_product_runs(
    session: Session, _acting: Principal, head: ProductSummary, limit: int = 5
) -> list[ProductRun]:
    """Return the newest runs that were to fetch a product, newest first."""
    rows = session.execute(text(_RUNS), {"product": head.product_id, "limit": limit})
    return [
        ProductRun(
            run_id=row.id,
            provider=row.provider,
            actor=row.actor,
            state=row.state,
            began_at=row.intended_at,
            ended_at=row.ended_at,
            outcome=None if row.outcome is None else Outcome(row.outcome),
            detail=row.detail,
            error=row.error,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class CurrentSchedule:
    """Counts of a team's tracked products by the state of their fetching."""

    due: int  # and not being fetched
    being_fetched: int
    failing: int  # whose last fetch failed
    not_scheduled: int  # paused by everyone who tracks them
    next_due_at: datetime | None  # the earliest, past or future; None: nothing scheduled


# One pass over the team's tracked products gives all counts.
_NOW = """
SELECT
    count(*) FILTER (WHERE s.due_at <= :now
        AND (s.leased_until IS NULL OR s.leased_until <= :now)),
    count(*) FILTER (WHERE s.leased_until > :now),
    count(*) FILTER (WHERE s.failures > 0),
    count(*) FILTER (WHERE s.product_id IS NULL),
    min(s.due_at)
FROM tracking t LEFT JOIN fetch_schedule s ON s.product_id = t.product_id
WHERE t.team_id = :team AND t.is_first
"""


@requires(Permission.READ)
def find_current_schedule(session: Session, principal: Principal, now: datetime) -> CurrentSchedule:
    """Return counts of the team's tracked products by the state of their fetching."""
    row = session.execute(text(_NOW), {"team": principal.team_id, "now": now}).one()
    return CurrentSchedule(*row)
