"""Advances open runs: polls them at Apify, stores what they brought, closes them. No rules.

Every step reads, waits for Apify with no transaction and no lock held, then writes. Each
run is claimed by the worker that advances it, by the database's clock; what is killed or
hangs in between is found again by the next round.
"""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from huey import crontab

from core.database.leases import LEASE_TERM, LeaseLostError
from core.database.session import database_time, read_scope, write_scope
from core.history.ingest.store import ensure_partitions
from core.history.observation import Outcome
from core.scraping.parsers.registry import get_actor
from core.scraping.runs import lifecycle
from core.scraping.runs.apify import (
    Apify,
    NoCreditError,
    OutsideRun,
    RefusedError,
    SlowDownError,
    TokenError,
    UnreachableError,
    UnreadableError,
)
from core.scraping.runs.dispatch import LEASE, hash_input
from core.scraping.runs.models import FetchRun
from core.scraping.runs.providers import get_access
from core.scraping.runs.store_items import (
    StoreItemsResult,
    ensure_raw_partition,
    get_batch,
    store_items,
)
from core.settings.environment import get_settings
from jobs.claims import RenewedClaim, keep_renewed
from jobs.job import JobReport, job, periodic_job
from jobs.queue import huey
from jobs.tasks.evaluate_alerts import evaluate_alerts_of
from jobs.tasks.providers import get_client, map_providers, pause_after
from jobs.tasks.verify_actions import verify_products
from jobs.tasks.wake import wake_after_pause

log = logging.getLogger(__name__)

PAGE = 100  # items read at a time: some two megabytes
CLAIM = LEASE_TERM  # how long a claim outlives its worker
CLOCK_SKEW = timedelta(minutes=5)  # between the database's clock and Apify's
PATIENCE = timedelta(days=1)  # with a run whose items can't be stored
UNREADABLE_FOR = timedelta(hours=2)  # then a run whose answers make no sense is closed
LONGEST_RUN = LEASE  # a longer one is aborted, so that its products are released
RETRY_SECONDS = 30  # after which runs of a worker that died are tried again


@periodic_job("collect runs", crontab(minute="*"), expires=60, is_outward=True)
def collect_runs(report: JobReport) -> None:
    """Advance every open run by a step; claimed ones are tried again before the next round."""
    _collect_all(report)
    with read_scope() as session:
        if lifecycle.has_claimed_runs(session):
            collect_again.schedule(delay=RETRY_SECONDS)


@huey.task(expires=60)
def collect_again() -> None:
    """Advance runs whose worker died since the last round."""
    with job("collect runs") as report:
        _collect_all(report)


def _collect_all(report: JobReport) -> None:
    advanced = advance_open_runs()
    if advanced:
        report.summary = f"{advanced} runs."
    else:
        report.nothing_to_do("No open runs.")


@huey.task(expires=600)
def poll_run(run_id: int) -> None:
    """Advance one run soon after it was started."""
    claim = claim_run(run_id)
    if claim is not None:
        advance_run(claim)


@dataclass(frozen=True, slots=True)
class RunClaim:
    """An open run that this worker has claimed, and the claim's holder id."""

    run_id: int
    holder: UUID


@dataclass(slots=True)
class _Round:
    """What came of one provider's open runs."""

    advanced: int = 0
    failed: list[Exception] = field(default_factory=list)


def advance_open_runs() -> int:
    """Advance all open runs that no worker has claimed; return how many."""
    with read_scope() as session:
        providers = lifecycle.list_providers_with_open_runs(session)
    rounds = map_providers(_advance_runs_of, providers)
    failed = [error for each in rounds for error in each.failed]
    if failed:
        raise ExceptionGroup("Some runs could not be advanced.", failed)
    return sum(each.advanced for each in rounds)


def _advance_runs_of(provider: str) -> _Round:
    """Advance a provider's open runs, oldest first, as long as it answers."""
    done = _Round()
    last = 0
    while (claim := _claim_next(provider, last)) is not None:
        last = claim.run_id
        done.advanced += 1
        try:
            if not advance_run(claim):
                break
        except Exception as error:  # one run that can't be read must not hold up the others
            if _was_removed(claim.run_id):
                continue
            log.exception("Run %s could not be advanced", claim.run_id)
            done.failed.append(error)
    return done


