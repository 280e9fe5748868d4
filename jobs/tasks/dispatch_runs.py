"""When products are fetched: due ones dispatched, open runs collected. No rules of its own.

Every step reads, waits for Apify with no transaction and no lock held, then writes. Each
run is claimed by who works on it, by the database's clock; whatever is killed or hangs in
between is found again by the next round.
"""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from huey import crontab

from core.database.leases import TERM, TakenOverError
from core.database.session import database_time, read_scope, write_scope
from core.errors import ConfigurationError
from core.history.ingest.store import make_room
from core.history.observation import Outcome
from core.scraping.parsers.registry import get_actor
from core.scraping.runs import lifecycle
from core.scraping.runs.apify import (
    Apify,
    NoCreditError,
    OutsideRun,
    RefusedError,
    SlowDownError,
    StartUnclearError,
    TokenError,
    UnreachableError,
    UnreadableError,
)
from core.scraping.runs.dispatch import LEASE, PlannedRun, input_hash, plan_run
from core.scraping.runs.models import FetchRun
from core.scraping.runs.providers import Provider, get_access, get_provider, provider_names
from core.scraping.runs.store_items import get_batch, make_raw_room, store_items
from core.settings.environment import get_settings
from jobs.claims import Held, renewing
from jobs.job import job
from jobs.queue import huey
from jobs.tasks.providers import (
    SHORT_REST,
    back_off,
    client_of,
    each_provider,
    let_rest,
    note_unusable,
    rest,
)

log = logging.getLogger(__name__)

PAGE = 100  # items read at a time: some two megabytes
CLAIM = TERM  # how long a claim outlives its worker
# A start whose answer is awaited must never be taken for one that was lost: longer
# than the client's own limit of a minute.
UNCLEAR_AFTER = timedelta(minutes=3)
ANSWERED_AFTER = timedelta(seconds=15)  # after an error was answered: nothing is on its way
CLOCK_SKEW = timedelta(minutes=5)  # between the database's clock and Apify's
PATIENCE = timedelta(days=1)  # with a run whose items can't be stored
UNREADABLE_FOR = timedelta(hours=2)  # that answers about a run make no sense, until it is ended
LONGEST_RUN = LEASE  # one that goes on for longer is stopped, so that its products come back
LONGEST_WAKE = timedelta(minutes=5)  # a message lives no longer; rounds come by themselves
AGAIN = 30  # seconds after which a round looks again for what its worker left


@huey.periodic_task(crontab(minute="*"), expires=60)
def dispatch_due() -> None:
    """Start runs for what is due, as far as the limits allow."""
    dispatch_round()


@huey.periodic_task(crontab(minute="*"), expires=60)
def collect_runs() -> None:
    """Bring every open run one step further; claimed ones are tried once more in between."""
    collect_round()
    with read_scope() as session:
        if lifecycle.has_claimed_runs(session):
            collect_again.schedule(delay=AGAIN)


@huey.task(expires=60)
def collect_again() -> None:
    """Bring runs further whose worker died since the last round."""
    collect_round()


@huey.task(expires=300)
def fetch_now() -> None:
    """The doorbell of a manual refresh: dispatch without waiting for the minute."""
    dispatch_round()


@huey.task(expires=600)
def look_at_run(run_id: int) -> None:
    """Look at one run soon after it was started."""
    claimed = claim(run_id)
    if claimed is not None:
        advance(claimed)


def dispatch_round() -> None:
    """Start every run that is due and allowed, as a job."""
    with job("dispatch") as notes:
        started = dispatch()
        notes.say(f"{started} runs started.") if started else notes.idle("Nothing to start.")


def collect_round() -> None:
    """Advance all open runs, as a job."""
    with job("collect runs") as notes:
        looked_at = collect()
        notes.say(f"{looked_at} runs.") if looked_at else notes.idle("No open runs.")


def end_rests() -> None:
    """Ask every provider again at once: whoever starts the worker may have mended its trouble."""
    with write_scope() as session:
        lifecycle.end_rests(session)


# Starting runs


def dispatch() -> int:
    """Start every run that is due and allowed; return how many."""
    return sum(each_provider(_dispatch_provider, provider_names(get_settings())))


