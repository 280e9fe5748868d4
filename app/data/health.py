"""Reads of the installation's health: worker, providers, fetch runs, jobs, storage.

Cached for seconds.
"""

import shutil
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.data import get_principal
from app.data.cache import cached_read
from core.backup.pause import PausedWork, RestorePause, read_pause, read_paused_work
from core.backup.state import read_last_backup
from core.connections import service
from core.connections.resolve import resolve_apify
from core.connections.service import ListedConnection
from core.database.session import read_scope, shared_time
from core.errors import ConfigurationError
from core.scraping.runs.budget import Limits
from core.scraping.runs.providers import (
    get_provider,
    list_prices,
    list_provider_names,
    make_limits,
)
from core.settings.environment import Settings, get_settings
from core.upkeep import check_counts, health_queries, heartbeat
from core.upkeep.check_counts import CostDay, FailureReason
from core.upkeep.health import CheckCounts, Health, Provider, Storage
from core.upkeep.health_queries import FailedCheck, FetchRunRow, JobRow
from core.upkeep.unreadable import list_unreadable_fields


@cached_read(seconds=3)
def find_last_worker_activity() -> datetime | None:
    """Return when the worker was last seen, None when it never was."""
    with read_scope() as session:
        return heartbeat.find_last_worker_activity(session)


@cached_read(seconds=5)
def read_health() -> Health:
    """Return the health of the installation, five seconds old at most, for all sessions."""
    now, settings = shared_time(), get_settings()
    with read_scope() as session:
        hours = check_counts.count_by_hour(session, now)
        pause = read_pause(session)
        return Health(
            as_of=now,
            worker_seen_at=heartbeat.find_last_worker_activity(session),
            providers=_read_providers(session, now),
            checks=CheckCounts(*check_counts.sum_checks(hours)),
            jobs=health_queries.count_jobs(session, now),
            imports=health_queries.count_imports(session),
            storage=_read_storage(session, now, settings),
            unreadable=list_unreadable_fields(session, now),
            blocked=health_queries.list_blocked_sources(session),
            restarts=heartbeat.count_restarts(session, now),
            hours=hours,
            freshness=check_counts.count_by_freshness(session, now),
            restored_from=None if pause is None else pause.made_at,
        )


def _read_storage(session: Session, now: datetime, settings: Settings) -> Storage:
    last = read_last_backup(session)
    return replace(
        health_queries.read_storage(
            session, now, settings.amazcope_retention_months, _find_free_bytes(settings)
        ),
        backed_up_at=None if last is None else last.made_at,
        is_backed_up_daily=settings.amazcope_backup_to is not None,
    )


def _find_free_bytes(settings: Settings) -> int | None:
    """Return the free bytes of the embedded database's disk, None for another server."""
    if not settings.is_embedded or not settings.amazcope_data_dir.exists():
        return None
    return shutil.disk_usage(settings.amazcope_data_dir).free


def _read_providers(session: Session, now: datetime) -> list[Provider]:
    settings = get_settings()
    found = []
    for name in list_provider_names(settings):
        try:
            used = get_provider(name, settings)
            limits, missing = used.limits, used.missing
        except ConfigurationError as error:  # shown as a state; the next dispatch stores it
            limits, missing = make_limits(settings), str(error)
        days = _read_cost_days(name, now.date(), limits)
        found.append(health_queries.read_provider(session, name, limits, missing, now, days))
    return found


@cached_read(seconds=300, entries=10)
def _read_cost_days(name: str, today: date, _limits: Limits) -> list[CostDay]:  # noqa: ARG001 - of the cache's key
    """Return a provider's costs of this month's days; a day that is over hardly changes."""
    with read_scope() as session:
        return check_counts.read_cost_days(session, name, _limits, shared_time())


@cached_read(seconds=10)
def list_fetch_runs() -> list[FetchRunRow]:
    """Return the newest fetch runs of the last 24 hours."""
    with read_scope() as session:
        return health_queries.list_fetch_runs(session, shared_time())


@cached_read(seconds=10)
def list_failure_reasons() -> list[FailureReason]:
    """Return the failed checks of the last 24 hours by reason and marketplace."""
    with read_scope() as session:
        return check_counts.list_failure_reasons(session, shared_time())


@cached_read(seconds=10, entries=50)
def list_failed_checks(outcome: str, marketplace: str) -> list[FailedCheck]:
    """Return the newest checks with an outcome in a marketplace."""
    with read_scope() as session:
        return health_queries.list_failed_checks(session, outcome, marketplace, shared_time())


@cached_read(seconds=600, entries=50)
def find_raw_item(run_id: int, product_id: int) -> Any | None:
    """Return the raw response of a check, None when it was never stored or is purged."""
    with read_scope() as session:
        return health_queries.find_raw_item(session, run_id, product_id)


@cached_read(seconds=10)
def list_job_runs() -> list[JobRow]:
    """Return the jobs of the last 24 hours, failed ones first."""
    with read_scope() as session:
        return health_queries.list_job_runs(session, shared_time())


def list_connections() -> list[ListedConnection]:
    """Return all connections with state and last test; for administrators."""
    with read_scope() as session:
        return service.list_connections(session, get_principal(), get_settings())


def read_restore() -> tuple[RestorePause, PausedWork] | None:
    """Return the pause after a restore and what waits; None without one. For administrators."""
    with read_scope() as session:
        pause = read_pause(session)
        if pause is None:
            return None
        prices = list_prices(get_settings())
        return pause, read_paused_work(session, get_principal(), prices, shared_time())


def is_apify_connected() -> bool:
    """Return whether there is an Apify token, seconds old at most."""
    return resolve_apify(get_settings()).values is not None


def clear_health() -> None:
    """Clear the cached health, so that the next read is new."""
    for read in (
        read_health,
        _read_cost_days,
        list_fetch_runs,
        list_failure_reasons,
        list_failed_checks,
        list_job_runs,
    ):
        read.forget()
