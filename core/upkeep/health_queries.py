"""Reads for the Health page: schedule, runs, failures, costs, jobs, storage.

Counts that grow with the number of products stop at COUNT_CAP + 1. Failures are
listed from the newest runs only (`RUNS_COUNTED`), so that a busy day takes no longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.alerts.engine.outages import read_open_outages
from core.catalog.marketplaces import get_marketplace
from core.database.partitions import list_partitions
from core.scraping.runs.budget import Limits
from core.scraping.runs.dispatch import read_spending
from core.scraping.runs.models import ProviderState
from core.scraping.runs.store_items import decode_raw_item
from core.tracking.list_filter import COUNT_CAP
from core.upkeep.check_counts import (
    ANSWERS,
    OVERDUE_AFTER,
    RUNS_COUNTED,
    CostDay,
    add_cost_of_today,
    read_cost_days,
)
from core.upkeep.health import (
    BlockedSource,
    Imports,
    Jobs,
    Provider,
    Schedule,
    Storage,
)

DAY: Final = timedelta(hours=24)
RUNS_SHOWN: Final = 100
_CAP: Final = COUNT_CAP + 1


@dataclass(frozen=True, slots=True)
class FetchRunRow:
    """One fetch run. `stored` and `failed` count its products; cost None: not yet known."""

    id: int
    intended_at: datetime
    provider: str
    actor: str
    marketplace: str
    state: str
    products: int
    stored: int
    failed: int
    cost_usd: Decimal | None
    error: str | None


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A product whose fetch failed."""

    run_id: int
    product_id: int
    marketplace: str
    asin: str
    title: str | None
    detail: str | None
    at: datetime
    has_original: bool


@dataclass(frozen=True, slots=True)
class JobRow:
    """One run of a job."""

    id: int
    job: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    note: str | None
    error: str | None


# The schedule


def _capped_count(where: str) -> str:
    return (
        "(SELECT count(*) FROM (SELECT 1 FROM fetch_schedule WHERE provider = :provider "
        f"AND priority IN (0, 1) {where} LIMIT {_CAP}) AS capped)"
    )


# Counted from the runs that hold the leases: the schedule has no index of leases, which
# keeps leasing cheap.
_LEASED = f"""
(SELECT count(*) FROM (
    SELECT 1 FROM fetch_run r JOIN fetch_item i ON i.fetch_run_id = r.id
    JOIN fetch_schedule s ON s.product_id = i.product_id AND s.fetch_run_id = r.id
    WHERE r.state IN ('intended', 'running', 'finished') AND r.provider = :provider
    AND s.leased_until IS NOT NULL LIMIT {_CAP}) AS capped)
"""

_SCHEDULE = f"""
SELECT {_capped_count("")}, {_capped_count("AND leased_until IS NULL AND due_at <= :now")},
  {_LEASED},
  {_capped_count("AND leased_until IS NULL AND due_at <= :overdue")},
  least((SELECT min(due_at) FROM fetch_schedule WHERE provider = :provider AND priority = 0),
        (SELECT min(due_at) FROM fetch_schedule WHERE provider = :provider AND priority = 1)),
  (SELECT min(COALESCE(asked_at, intended_at)) FROM fetch_run
   WHERE provider = :provider AND state = 'intended'),
  (SELECT count(*) FROM fetch_run WHERE provider = :provider AND state = 'intended')
"""


def read_schedule(session: Session, provider: str, now: datetime) -> Schedule:
    """Return counts of a provider's scheduled, due, leased and overdue products."""
    row = session.execute(
        text(_SCHEDULE), {"provider": provider, "now": now, "overdue": now - OVERDUE_AFTER}
    ).one()
    return Schedule(*row)


# Providers and what they cost


def read_provider(
    session: Session,
    name: str,
    limits: Limits,
    missing: str | None,
    now: datetime,
    cost_days: Sequence[CostDay] = (),
) -> Provider:
    """Return a provider's state, schedule and costs. Days are UTC days.

    `cost_days`: those of this month as read earlier, to which today's newest cost is added.
    """
    known = session.get(ProviderState, name, populate_existing=True)
    spent = read_spending(session, name, limits, now).dollars_today
    days = add_cost_of_today(cost_days or read_cost_days(session, name, limits, now), spent)
    return Provider(
        name=name,
        state="no_token" if missing else (known.state if known else "unused"),
        detail=missing or (known.detail if known else None),
        checked_at=known.checked_at if known else None,
        retry_at=known.retry_at if known else None,
        schedule=read_schedule(session, name, now),
        dollars_today=spent,
        dollars_this_month=sum((each.dollars for each in days), Decimal(0)),
        dollars_per_day=limits.dollars_per_day or Decimal(0),  # the demo costs nothing
        dollars_per_product=limits.dollars_per_product,
        cost_days=days,
    )


# Runs and their failures

_RUNS = """
SELECT r.id, r.intended_at, r.provider, r.actor, r.marketplace, r.state, r.batch_size,
       i.stored, i.failed, r.cost_usd, r.error
FROM (SELECT * FROM fetch_run WHERE intended_at >= :since
      ORDER BY intended_at DESC LIMIT :limit) AS r
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE outcome = ANY(:good)) AS stored,
         count(*) FILTER (WHERE outcome <> ALL(:good)) AS failed
  FROM fetch_item WHERE fetch_run_id = r.id) AS i
ORDER BY r.intended_at DESC
"""


