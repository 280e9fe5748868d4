"""Starts runs for products that are due. No rules of its own.

Every step reads, waits for Apify with no transaction and no lock held, then writes. What is
killed or hangs in between is found again by `collect_runs`.
"""

import logging
from datetime import timedelta

from huey import crontab

from core.database.session import database_time, read_scope, write_scope
from core.errors import ConfigurationError
from core.history.observation import Outcome
from core.scraping.runs import lifecycle
from core.scraping.runs.apify import (
    NoCreditError,
    OutsideRun,
    RefusedError,
    SlowDownError,
    StartUnclearError,
    TokenError,
    UnreachableError,
)
from core.scraping.runs.dispatch import PlannedRun, plan_run
from core.scraping.runs.providers import Provider, get_provider, list_provider_names
from core.settings.environment import get_settings
from jobs.job import JobReport, job, periodic_job
from jobs.queue import huey
from jobs.tasks.collect_runs import RunClaim, fail_run, poll_run
from jobs.tasks.providers import (
    SHORT_PAUSE,
    UnusableError,
    back_off,
    get_client,
    map_providers,
    pause_after,
    pause_provider,
    record_unusable,
)
from jobs.tasks.wake import wake_after_pause

log = logging.getLogger(__name__)

# A start that still awaits its answer must never count as lost: longer than the client's own
# timeout of a minute.
UNCLEAR_AFTER = timedelta(minutes=3)
ANSWERED_AFTER = timedelta(seconds=15)  # after an error answer: no request is on its way
FIRST_POLL_SECONDS = 5


@periodic_job("dispatch", crontab(minute="*"), expires=60, is_outward=True)
def dispatch_due(report: JobReport) -> None:
    """Start runs for the products that are due, as far as the limits allow."""
    started = start_due_runs()
    if started:
        report.summary = f"{started} runs started."
    else:
        report.nothing_to_do("Nothing to start.")


@huey.task(expires=300)
def fetch_now() -> None:
    """Start due runs at once, after a manual request."""
    dispatch_due()


def clear_backoffs() -> None:
    """Have every provider tried again at once: a restart often follows a repair."""
    with write_scope() as session:
        lifecycle.clear_backoffs(session)


def start_due_runs() -> int:
    """Start every run that is due and allowed; return how many."""
    return sum(map_providers(_start_runs_of, list_provider_names(get_settings())))


def _start_runs_of(name: str) -> int:
    with read_scope() as session:
        if lifecycle.is_backing_off(session, name, database_time()):
            return 0
    try:
        provider = get_provider(name, get_settings())
    except ConfigurationError as error:  # must not keep the other providers from their work
        record_unusable(name, "misconfigured", str(error))
        return 0
    if provider.access is None:
        record_unusable(name, "no_token", provider.missing)
        return 0
    started = 0
    while planned := _plan(provider):
        with job("fetch") as report:
            if not start_run(provider, planned):
                report.summary = f"Run {planned.id} at {provider.name} was not started."
                break
            report.summary = f"Run {planned.id} at {provider.name}."
        started += 1
    return started


def _plan(provider: Provider) -> PlannedRun | None:
    now = database_time()
    with write_scope() as session:
        return plan_run(session, provider.name, provider.actor, provider.limits, now)


def start_run(provider: Provider, planned: PlannedRun) -> bool:
    """Start a planned run; return False when starting more makes no sense now."""
    with write_scope() as session:
        if not lifecycle.begin_start(session, planned.id, planned.holder, UNCLEAR_AFTER):
            log.warning("Run %s was withdrawn before this worker could start it.", planned.id)
            return True
    try:
        outside = get_client(provider.access).start_run(planned.actor, planned.input)
    except StartUnclearError as error:
        _record_unclear_start(provider.name, planned, error)
        return False
    except (TokenError, NoCreditError, SlowDownError, UnreachableError) as error:
        _withdraw_run(planned.id, provider.name, error)
        return False
    except RefusedError as error:  # the next batch would be refused as well
        fail_run(RunClaim(planned.id, planned.holder), Outcome.BAD_INPUT, str(error))
        pause_provider(provider.name, "refused", str(error), SHORT_PAUSE)
        return False
    now = database_time()
    with write_scope() as session:
        is_ours = lifecycle.mark_started(session, planned.id, outside)
        lifecycle.set_provider_state(session, provider.name, "ok", None, now, None)
    if not is_ours:
        _abort_withdrawn(provider, outside)
    poll_run.schedule((planned.id,), delay=FIRST_POLL_SECONDS)
    return True


def _record_unclear_start(provider: str, planned: PlannedRun, error: StartUnclearError) -> None:
    """Store that a run may have been started; it is searched for once that can be known."""
    log.warning("Run %s: %s", planned.id, error)
    wait = ANSWERED_AFTER if error.was_answered else UNCLEAR_AFTER
    with write_scope() as session:
        lifecycle.record_unclear_start(session, planned.id, planned.holder, str(error), wait)
    wake_after_pause(back_off(provider, str(error)))
    poll_run.schedule((planned.id,), delay=wait.total_seconds() + 1)


def _abort_withdrawn(provider: Provider, outside: OutsideRun) -> None:
    """Abort a run that was withdrawn while this process slept, so that it costs nothing."""
    with read_scope() as session:
        is_known = lifecycle.find_known_outside_ids(session, [outside.id])
    if not is_known:
        log.warning("Aborting run %s, which was withdrawn before its start was stored.", outside.id)
        get_client(provider.access).abort_run(outside.id)


def _withdraw_run(run_id: int, provider: str, error: UnusableError) -> None:
    """Withdraw a run that was not started, and leave the provider alone for a while."""
    now = database_time()
    with write_scope() as session:
        lifecycle.withdraw_run(session, run_id, now, str(error))
    wake_after_pause(pause_after(provider, error))
