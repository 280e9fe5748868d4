"""The steps of a run: claim, start, recover, finish, close. Never commits.

Each function moves a run to the next state only if it is still in the state before,
and returns whether this call did it: two workers can't both do a step.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.database.leases import LeaseLostError
from core.errors import NotFoundError
from core.history.observation import Outcome
from core.scraping.runs.apify import OutsideRun
from core.scraping.runs.dispatch import OPEN_STATES
from core.scraping.runs.models import FetchItem, FetchRun, ProviderState
from core.tracking.rules import FIRST_RETRY, LONGEST_RETRY

LONGEST_CLAIM: Final = timedelta(minutes=10)
FIRST_BACKOFF: Final = timedelta(seconds=10)  # after a provider's failed answer
LONGEST_BACKOFF: Final = timedelta(minutes=10)


def get_run(session: Session, run_id: int) -> FetchRun:
    """Return a run. Raises NotFoundError."""
    run = session.get(FetchRun, run_id)
    if run is None:
        raise NotFoundError(f"There is no fetch run {run_id}.")
    return run


# Claims. The database's clock decides when one expires; one that lasts longer than any
# claim may was made while that clock was ahead.
_IS_UNCLAIMED = or_(
    FetchRun.claimed_until.is_(None),
    FetchRun.claimed_until <= func.clock_timestamp(),
    FetchRun.claimed_until > func.clock_timestamp() + LONGEST_CLAIM,
)


def _make_claim_values(holder: UUID, term: timedelta) -> dict[str, Any]:
    return {"claimed_by": holder, "claimed_until": func.clock_timestamp() + term}


def claim_next_run(
    session: Session, provider: str, after: int, holder: UUID, term: timedelta
) -> int | None:
    """Claim the first open, unclaimed run after the id `after`; None if there is none."""
    free = (
        select(FetchRun.id)
        .where(
            FetchRun.state.in_(OPEN_STATES),
            FetchRun.provider == provider,
            FetchRun.id > after,
            _IS_UNCLAIMED,
        )
        .order_by(FetchRun.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    claimed = update(FetchRun).where(FetchRun.id == free.scalar_subquery())
    return session.scalar(claimed.values(_make_claim_values(holder, term)).returning(FetchRun.id))


def claim_run(session: Session, run_id: int, holder: UUID, term: timedelta) -> bool:
    """Claim one open run and return whether it was unclaimed."""
    claimed = (
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.state.in_(OPEN_STATES), _IS_UNCLAIMED)
        .values(_make_claim_values(holder, term))
    )
    return session.execute(claimed.returning(FetchRun.id)).first() is not None


def renew_run_claim(session: Session, run_id: int, holder: UUID, term: timedelta) -> bool:
    """Extend the claim on a run; False if another worker has claimed it meanwhile."""
    renewed = (
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.claimed_by == holder)
        .values(_make_claim_values(holder, term))
    )
    return session.execute(renewed.returning(FetchRun.id)).first() is not None


def lock_claimed_run(session: Session, run_id: int, holder: UUID) -> None:
    """Lock a run that this worker has claimed, before writing anything of it.

    Raises LeaseLostError if the worker was held up for longer than its claim and another
    one continued or ended the run.
    """
    held = select(FetchRun.id).where(FetchRun.id == run_id, FetchRun.claimed_by == holder)
    if session.scalar(held.with_for_update()) is None:
        raise LeaseLostError(f"Another worker continued run {run_id}.")


def release_claim(session: Session, run_id: int, holder: UUID) -> None:
    """Release the claim on a run, unless another worker has claimed it meanwhile."""
    session.execute(
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.claimed_by == holder)
        .values(claimed_by=None, claimed_until=None)
    )


def has_claimed_runs(session: Session) -> bool:
    """Return whether an open run is claimed, also by a worker that died."""
    claimed = select(FetchRun.id).where(
        FetchRun.state.in_(OPEN_STATES), FetchRun.claimed_by.is_not(None)
    )
    return session.scalar(claimed.limit(1)) is not None


def list_providers_with_open_runs(session: Session) -> list[str]:
    """Return the names of providers that have open runs, sorted."""
    named = select(FetchRun.provider).where(FetchRun.state.in_(OPEN_STATES)).distinct()
    return sorted(session.scalars(named))


# Starting


def begin_start(session: Session, run_id: int, holder: UUID, term: timedelta) -> bool:
    """Record that a run is about to be started; False if it is no longer this worker's.

    Commit this right before the request: a worker that was suspended after planning the
    run must not start what another one has withdrawn. `term`: how long the answer may take.
    """
    begun = (
        update(FetchRun)
        .where(
            FetchRun.id == run_id,
            FetchRun.state == "intended",
            FetchRun.claimed_by == holder,
            FetchRun.asked_at.is_(None),
        )
        .values(_make_claim_values(holder, term) | {"asked_at": func.clock_timestamp()})
    )
    return session.execute(begun.returning(FetchRun.id)).first() is not None


def record_unclear_start(
    session: Session, run_id: int, holder: UUID, error: str, term: timedelta
) -> None:
    """Record why it is unclear whether a run was started; `term`: until it is searched for."""
    record_error(session, run_id, error)
    renew_run_claim(session, run_id, holder, term)


def mark_started(session: Session, run_id: int, outside: OutsideRun) -> bool:
    """Store Apify's id of a run that was started or found again."""
    done = session.execute(
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.state == "intended")
        .values(
            state="running",
            outside_run_id=outside.id,
            outside_dataset_id=outside.dataset_id,
            outside_status=outside.status,
            started_at=outside.started_at,
            error=None,
            claimed_by=None,
            claimed_until=None,
        )
        .returning(FetchRun.id)
    )
    return done.first() is not None


