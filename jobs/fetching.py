"""When products are fetched: due ones dispatched, open runs collected. No rules of its own.

Every step reads, waits for Apify with no transaction open, then writes. Whatever
is killed in between is found again by the next round.
"""

import logging
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from huey import crontab
from sqlalchemy.orm import Session

from core.config import get_settings
from core.db import read_scope, write_scope
from core.errors import ConfigurationError
from core.history.observation import Outcome
from core.history.store import make_room
from core.scraping import service
from core.scraping.actors import get_actor
from core.scraping.apify import (
    Apify,
    ApifyAccess,
    NoCreditError,
    OutsideRun,
    RefusedError,
    SlowDownError,
    StartUnclearError,
    TokenError,
    UnreachableError,
)
from core.scraping.batches import LEASE, PlannedRun, input_hash, plan_run
from core.scraping.collecting import get_batch, make_raw_room, store_items
from core.scraping.models import FetchRun
from core.scraping.providers import Provider, get_access, get_provider, provider_names
from jobs.queue import huey
from jobs.running import alone, in_turn, job

log = logging.getLogger(__name__)

DISPATCH = "dispatch"  # the lock under which runs are started
PAGE = 100  # items read at a time: some two megabytes
CLAIM = timedelta(minutes=10)  # how long a process may take over one step of a run
# A start whose answer is awaited must never be taken for one that was lost: longer
# than the client's own limit of a minute.
UNCLEAR_AFTER = timedelta(minutes=3)
CLOCK_SKEW = timedelta(minutes=5)
TURN = 30.0  # seconds that recovery waits for a round of dispatching to end
REST = timedelta(minutes=30)  # before a refused token or an empty account is tried again
SHORT_REST = timedelta(minutes=2)
PATIENCE = timedelta(days=1)  # with a run whose items can't be stored
LONGEST_RUN = LEASE  # one that goes on for longer is stopped, so that its products come back


@huey.periodic_task(crontab(minute="*"), expires=60)
def dispatch_due() -> None:
    """Start runs for what is due, as far as the limits allow."""
    alone(DISPATCH, dispatch_round)


@huey.periodic_task(crontab(minute="*"), expires=60)
def collect_runs() -> None:
    """Bring every open run one step further."""
    collect_round()


@huey.task(expires=300)
def fetch_now() -> None:
    """The doorbell of a manual refresh: dispatch without waiting for the minute."""
    alone(DISPATCH, dispatch_round)


@huey.task(expires=600)
def look_at_run(run_id: int) -> None:
    """Look at one run soon after it was started."""
    if claim(run_id):
        advance(run_id)


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
        service.end_rests(session)


def dispatch() -> int:
    """Start every run that is due and allowed; return how many."""
    return sum(_dispatch_provider(name) for name in provider_names(get_settings()))


def _dispatch_provider(name: str) -> int:
    now = datetime.now(UTC)
    with read_scope() as session:
        if service.is_resting(session, name, now):
            return 0
    try:
        provider = get_provider(name, get_settings())
    except ConfigurationError as error:  # must not keep the other providers from their work
        _rest(name, "misconfigured", str(error), now, None)
        return 0
    if provider.access is None:
        _rest(name, "no_token", provider.missing, now, None)
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
    with write_scope() as session:
        return plan_run(session, provider.name, provider.actor, provider.limits, datetime.now(UTC))


def start(provider: Provider, planned: PlannedRun) -> bool:
    """Start a planned run; return False when starting more makes no sense now."""
    try:
        outside = client_of(provider.access).start(planned.actor, planned.input)
    except StartUnclearError as error:
        log.warning("Run %s: %s", planned.id, error)
        with write_scope() as session:
            service.note_error(session, planned.id, str(error))
        return True
    except (TokenError, NoCreditError, SlowDownError, UnreachableError) as error:
        _withdraw(planned.id, provider.name, error)
        return False
    except RefusedError as error:  # the next batch would be refused as well
        with write_scope() as session:
            _fail(session, planned.id, Outcome.BAD_INPUT, str(error))
        _rest(provider.name, "misconfigured", str(error), datetime.now(UTC), SHORT_REST)
        return False
    with write_scope() as session:
        is_ours = service.mark_started(session, planned.id, outside)
        service.set_provider_state(session, provider.name, "ok", None, datetime.now(UTC), None)
    if not is_ours:
        _stop_stray(provider, outside)
    look_at_run.schedule((planned.id,), delay=5)
    return True