def list_fetch_runs(session: Session, now: datetime, limit: int = RUNS_SHOWN) -> list[FetchRunRow]:
    """Return the newest runs of the last 24 hours, newest first."""
    given = {"since": now - DAY, "limit": limit, "good": ANSWERS}
    return [FetchRunRow(*row) for row in session.execute(text(_RUNS), given)]


_FAILED_CHECKS = """
SELECT r.id, i.product_id, p.marketplace, p.asin, t.title, i.detail,
       COALESCE(r.finished_at, r.intended_at),
       EXISTS (SELECT 1 FROM raw_item w WHERE w.fetch_run_id = r.id
               AND w.product_id = i.product_id AND w.stored_at >= r.intended_at)
FROM (SELECT id, intended_at, finished_at FROM fetch_run WHERE intended_at >= :since
      AND marketplace = :marketplace AND failed + blocked > 0
      ORDER BY intended_at DESC LIMIT :runs) AS r
JOIN fetch_item i ON i.fetch_run_id = r.id AND i.outcome = :outcome
JOIN product p ON p.id = i.product_id
LEFT JOIN product_text t ON t.product_id = i.product_id
ORDER BY r.id DESC, i.product_id LIMIT :limit
"""


def list_failed_checks(
    session: Session, outcome: str, marketplace: str, now: datetime, limit: int = 50
) -> list[FailedCheck]:
    """Return the newest checks of 24 hours with an outcome in a marketplace, newest run first."""
    given = {"since": now - DAY, "runs": RUNS_COUNTED, "outcome": outcome}
    given |= {"marketplace": marketplace, "limit": limit}
    return [FailedCheck(*row) for row in session.execute(text(_FAILED_CHECKS), given)]


def find_raw_item(session: Session, run_id: int, product_id: int) -> Any | None:
    """Return the original item of a check as JSON values, None if it is not kept."""
    body = session.execute(
        text(
            "SELECT w.body FROM raw_item w, fetch_run r WHERE r.id = :run "
            "AND w.fetch_run_id = r.id AND w.product_id = :product "
            "AND w.stored_at >= r.intended_at ORDER BY w.stored_at LIMIT 1"
        ),
        {"run": run_id, "product": product_id},
    ).scalar()
    return None if body is None else decode_raw_item(body)


# Jobs, imports, storage

_JOBS = """
SELECT id, job, state, started_at, ended_at, note, error FROM job_run
WHERE started_at >= :since
ORDER BY state IN ('failed', 'lost') DESC, started_at DESC LIMIT :limit
"""


def list_job_runs(session: Session, now: datetime, limit: int = 50) -> list[JobRow]:
    """Return jobs of the last 24 hours: failed ones first, then the newest."""
    given = {"since": now - DAY, "limit": limit}
    return [JobRow(*row) for row in session.execute(text(_JOBS), given)]


def count_jobs(session: Session, now: datetime) -> Jobs:
    """Return how many jobs ran and failed in the last 24 hours, and which failed last."""
    row = session.execute(
        text(
            "SELECT count(*), count(*) FILTER (WHERE state IN ('failed', 'lost')), "
            "(array_agg(job ORDER BY started_at DESC) "
            "FILTER (WHERE state IN ('failed', 'lost')))[1], "
            "min(started_at) FILTER (WHERE state = 'running' AND job = 'collect runs' "
            "AND EXISTS (SELECT 1 FROM fetch_run WHERE claimed_until > :now "
            "AND state IN ('intended', 'running', 'finished'))) "
            "FROM job_run WHERE started_at >= :since"
        ),
        {"since": now - DAY, "now": now},
    ).one()
    return Jobs(*row)


def count_imports(session: Session) -> Imports:
    """Return how many imports are queued and running, and since when the oldest is queued."""
    row = session.execute(
        text(
            "SELECT count(*) FILTER (WHERE state = 'queued'), "
            "count(*) FILTER (WHERE state = 'running'), "
            "min(created_at) FILTER (WHERE state = 'queued') "
            "FROM import_run WHERE state IN ('queued', 'running')"
        )
    ).one()
    return Imports(*row)


def read_storage(
    session: Session, now: datetime, retention_months: int | None, free_bytes: int | None = None
) -> Storage:
    """Return the size of the database, and until when partitions exist; backups are left out."""
    size = session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    months = sorted(list_partitions(session, "snapshot"))
    return Storage(
        database_bytes=int(size),
        partitions_until=_find_end_of_month(months[-1]) if months else None,
        raw_days_ahead=_count_days_ahead(session, now),
        retention_months=retention_months,
        free_bytes=free_bytes,
    )


def _find_end_of_month(name: str) -> date:
    """Return the first day after a monthly partition, by its name."""
    first = _parse_day(name)
    return (first + timedelta(days=32)).replace(day=1)


def _count_days_ahead(session: Session, now: datetime) -> int:
    today = now.astimezone(UTC).date()
    days = [_parse_day(name) for name in list_partitions(session, "raw_item")]
    return sum(day > today for day in days)


def _parse_day(name: str) -> date:
    return datetime.strptime(name.rsplit("_p", 1)[1], "%Y%m%d").replace(tzinfo=UTC).date()


# Blocked sources


def list_blocked_sources(session: Session) -> list[BlockedSource]:
    """Return the actors that Amazon blocks now, by marketplace."""
    return [
        BlockedSource(
            get_marketplace(each.marketplace).name,
            each.actor,
            each.began_at,
            each.blocked,
            each.checked,
        )
        for each in sorted(
            read_open_outages(session), key=lambda each: (each.marketplace, each.actor)
        )
    ]