def mark_finished(session: Session, run_id: int, outside: OutsideRun, now: datetime) -> bool:
    """Store how and when a run ended; its data set is read next.

    The finish time is stored first, because it is the time of items without one:
    reading the same data set again then stores nothing twice.
    """
    done = session.execute(
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.state == "running")
        .values(
            state="finished",
            outside_status=outside.status,
            finished_at=min(outside.finished_at or now, now),
            cost_usd=outside.cost_usd,
        )
        .returning(FetchRun.id)
    )
    return done.first() is not None


def record_error(session: Session, run_id: int, error: str) -> None:
    """Record the error of a run that is still open."""
    session.execute(update(FetchRun).where(FetchRun.id == run_id).values(error=error[:2000]))


def find_known_outside_ids(session: Session, ids: Sequence[str]) -> set[str]:
    """Return those of Apify's run ids that are already stored with a run."""
    rows = session.scalars(select(FetchRun.outside_run_id).where(FetchRun.outside_run_id.in_(ids)))
    return {outside for outside in rows if outside is not None}


def close_run(
    session: Session,
    run_id: int,
    now: datetime,
    outcome: Outcome,
    detail: str,
    *,
    has_failed: bool,
) -> bool:
    """End a run: products without an item get this outcome, and all products are released.

    Products that failed are due again after a wait that doubles, at most their own
    cadence. Returns False, and changes nothing, if another worker ended the run meanwhile.
    """
    done = session.execute(
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.state.in_(OPEN_STATES))
        .values(
            state="failed" if has_failed else "collected",
            error=detail[:2000] if has_failed else None,
            claimed_by=None,
            claimed_until=None,
            collected_at=now,
        )
        .returning(FetchRun.id)
    )
    if done.first() is None:
        return False
    session.execute(
        update(FetchItem)
        .where(FetchItem.fetch_run_id == run_id, FetchItem.outcome.is_(None))
        .values(outcome=outcome.value, detail=detail)
    )
    session.execute(text(_COUNT_CHECKS), {"run": run_id, "good": _ANSWERS})
    _release_products(session, run_id, now)
    return True


_ANSWERS: Final = [each.value for each in Outcome if each.is_about_product]
# On the run, so that a day's checks are counted without reading each of them.
_COUNT_CHECKS = """
UPDATE fetch_run r SET answered = i.answered, blocked = i.blocked, failed = i.failed
FROM (SELECT count(*) FILTER (WHERE outcome = ANY(:good)) AS answered,
             count(*) FILTER (WHERE outcome = 'blocked') AS blocked,
             count(*) FILTER (WHERE outcome <> ALL(:good) AND outcome <> 'blocked') AS failed
      FROM fetch_item WHERE fetch_run_id = :run) AS i
WHERE r.id = :run
"""


def mark_redirected(session: Session, run_id: int, other_asins: Collection[str]) -> int:
    """Mark missing products as redirected; return their number.

    A redirected item may no longer name the ASIN we requested. We recognise it only if as
    many products are missing as unrequested ones arrived.
    """
    missing = session.scalars(
        select(FetchItem).where(FetchItem.fetch_run_id == run_id, FetchItem.outcome.is_(None))
    ).all()
    if not missing or len(missing) != len(other_asins):
        return 0
    named = ", ".join(sorted(other_asins)[:5])
    for item in missing:
        item.outcome = Outcome.REDIRECTED_ASIN.value
        item.detail = f"Amazon answered with another product ({named}) instead of this one."
    session.flush()
    return len(missing)


