"""Counts for Data health: checks by hour, products by freshness, costs by day, failures by reason.

Checks are counted from what each run counted when it ended, so that a busy day takes no longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.history.observation import Outcome
from core.scraping.runs.budget import Limits
from core.scraping.runs.dispatch import COST_OF_RUN

HOURS: Final = 24
HOUR: Final = timedelta(hours=1)
OVERDUE_AFTER: Final = timedelta(hours=1)  # sixty rounds of dispatching
RUNS_COUNTED: Final = 1000  # the newest with failed checks
ANSWERS: Final = [outcome.value for outcome in Outcome if outcome.is_about_product]


@dataclass(frozen=True, slots=True)
class CheckHour:
    """The checks of one hour by how they ended. `begins_at`: UTC."""

    begins_at: datetime
    answered: int = 0
    failed: int = 0
    blocked: int = 0

    @property
    def total(self) -> int:
        return self.answered + self.failed + self.blocked


@dataclass(frozen=True, slots=True)
class FreshCount:
    """How many scheduled products were last checked within a span, and how many are overdue."""

    span: str  # "under 1 h"
    products: int
    overdue: int


@dataclass(frozen=True, slots=True)
class CostDay:
    """What a UTC day cost in dollars, with expected costs where none is reported."""

    day: date
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class FailureReason:
    """Failed checks of one outcome in one marketplace."""

    outcome: str
    marketplace: str
    checks: int
    products: int
    recovered: int  # of the products: a later check answered
    newest_at: datetime
    next_due_at: datetime | None  # of those that did not recover; None: none is scheduled


_HOURS = """
SELECT date_bin('1 hour', COALESCE(collected_at, intended_at), CAST(:first AS timestamptz)),
       sum(answered), sum(failed), sum(blocked)
FROM fetch_run
WHERE intended_at >= :earliest AND COALESCE(collected_at, intended_at) >= :first
  AND answered IS NOT NULL
GROUP BY 1
"""


def count_by_hour(session: Session, now: datetime) -> list[CheckHour]:
    """Return the checks of the last 24 hours, oldest hour first; hours without any are 0."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first = last - HOUR * (HOURS - 1)
    given = {"first": first, "earliest": first - timedelta(hours=6)}
    found = {row[0].astimezone(UTC): row[1:] for row in session.execute(text(_HOURS), given)}
    hours = (first + HOUR * place for place in range(HOURS))
    return [CheckHour(hour, *map(int, found.get(hour, (0, 0, 0)))) for hour in hours]


SPANS: Final = ("under 1 h", "1 to 6 h", "6 to 24 h", "over 24 h", "no check yet")
# Two queries: counting what is overdue by the index is faster than in the scan of all.
_CHECKED = """
SELECT count(*) FILTER (WHERE looked_at > :hour), count(*) FILTER (WHERE looked_at > :six),
       count(*) FILTER (WHERE looked_at > :day), count(looked_at), count(*)
FROM fetch_schedule
"""
_OVERDUE = """
SELECT count(*) FILTER (WHERE looked_at > :hour), count(*) FILTER (WHERE looked_at > :six),
       count(*) FILTER (WHERE looked_at > :day), count(looked_at), count(*)
FROM fetch_schedule
WHERE priority IN (0, 1) AND due_at <= :overdue AND leased_until IS NULL
"""


def count_by_freshness(session: Session, now: datetime) -> list[FreshCount]:
    """Return the scheduled products by the age of their last check, newest first."""
    given = {
        "hour": now - timedelta(hours=1),
        "six": now - timedelta(hours=6),
        "day": now - timedelta(hours=24),
        "overdue": now - OVERDUE_AFTER,
    }
    checked = session.execute(text(_CHECKED), given).one()
    overdue = session.execute(text(_OVERDUE), given).one()
    before_checked, before_overdue = (0, *checked[:-1]), (0, *overdue[:-1])
    return [
        FreshCount(
            name, checked[place] - before_checked[place], overdue[place] - before_overdue[place]
        )
        for place, name in enumerate(SPANS)
    ]


def read_cost_days(session: Session, provider: str, limits: Limits, now: datetime) -> list[CostDay]:
    """Return the costs of this month's UTC days up to today; days without any are 0."""
    today = now.astimezone(UTC).date()
    first = today.replace(day=1)
    found = session.execute(
        text(
            "SELECT CAST(intended_at AT TIME ZONE 'UTC' AS date), "
            f"COALESCE(sum({COST_OF_RUN}), 0) FROM fetch_run "
            "WHERE provider = :provider AND intended_at >= :first GROUP BY 1"
        ),
        {
            "price": limits.dollars_per_product,
            "provider": provider,
            "first": datetime(first.year, first.month, 1, tzinfo=UTC),
        },
    )
    costs = {day: Decimal(dollars) for day, dollars in found}
    days = (first + timedelta(days=place) for place in range(today.day))
    return [CostDay(day, costs.get(day, Decimal(0))) for day in days]


def add_cost_of_today(days: Sequence[CostDay], dollars: Decimal) -> list[CostDay]:
    """Return days whose last one, which is today, has a newer cost."""
    return [*days[:-1], CostDay(days[-1].day, dollars)]


_REASONS = """
SELECT i.outcome, r.marketplace, count(*), count(DISTINCT i.product_id),
       count(DISTINCT i.product_id) FILTER (WHERE s.last_outcome = ANY(:good)),
       max(COALESCE(r.collected_at, r.intended_at)),
       min(s.due_at) FILTER (WHERE s.last_outcome IS NULL OR s.last_outcome <> ALL(:good))
FROM (SELECT id, marketplace, intended_at, collected_at FROM fetch_run
      WHERE intended_at >= :since AND failed + blocked > 0
      ORDER BY intended_at DESC LIMIT :limit) AS r
JOIN fetch_item i ON i.fetch_run_id = r.id AND i.outcome <> ALL(:good)
LEFT JOIN fetch_schedule s ON s.product_id = i.product_id
GROUP BY i.outcome, r.marketplace ORDER BY count(*) DESC, i.outcome, r.marketplace
"""


def list_failure_reasons(session: Session, now: datetime) -> list[FailureReason]:
    """Return the failed checks of the last 24 hours by reason and marketplace, most first."""
    given = {"good": ANSWERS, "since": now - HOUR * HOURS, "limit": RUNS_COUNTED}
    return [FailureReason(*row) for row in session.execute(text(_REASONS), given)]


def sum_checks(hours: Sequence[CheckHour]) -> tuple[int, int]:
    """Return how many checks there were, and how many of them failed or were blocked."""
    total = sum(each.total for each in hours)
    return total, total - sum(each.answered for each in hours)