def _claim_next(provider: str, last: int) -> RunClaim | None:
    holder = uuid4()
    with write_scope() as session:
        run_id = lifecycle.claim_next_run(session, provider, last, holder, CLAIM)
    return None if run_id is None else RunClaim(run_id, holder)


def claim_run(run_id: int) -> RunClaim | None:
    """Claim one run for this process; None when another has it, or it is closed."""
    holder = uuid4()
    with write_scope() as session:
        is_ours = lifecycle.claim_run(session, run_id, holder, CLAIM)
    return RunClaim(run_id, holder) if is_ours else None


def _was_removed(run_id: int) -> bool:
    """Return whether a run was removed with the demo market while it was being advanced."""
    with read_scope() as session:
        return session.get(FetchRun, run_id) is None


def _give_up_after(patience: timedelta, claim: RunClaim, error: Exception) -> None:
    """Close a run that has failed for so long, so that another run fetches its products."""
    with read_scope() as session:
        intended_at = lifecycle.get_run(session, claim.run_id).intended_at
    if database_time() > intended_at + patience:
        hours = int(patience.total_seconds()) // 3600
        fail_run(claim, Outcome.RUN_FAILED, f"Given up after {hours} hours: {error}")


def advance_run(claim: RunClaim) -> bool:
    """Advance one claimed run as far as possible, and release its claim.

    Returns False when its provider does not answer: its other runs wait for the next round.
    """
    with read_scope() as session:
        run = lifecycle.get_run(session, claim.run_id)
    try:
        access = get_access(run.provider, get_settings())
        if access is None:
            return False  # without a token there is nothing to ask
        with keep_renewed(
            lambda session: lifecycle.renew_run_claim(session, run.id, claim.holder, CLAIM)
        ) as renewed:
            _advance_state(get_client(access), run, claim, renewed)
    except LeaseLostError as error:  # the other worker stores how the run ends
        log.warning("%s", error)
    except RefusedError as error:  # asking again would change nothing
        fail_run(claim, Outcome.RUN_FAILED, str(error))
    except UnreadableError as error:  # of this run; answers about others may be fine
        log.warning("Run %s: %s", run.id, error)
        _record_error(run.id, error)
        _give_up_after(UNREADABLE_FOR, claim, error)
    except (TokenError, NoCreditError, SlowDownError, UnreachableError) as error:
        log.warning("Run %s: %s", run.id, error)
        _record_error(run.id, error)
        wake_after_pause(pause_after(run.provider, error))
        return False
    except Exception as error:
        if not _was_removed(run.id):
            _give_up_after(PATIENCE, claim, error)
        raise
    finally:
        with write_scope() as session:
            lifecycle.release_claim(session, run.id, claim.holder)
    return True


def _record_error(run_id: int, error: Exception) -> None:
    with write_scope() as session:
        lifecycle.record_error(session, run_id, str(error))


def _advance_state(apify: Apify, run: FetchRun, claim: RunClaim, renewed: RenewedClaim) -> None:
    if run.state == "intended":
        _recover(apify, run, claim)
    if run.state == "running":
        run = _poll(apify, run, claim)
    if run.state == "finished":
        _collect(apify, run, claim, renewed)


def _recover(apify: Apify, run: FetchRun, claim: RunClaim) -> None:
    """Find out by its input whether a run whose id was never stored exists at Apify.

    Its worker's claim has ended, so no request is on its way any more: a worker that wakes
    up late finds the run taken over and starts nothing.
    """
    found = None if run.asked_at is None else _find_outside(apify, run)
    now = database_time()
    with write_scope() as session:
        lifecycle.lock_claimed_run(session, run.id, claim.holder)
        if found is not None:
            lifecycle.mark_started(session, run.id, found)
            lifecycle.mark_reachable(session, run.provider)
        else:
            lifecycle.withdraw_run(session, run.id, now, "The run was never started.")
    if found is None:
        wake_after_pause(timedelta(0))


def _find_outside(apify: Apify, run: FetchRun) -> OutsideRun | None:
    """Return the run at Apify that has this run's input and belongs to no other."""
    candidates = list(apify.list_runs_since(run.actor, run.intended_at - CLOCK_SKEW))
    with read_scope() as session:
        taken = lifecycle.find_known_outside_ids(session, [outside.id for outside in candidates])
    for outside in reversed(candidates):
        if outside.id not in taken and hash_input(apify.get_input(outside)) == run.input_hash:
            return outside
    return None