# A test compares the due times with tests/core/scraping/runs/due_times.py.
_RELEASE_PRODUCTS = f"""
WITH back AS (
    SELECT i.product_id, i.outcome,
           i.outcome = ANY(CAST(:answered AS text[])) AS is_answered
    FROM fetch_item i WHERE i.fetch_run_id = :run
)
UPDATE fetch_schedule AS s SET
    leased_until = NULL,
    fetch_run_id = NULL,
    priority = 1,
    requested_at = NULL,
    last_outcome = b.outcome,
    looked_at = CASE WHEN b.is_answered THEN CAST(:now AS timestamptz) ELSE s.looked_at END,
    failures = CASE WHEN b.is_answered THEN 0 ELSE s.failures + 1 END,
    due_at = CASE
        WHEN b.is_answered AND s.due_at > CAST(:now AS timestamptz)
            - s.cadence_minutes * interval '30 seconds'
            THEN s.due_at + s.cadence_minutes * interval '1 minute'
        WHEN b.is_answered
            THEN CAST(:now AS timestamptz) + s.cadence_minutes * interval '1 minute'
        ELSE CAST(:now AS timestamptz) + LEAST(interval '{int(FIRST_RETRY.total_seconds())} seconds'
                   * (2 ^ LEAST(s.failures, 10)),
                   interval '{int(LONGEST_RETRY.total_seconds())} seconds',
                   s.cadence_minutes * interval '1 minute') END
FROM back b WHERE s.product_id = b.product_id AND s.fetch_run_id = :run
"""


def _release_products(session: Session, run_id: int, now: datetime) -> None:
    # A redirect is no information about the requested product, but a retry would give the
    # same: like an answered product it is due at its usual time.
    answered = [outcome.value for outcome in Outcome if outcome.is_about_product]
    answered.append(Outcome.REDIRECTED_ASIN.value)
    session.execute(text(_RELEASE_PRODUCTS), {"answered": answered, "run": run_id, "now": now})
    _unschedule_untracked(session, run_id)


def _unschedule_untracked(session: Session, run_id: int) -> None:
    """Unschedule products that are no longer tracked, or paused by all who track them."""
    session.execute(
        text(
            "DELETE FROM fetch_schedule s USING fetch_item i WHERE i.fetch_run_id = :run "
            "AND s.product_id = i.product_id AND s.leased_until IS NULL AND NOT EXISTS ("
            "SELECT 1 FROM tracking t WHERE t.product_id = s.product_id "
            "AND (t.paused_at IS NULL OR s.requested_at IS NOT NULL))"
        ),
        {"run": run_id},
    )


def withdraw_run(session: Session, run_id: int, due_at: datetime, error: str) -> bool:
    """Withdraw a run that certainly was never started; its products are due at `due_at`.

    Returns False, and changes nothing, if another worker continued it meanwhile.
    """
    done = session.execute(
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.state == "intended")
        .values(state="failed", error=error[:2000], claimed_by=None, claimed_until=None)
        .returning(FetchRun.id)
    )
    if done.first() is None:
        return False
    session.execute(
        text(
            "UPDATE fetch_schedule SET leased_until = NULL, fetch_run_id = NULL, due_at = :due "
            "WHERE fetch_run_id = :run"
        ),
        {"run": run_id, "due": due_at},
    )
    _unschedule_untracked(session, run_id)
    session.execute(text("DELETE FROM fetch_item WHERE fetch_run_id = :run"), {"run": run_id})
    return True


def set_provider_state(
    session: Session,
    provider: str,
    state: str,
    detail: str | None,
    now: datetime,
    retry_at: datetime | None,
) -> None:
    """Store whether a provider can be used, and when it is tried again."""
    values = {"state": state, "detail": detail, "checked_at": now, "retry_at": retry_at}
    session.execute(
        insert(ProviderState)
        .values(provider=provider, **values)
        .on_conflict_do_update(index_elements=["provider"], set_=values)
    )


def back_off(session: Session, provider: str, detail: str, now: datetime) -> timedelta:
    """Record that a provider failed, and return how long it is not called.

    The wait doubles with each failure in a row, up to `LONGEST_BACKOFF`.
    """
    found = session.get(ProviderState, provider, populate_existing=True, with_for_update=True)
    rest = FIRST_BACKOFF
    if found is not None and found.state == "unreachable" and found.retry_at is not None:
        rest = min(max(FIRST_BACKOFF, (found.retry_at - found.checked_at) * 2), LONGEST_BACKOFF)
    set_provider_state(session, provider, "unreachable", detail, now, now + rest)
    return rest


def mark_reachable(session: Session, provider: str) -> None:
    """Clear the back-off of a provider that answers again."""
    session.execute(
        update(ProviderState)
        .where(ProviderState.provider == provider, ProviderState.state == "unreachable")
        .values(state="ok", detail=None, retry_at=None)
    )


def is_backing_off(session: Session, provider: str, now: datetime) -> bool:
    """Return whether a provider is left alone for a while after a failure."""
    found = session.get(ProviderState, provider)
    return found is not None and found.retry_at is not None and found.retry_at > now


def forget_provider_state(session: Session, provider: str) -> None:
    """Forget what was wrong with a provider, so that the next round calls it."""
    session.execute(delete(ProviderState).where(ProviderState.provider == provider))


def clear_backoffs(session: Session) -> None:
    """Clear the back-off of every provider, so that the next round tries it again."""
    session.execute(update(ProviderState).values(retry_at=None))