def _stop_stray(provider: Provider, outside: OutsideRun) -> None:
    """Stop a run that nobody waits for: this process slept while it was given up."""
    with read_scope() as session:
        is_known = service.known_outside_ids(session, [outside.id])
    if not is_known:
        log.warning("Stopping run %s, which was given up before its start was noted.", outside.id)
        client_of(provider.access).abort(outside.id)


def _withdraw(
    run_id: int,
    provider: str,
    error: TokenError | NoCreditError | SlowDownError | UnreachableError,
) -> None:
    """Give back a run that was not started, and let the provider rest."""
    now = datetime.now(UTC)
    with write_scope() as session:
        service.withdraw_run(session, run_id, now, str(error))
    _let_rest(provider, error)


def _let_rest(
    provider: str, error: TokenError | NoCreditError | SlowDownError | UnreachableError
) -> None:
    """Keep why a provider can't be used, and leave it alone for a while."""
    now = datetime.now(UTC)
    if isinstance(error, TokenError):
        _rest(provider, "bad_token", str(error), now, REST)
    elif isinstance(error, NoCreditError):
        _rest(provider, "no_credit", str(error), now, REST)
    else:
        _rest(provider, "unreachable", str(error), now, SHORT_REST)


def _rest(
    provider: str, state: str, detail: str | None, now: datetime, rest: timedelta | None
) -> None:
    with write_scope() as session:
        retry_at = None if rest is None else now + rest
        service.set_provider_state(session, provider, state, detail, now, retry_at)


def collect() -> int:
    """Advance all open runs that nobody works on; return how many."""
    with write_scope() as session:
        claimed = service.claim_open_runs(session, datetime.now(UTC), CLAIM, 50)
    failed: list[Exception] = []
    silent: set[str] = set()
    for run_id in claimed:
        try:
            advance(run_id, silent)
        except Exception as error:  # one run that can't be read must not hold up the others
            if _was_removed(run_id):
                continue
            log.exception("Run %s could not be brought further", run_id)
            failed.append(error)
            _give_up_on_old(run_id, error)
    if failed:
        raise ExceptionGroup("Some runs could not be brought further.", failed)
    return len(claimed)


def _was_removed(run_id: int) -> bool:
    """Return whether a run went with the demo market while it was worked on."""
    with read_scope() as session:
        return session.get(FetchRun, run_id) is None


def _give_up_on_old(run_id: int, error: Exception) -> None:
    """End a run that failed for a day, so that its products are fetched by another."""
    with write_scope() as session:
        run = service.get_run(session, run_id)
        if datetime.now(UTC) > run.intended_at + PATIENCE:
            _fail(session, run_id, Outcome.RUN_FAILED, f"Given up after a day: {error}")


def claim(run_id: int) -> bool:
    """Claim one run for this process."""
    with write_scope() as session:
        return service.claim_run(session, run_id, datetime.now(UTC), CLAIM)


def advance(run_id: int, silent: set[str] | None = None) -> None:
    """Bring one claimed run as far as it goes, and release it.

    `silent` collects the providers that did not answer in this round; their further
    runs wait for the next one.
    """
    silent = set() if silent is None else silent
    with read_scope() as session:
        run = service.get_run(session, run_id)
    access = get_access(run.provider, get_settings())
    if access is None:
        return  # without a token nothing can be asked; the claim ends by itself
    try:
        if run.provider not in silent:
            _bring_further(client_of(access), run)
    except RefusedError as error:  # asking again would change nothing
        with write_scope() as session:
            _fail(session, run_id, Outcome.RUN_FAILED, str(error))
    except (TokenError, NoCreditError, SlowDownError, UnreachableError) as error:
        log.warning("Run %s: %s", run_id, error)
        silent.add(run.provider)
        with write_scope() as session:
            service.note_error(session, run_id, str(error))
        _let_rest(run.provider, error)
    finally:
        with write_scope() as session:
            service.release_claim(session, run_id)


def _bring_further(apify: Apify, run: FetchRun) -> None:
    if run.state == "intended":
        _recover(apify, run)
    if run.state == "running":
        run = _look(apify, run)
    if run.state == "finished":
        _collect(apify, run)