def _dispatch_provider(name: str) -> int:
    with read_scope() as session:
        if lifecycle.is_resting(session, name, database_time()):
            return 0
    try:
        provider = get_provider(name, get_settings())
    except ConfigurationError as error:  # must not keep the other providers from their work
        note_unusable(name, "misconfigured", str(error))
        return 0
    if provider.access is None:
        note_unusable(name, "no_token", provider.missing)
        return 0
    started = 0
    while planned := _plan(provider):
        with job("fetch") as notes:
            if not start(provider, planned):
                notes.say(f"Run {planned.id} at {provider.name} was not started.")
                break
            notes.say(f"Run {planned.id} at {provider.name}.")
        started += 1
    return started


def _plan(provider: Provider) -> PlannedRun | None:
    now = database_time()
    with write_scope() as session:
        return plan_run(session, provider.name, provider.actor, provider.limits, now)


def start(provider: Provider, planned: PlannedRun) -> bool:
    """Start a planned run; return False when starting more makes no sense now."""
    with write_scope() as session:
        if not lifecycle.begin_start(session, planned.id, planned.holder, UNCLEAR_AFTER):
            log.warning("Run %s was given up before this worker came to start it.", planned.id)
            return True
    try:
        outside = client_of(provider.access).start(planned.actor, planned.input)
    except StartUnclearError as error:
        _note_unclear(provider.name, planned, error)
        return False
    except (TokenError, NoCreditError, SlowDownError, UnreachableError) as error:
        _withdraw(planned.id, provider.name, error)
        return False
    except RefusedError as error:  # the next batch would be refused as well
        _fail(Claim(planned.id, planned.holder), Outcome.BAD_INPUT, str(error))
        rest(provider.name, "refused", str(error), SHORT_REST)
        return False
    now = database_time()
    with write_scope() as session:
        is_ours = lifecycle.mark_started(session, planned.id, outside)
        lifecycle.set_provider_state(session, provider.name, "ok", None, now, None)
    if not is_ours:
        _stop_stray(provider, outside)
    look_at_run.schedule((planned.id,), delay=5)
    return True


def _note_unclear(provider: str, planned: PlannedRun, error: StartUnclearError) -> None:
    """Keep that a run may have been started; it is looked for as soon as that can be told."""
    log.warning("Run %s: %s", planned.id, error)
    wait = ANSWERED_AFTER if error.was_answered else UNCLEAR_AFTER
    with write_scope() as session:
        lifecycle.note_unclear(session, planned.id, planned.holder, str(error), wait)
    _ask_again_after(back_off(provider, str(error)))
    look_at_run.schedule((planned.id,), delay=wait.total_seconds() + 1)


def _stop_stray(provider: Provider, outside: OutsideRun) -> None:
    """Stop a run that nobody waits for: this process slept while it was given up."""
    with read_scope() as session:
        is_known = lifecycle.known_outside_ids(session, [outside.id])
    if not is_known:
        log.warning("Stopping run %s, which was given up before its start was noted.", outside.id)
        client_of(provider.access).abort(outside.id)


def _withdraw(
    run_id: int,
    provider: str,
    error: TokenError | NoCreditError | SlowDownError | UnreachableError,
) -> None:
    """Give back a run that was not started, and let the provider rest."""
    now = database_time()
    with write_scope() as session:
        lifecycle.withdraw_run(session, run_id, now, str(error))
    _ask_again_after(let_rest(provider, error))


def _ask_again_after(wait: timedelta) -> None:
    """Dispatch again as soon as a rest is over, where that is sooner than the next rounds."""
    if wait < LONGEST_WAKE:
        fetch_now.schedule(delay=wait.total_seconds() + 1)


# Collecting runs


@dataclass(frozen=True, slots=True)
class Claim:
    """An open run that this worker has claimed, and by which name."""

    run_id: int
    holder: UUID


@dataclass(slots=True)
class _Round:
    """What became of one provider's open runs."""

    looked_at: int = 0
    failed: list[Exception] = field(default_factory=list)