def _poll(apify: Apify, run: FetchRun, claim: RunClaim) -> FetchRun:
    """Ask for the state of a running run, store it, and return the run."""
    outside = apify.get_run(run.outside_run_id or "")
    now = database_time()
    with write_scope() as session:
        lifecycle.mark_reachable(session, run.provider)
    if outside is None:
        fail_run(claim, Outcome.RUN_FAILED, "Apify does not know this run any more.")
    elif outside.has_ended:
        with write_scope() as session:
            lifecycle.lock_claimed_run(session, run.id, claim.holder)
            lifecycle.mark_finished(session, run.id, outside, now)
    if outside is not None and not outside.has_ended and now > run.intended_at + LONGEST_RUN:
        log.warning("Aborting run %s: it has not ended within %s.", run.id, LONGEST_RUN)
        apify.abort_run(outside.id)  # the next round reads what it has brought by then
    with read_scope() as session:
        return lifecycle.get_run(session, run.id)


# How a run ended at Apify: the outcome of products that did not come back, and why.
_ENDINGS = {
    "SUCCEEDED": (Outcome.EMPTY_RUN, "The run ended well, and brought nothing for this product."),
    "TIMED-OUT": (Outcome.TIMEOUT, "The run took too long and was stopped by Apify."),
    "ABORTED": (Outcome.TIMEOUT, "The run was stopped before it had read this page."),
}
_FAILED = (Outcome.RUN_FAILED, "The run failed at Apify.")


def _collect(apify: Apify, run: FetchRun, claim: RunClaim, renewed: RenewedClaim) -> None:
    """Read a finished run's data set page by page, and close the run."""
    with job("collect") as report:
        captured_at = run.finished_at or database_time()
        with write_scope() as session:
            ensure_partitions(session, [captured_at])
            ensure_raw_partition(session, database_time())
        with read_scope() as session:
            batch = get_batch(session, run.id, get_actor(run.actor), captured_at)
        offset: int | None = 0
        total = StoreItemsResult()
        while offset is not None:
            page = apify.list_items(run.outside_dataset_id or "", offset, PAGE)
            now = database_time()
            with write_scope() as session:
                lifecycle.lock_claimed_run(session, run.id, claim.holder)
                total.add_page(store_items(session, batch, page.items, now))
            renewed.note_progress()
            offset = page.next_offset
        _close(run, claim, total.other_asins)
        report.summary = f"Run {run.id}: {_describe(total, run.batch_size)}"
    try:
        verify_products(batch.products.values())
    except Exception as error:  # the items are stored; the next round of verifying tries again
        log.warning("Changes could not be verified after run %s: %s", run.id, error)
    try:
        evaluate_alerts_of(batch.products.values())
    except Exception as error:  # likewise: the next round evaluates them
        log.warning("Alerts could not be evaluated after run %s: %s", run.id, error)


def _describe(total: StoreItemsResult, batch_size: int) -> str:
    parts = [f"{total.stored} of {batch_size} products stored."]
    if total.already_stored:
        parts.append(f"{total.already_stored} were stored before.")
    if total.failed:
        parts.append(f"{total.failed} pages could not be used.")
    if total.unmatched:
        parts.append(f"{total.unmatched} items matched no requested product.")
    return " ".join(parts)


def _close(run: FetchRun, claim: RunClaim, other_asins: set[str]) -> None:
    """Close a run whose data set was read; `other_asins`: those that were not requested."""
    outcome, detail = _ENDINGS.get(run.outside_status or "", _FAILED)
    has_failed = run.outside_status != "SUCCEEDED"
    now = database_time()
    with write_scope() as session:
        lifecycle.lock_claimed_run(session, run.id, claim.holder)
        lifecycle.mark_redirected(session, run.id, other_asins)
        lifecycle.close_run(session, run.id, now, outcome, detail, has_failed=has_failed)


def fail_run(claim: RunClaim, outcome: Outcome, detail: str) -> None:
    """Close a claimed run as failed; its products get this outcome."""
    now = database_time()
    with write_scope() as session:
        lifecycle.lock_claimed_run(session, claim.run_id, claim.holder)
        lifecycle.close_run(session, claim.run_id, now, outcome, detail, has_failed=True)
