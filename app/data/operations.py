"""Reads of what is under way: imports and their verdicts, the health of the installation.

An import that is running is never cached: its screen polls it. What has ended
does not change any more and is kept.
"""

import codecs
from datetime import datetime
from io import SEEK_END, BytesIO
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app.data import principal
from core.accounts.access.permissions import Principal
from core.database.session import read_scope, shared_time
from core.errors import ConfigurationError
from core.importing import queries
from core.importing.queries import ImportView, ResultGroup, ResultRow
from core.scraping.runs.providers import get_provider, limits_for, list_provider_names
from core.settings.environment import get_settings
from core.upkeep import health_queries
from core.upkeep.health import Health, Provider
from core.upkeep.health_queries import FailedCheck, FetchRunRow, JobRow, OutcomeCount
from core.upkeep.heartbeat import find_last_worker_activity
from core.upkeep.unreadable import list_unreadable_fields


def find_import(run_id: int) -> ImportView | None:
    """Return an import as it is now."""
    with read_scope() as session:
        return queries.find_import(session, principal(), run_id)


def earlier_imports() -> list[ImportView]:
    """Return the newest imports, newest first."""
    with read_scope() as session:
        return queries.list_imports(session, principal())


@st.cache_data(ttl=600, max_entries=200, show_spinner=False)
def verdict_groups(who: Principal, run_id: int, rows_read: int) -> list[ResultGroup]:
    """Return how many rows got which verdict. `rows_read` tells states of the import apart."""
    del rows_read
    with read_scope() as session:
        return queries.count_row_results(session, who, run_id)


@st.cache_data(ttl=600, max_entries=200, show_spinner=False)
def verdict_rows(who: Principal, run_id: int, verdict: str, rows_read: int) -> list[ResultRow]:
    """Return the first rows with one verdict."""
    del rows_read
    with read_scope() as session:
        return queries.list_row_results(session, who, run_id, verdict)


def verdict_file(who: Principal, run_id: int) -> bytes:
    """Return all verdicts as a CSV file, written piece by piece when it is asked for.

    It begins with a mark of its encoding, without which spreadsheets misread it.
    """
    file = BytesIO(codecs.BOM_UTF8)
    file.seek(0, SEEK_END)
    with read_scope() as session:
        for piece in queries.export_row_results(session, who, run_id):
            file.write(piece.encode())
    return file.getvalue()


def only_product(run_id: int) -> tuple[str, str] | None:
    """Return marketplace and ASIN when an import was about one product."""
    with read_scope() as session:
        return queries.find_only_product(session, principal(), run_id)


@st.cache_data(ttl=3, show_spinner=False)
def last_sign() -> datetime | None:
    """Return when the worker last gave a sign of life, None when it never did."""
    with read_scope() as session:
        return find_last_worker_activity(session)


@st.cache_data(ttl=10, show_spinner=False)
def health_now() -> Health:
    """Return the health of the installation, ten seconds old at most."""
    now = shared_time()
    with read_scope() as session:
        ended = health_queries.count_outcomes(session, now)
        return Health(
            as_of=now,
            worker_seen_at=find_last_worker_activity(session),
            providers=_providers(session, now),
            looks=health_queries.count_checks(ended),
            jobs=health_queries.count_jobs(session, now),
            imports=health_queries.count_imports(session),
            storage=health_queries.read_storage(
                session, now, get_settings().amazcope_retention_months
            ),
            unreadable=list_unreadable_fields(session, now),
        )


def _providers(session: Session, now: datetime) -> list[Provider]:
    settings = get_settings()
    found = []
    for name in list_provider_names(settings):
        try:
            used = get_provider(name, settings)
            limits, missing = used.limits, used.missing
        except ConfigurationError as error:  # a state to be shown, kept by the next round
            limits, missing = limits_for(settings), str(error)
        found.append(health_queries.read_provider(session, name, limits, missing, now))
    return found


@st.cache_data(ttl=10, show_spinner=False)
def fetch_runs() -> list[FetchRunRow]:
    """Return the newest fetch runs of the last 24 hours."""
    with read_scope() as session:
        return health_queries.list_fetch_runs(session, shared_time())


@st.cache_data(ttl=10, show_spinner=False)
def outcomes() -> list[OutcomeCount]:
    """Return how the looks of the last 24 hours ended."""
    with read_scope() as session:
        return health_queries.count_outcomes(session, shared_time())


@st.cache_data(ttl=10, max_entries=50, show_spinner=False)
def failed_looks(outcome: str) -> list[FailedCheck]:
    """Return the newest looks that ended in one way."""
    with read_scope() as session:
        return health_queries.list_failed_checks(session, outcome, shared_time())


@st.cache_data(ttl=600, max_entries=50, show_spinner=False)
def original(run_id: int, product_id: int) -> Any | None:
    """Return the original item of a look, None when it is not kept (any more)."""
    with read_scope() as session:
        return health_queries.find_raw_item(session, run_id, product_id)


@st.cache_data(ttl=10, show_spinner=False)
def job_runs() -> list[JobRow]:
    """Return jobs of the last 24 hours, those that failed first."""
    with read_scope() as session:
        return health_queries.list_job_runs(session, shared_time())


def forget_health() -> None:
    """Have the health looked at anew."""
    for kept in (health_now, fetch_runs, outcomes, failed_looks, job_runs):
        kept.clear()