def collect() -> int:
    """Advance all open runs that nobody works on; return how many."""
    with read_scope() as session:
        providers = lifecycle.providers_of_open_runs(session)
    rounds = each_provider(_collect_provider, providers)
    failed = [error for each in rounds for error in each.failed]
    if failed:
        raise ExceptionGroup("Some runs could not be brought further.", failed)
    return sum(each.looked_at for each in rounds)


def _collect_provider(provider: str) -> _Round:
    """Advance a provider's open runs, oldest first, as long as it answers."""
    done = _Round()
    last = 0
    while (claimed := _claim_next(provider, last)) is not None:
        last = claimed.run_id
        done.looked_at += 1
        try:
            if not advance(claimed):
                break
        except Exception as error:  # one run that can't be read must not hold up the others
            if _was_removed(claimed.run_id):
                continue
            log.exception("Run %s could not be brought further", claimed.run_id)
            done.failed.append(error)
    return done


def _claim_next(provider: str, last: int) -> Claim | None:
    holder = uuid4()
    with write_scope() as session:
        run_id = lifecycle.claim_next_run(session, provider, last, holder, CLAIM)
    return None if run_id is None else Claim(run_id, holder)


def claim(run_id: int) -> Claim | None:
    """Claim one run for this process; None when it is another's, or over."""
    holder = uuid4()
    with write_scope() as session:
        is_ours = lifecycle.claim_run(session, run_id, holder, CLAIM)
    return Claim(run_id, holder) if is_ours else None


def _was_removed(run_id: int) -> bool:
    """Return whether a run went with the demo market while it was worked on."""
    with read_scope() as session:
        return session.get(FetchRun, run_id) is None


def _give_up_after(patience: timedelta, claimed: Claim, error: Exception) -> None:
    """End a run that failed for so long, so that its products are fetched by another."""
    with read_scope() as session:
        intended_at = lifecycle.get_run(session, claimed.run_id).intended_at
    if database_time() > intended_at + patience:
        hours = int(patience.total_seconds()) // 3600
        _fail(claimed, Outcome.RUN_FAILED, f"Given up after {hours} hours: {error}")


def advance(claimed: Claim) -> bool:
    """Bring one claimed run as far as it goes, and release it.

    Returns False when its provider does not answer: its further runs wait for the next round.
    """
    with read_scope() as session:
        run = lifecycle.get_run(session, claimed.run_id)
    try:
        access = get_access(run.provider, get_settings())
        if access is None:
            return False  # without a token nothing can be asked
        with renewing(
            lambda session: lifecycle.renew_run_claim(session, run.id, claimed.holder, CLAIM)
        ) as held:
            _bring_further(client_of(access), run, claimed, held)
    except TakenOverError as error:  # the other one tells how it ends
        log.warning("%s", error)
    except RefusedError as error:  # asking again would change nothing
        _fail(claimed, Outcome.RUN_FAILED, str(error))
    except UnreadableError as error:  # of this run; others may be told of well
        log.warning("Run %s: %s", run.id, error)
        _note_error(run.id, error)
        _give_up_after(UNREADABLE_FOR, claimed, error)
    except (TokenError, NoCreditError, SlowDownError, UnreachableError) as error:
        log.warning("Run %s: %s", run.id, error)
        _note_error(run.id, error)
        _ask_again_after(let_rest(run.provider, error))
        return False
    except Exception as error:
        if not _was_removed(run.id):
            _give_up_after(PATIENCE, claimed, error)
        raise
    finally:
        with write_scope() as session:
            lifecycle.release_claim(session, run.id, claimed.holder)
    return True


def _note_error(run_id: int, error: Exception) -> None:
    with write_scope() as session:
        lifecycle.note_error(session, run_id, str(error))


def _bring_further(apify: Apify, run: FetchRun, claimed: Claim, held: Held) -> None:
    if run.state == "intended":
        _recover(apify, run, claimed)
    if run.state == "running":
        run = _look(apify, run, claimed)
    if run.state == "finished":
        _collect(apify, run, claimed, held)