def _recover(apify: Apify, run: FetchRun) -> None:
    """Find out whether a run whose id was never stored exists, by its input."""
    now = datetime.now(UTC)
    if now < run.intended_at + UNCLEAR_AFTER:
        return  # its start may still be under way
    with in_turn(DISPATCH, TURN) as is_free:
        if is_free:  # else a dispatching process lives, and may be about to start this very run
            _find_or_withdraw(apify, run, now)


def _find_or_withdraw(apify: Apify, run: FetchRun, now: datetime) -> None:
    found = _find_outside(apify, run)
    with write_scope() as session:
        if found is not None:
            service.mark_started(session, run.id, found)
        else:
            service.withdraw_run(session, run.id, now, "The run was never started.")


def _find_outside(apify: Apify, run: FetchRun) -> OutsideRun | None:
    """Return the run at Apify that has this run's input and belongs to no other."""
    candidates = list(apify.runs_since(run.actor, run.intended_at - CLOCK_SKEW))
    with read_scope() as session:
        taken = service.known_outside_ids(session, [outside.id for outside in candidates])
    for outside in reversed(candidates):
        if outside.id not in taken and input_hash(apify.input_of(outside)) == run.input_hash:
            return outside
    return None


def _look(apify: Apify, run: FetchRun) -> FetchRun:
    """Ask how a running run is doing; return it as it is then."""
    outside = apify.get_run(run.outside_run_id or "")
    now = datetime.now(UTC)
    with write_scope() as session:
        if outside is None:
            _fail(session, run.id, Outcome.RUN_FAILED, "Apify does not know this run any more.")
        elif outside.has_ended:
            service.mark_finished(session, run.id, outside, now)
    if outside is not None and not outside.has_ended and now > run.intended_at + LONGEST_RUN:
        log.warning("Stopping run %s: it has not ended within %s.", run.id, LONGEST_RUN)
        apify.abort(outside.id)  # what it has brought by then is read by the next round
    with read_scope() as session:
        return service.get_run(session, run.id)


# How a run ended at Apify: the outcome of products that did not come back, and why.
_ENDINGS = {
    "SUCCEEDED": (Outcome.EMPTY_RUN, "The run ended well, and brought nothing for this product."),
    "TIMED-OUT": (Outcome.TIMEOUT, "The run took too long and was stopped by Apify."),
    "ABORTED": (Outcome.TIMEOUT, "The run was stopped before it had read this page."),
}
_FAILED = (Outcome.RUN_FAILED, "The run failed at Apify.")


def _collect(apify: Apify, run: FetchRun) -> None:
    """Read a finished run's data set page by page, and close the run."""
    with job("collect") as notes:
        captured_at = run.finished_at or datetime.now(UTC)
        with write_scope() as session:
            make_room(session, [captured_at])
            make_raw_room(session, datetime.now(UTC))
        with read_scope() as session:
            batch = get_batch(session, run.id, get_actor(run.actor), captured_at)
        offset: int | None = 0
        stored, others = 0, set[str]()
        while offset is not None:
            page = apify.items(run.outside_dataset_id or "", offset, PAGE)
            with write_scope() as session:
                collected = store_items(session, batch, page.items, datetime.now(UTC))
            stored, others = stored + collected.stored, others | collected.other_asins
            offset = page.next_offset
        outcome, detail = _ENDINGS.get(run.outside_status or "", _FAILED)
        has_failed = run.outside_status != "SUCCEEDED"
        with write_scope() as session:
            service.note_redirects(session, run.id, others)
            service.close_run(
                session, run.id, datetime.now(UTC), outcome, detail, has_failed=has_failed
            )
        notes.say(f"Run {run.id}: {stored} of {run.batch_size} products stored.")


def _fail(session: Session, run_id: int, outcome: Outcome, detail: str) -> None:
    now = datetime.now(UTC)
    service.close_run(session, run_id, now, outcome, detail, has_failed=True)


def client_of(access: ApifyAccess | None) -> Apify:
    """Return a client, one per process and way of access."""
    if access is None:
        raise TokenError("There is no Apify token.")
    return _client(access)


@lru_cache(maxsize=4)
def _client(access: ApifyAccess) -> Apify:
    return Apify(access)