def _recover(apify: Apify, run: FetchRun, claimed: Claim) -> None:
    """Find out whether a run whose id was never stored exists, by its input.

    Its worker's claim is over, so nothing is on its way any more: whoever wakes up late
    finds the run taken over and starts nothing.
    """
    found = None if run.asked_at is None else _find_outside(apify, run)
    now = database_time()
    with write_scope() as session:
        lifecycle.hold_run(session, run.id, claimed.holder)
        if found is not None:
            lifecycle.mark_started(session, run.id, found)
            lifecycle.note_reachable(session, run.provider)
        else:
            lifecycle.withdraw_run(session, run.id, now, "The run was never started.")
    if found is None:
        fetch_now.schedule(delay=1)


def _find_outside(apify: Apify, run: FetchRun) -> OutsideRun | None:
    """Return the run at Apify that has this run's input and belongs to no other."""
    candidates = list(apify.runs_since(run.actor, run.intended_at - CLOCK_SKEW))
    with read_scope() as session:
        taken = lifecycle.known_outside_ids(session, [outside.id for outside in candidates])
    for outside in reversed(candidates):
        if outside.id not in taken and input_hash(apify.input_of(outside)) == run.input_hash:
            return outside
    return None


def _look(apify: Apify, run: FetchRun, claimed: Claim) -> FetchRun:
    """Ask how a running run is doing; return it as it is then."""
    outside = apify.get_run(run.outside_run_id or "")
    now = database_time()
    with write_scope() as session:
        lifecycle.note_reachable(session, run.provider)
    if outside is None:
        _fail(claimed, Outcome.RUN_FAILED, "Apify does not know this run any more.")
    elif outside.has_ended:
        with write_scope() as session:
            lifecycle.hold_run(session, run.id, claimed.holder)
            lifecycle.mark_finished(session, run.id, outside, now)
    if outside is not None and not outside.has_ended and now > run.intended_at + LONGEST_RUN:
        log.warning("Stopping run %s: it has not ended within %s.", run.id, LONGEST_RUN)
        apify.abort(outside.id)  # what it has brought by then is read by the next round
    with read_scope() as session:
        return lifecycle.get_run(session, run.id)


# How a run ended at Apify: the outcome of products that did not come back, and why.
_ENDINGS = {
    "SUCCEEDED": (Outcome.EMPTY_RUN, "The run ended well, and brought nothing for this product."),
    "TIMED-OUT": (Outcome.TIMEOUT, "The run took too long and was stopped by Apify."),
    "ABORTED": (Outcome.TIMEOUT, "The run was stopped before it had read this page."),
}
_FAILED = (Outcome.RUN_FAILED, "The run failed at Apify.")


def _collect(apify: Apify, run: FetchRun, claimed: Claim, held: Held) -> None:
    """Read a finished run's data set page by page, and close the run."""
    with job("collect") as notes:
        captured_at = run.finished_at or database_time()
        with write_scope() as session:
            make_room(session, [captured_at])
            make_raw_room(session, database_time())
        with read_scope() as session:
            batch = get_batch(session, run.id, get_actor(run.actor), captured_at)
        offset: int | None = 0
        stored, others = 0, set[str]()
        while offset is not None:
            page = apify.items(run.outside_dataset_id or "", offset, PAGE)
            now = database_time()
            with write_scope() as session:
                lifecycle.hold_run(session, run.id, claimed.holder)
                collected = store_items(session, batch, page.items, now)
            held.note_progress()
            stored, others = stored + collected.stored, others | collected.other_asins
            offset = page.next_offset
        _close(run, claimed, others)
        notes.say(f"Run {run.id}: {stored} of {run.batch_size} products stored.")


def _close(run: FetchRun, claimed: Claim, others: set[str]) -> None:
    """End a run whose data set was read; `others`: ASINs that nobody asked for."""
    outcome, detail = _ENDINGS.get(run.outside_status or "", _FAILED)
    has_failed = run.outside_status != "SUCCEEDED"
    now = database_time()
    with write_scope() as session:
        lifecycle.hold_run(session, run.id, claimed.holder)
        lifecycle.note_redirects(session, run.id, others)
        lifecycle.close_run(session, run.id, now, outcome, detail, has_failed=has_failed)


def _fail(claimed: Claim, outcome: Outcome, detail: str) -> None:
    now = database_time()
    with write_scope() as session:
        lifecycle.hold_run(session, claimed.run_id, claimed.holder)
        lifecycle.close_run(session, claimed.run_id, now, outcome, detail, has_failed=True)
