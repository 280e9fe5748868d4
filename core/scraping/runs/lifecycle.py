"""The life of a run: started, found again, finished, given back. Never commits.

Each verb moves a run from one state to the next only if it still is in the
first, and returns whether this call did it: two workers can't both do a step.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, or_, select, text, update
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
FIRST_BACKOFF: Final = timedelta(seconds=10)  # of a provider that did not answer well
LONGEST_BACKOFF: Final = timedelta(minutes=10)


def get_run(session: Session, run_id: int) -> FetchRun:
    """Return a run. Raises NotFoundError."""
    run = session.get(FetchRun, run_id)
    if run is None:
        raise NotFoundError(f"There is no fetch run {run_id}.")
    return run


# Claims. The database's clock says when one is over; one that reaches further than any
# claim may was given while that clock was ahead.
_IS_UNCLAIMED = or_(
    FetchRun.claimed_until.is_(None),
    FetchRun.claimed_until <= func.clock_timestamp(),
    FetchRun.claimed_until > func.clock_timestamp() + LONGEST_CLAIM,
)


def _claimed(holder: UUID, term: timedelta) -> dict[str, Any]:
    return {"claimed_by": holder, "claimed_until": func.clock_timestamp() + term}


def claim_next_run(
    session: Session, provider: str, after: int, holder: UUID, term: timedelta
) -> int | None:
    """Claim the first open run behind `after` that nobody works on; None when there is none."""
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
    return session.scalar(claimed.values(_claimed(holder, term)).returning(FetchRun.id))


def claim_run(session: Session, run_id: int, holder: UUID, term: timedelta) -> bool:
    """Claim one open run and return whether nobody else had it."""
    claimed = (
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.state.in_(OPEN_STATES), _IS_UNCLAIMED)
        .values(_claimed(holder, term))
    )
    return session.execute(claimed.returning(FetchRun.id)).first() is not None


def renew_run_claim(session: Session, run_id: int, holder: UUID, term: timedelta) -> bool:
    """Keep others away from a run for longer; False when another has it by now."""
    renewed = (
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.claimed_by == holder)
        .values(_claimed(holder, term))
    )
    return session.execute(renewed.returning(FetchRun.id)).first() is not None


def lock_claimed_run(session: Session, run_id: int, holder: UUID) -> None:
    """Lock a run that this worker has claimed, before anything of it is written.

    Raises TakenOverError when the worker was held up for longer than its claim and another
    one went on, or has ended the run.
    """
    held = select(FetchRun.id).where(FetchRun.id == run_id, FetchRun.claimed_by == holder)
    if session.scalar(held.with_for_update()) is None:
        raise LeaseLostError(f"Another worker went on with run {run_id}.")


def release_claim(session: Session, run_id: int, holder: UUID) -> None:
    """Let others work on a run again, unless another has it by now."""
    session.execute(
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.claimed_by == holder)
        .values(claimed_by=None, claimed_until=None)
    )


def has_claimed_runs(session: Session) -> bool:
    """True while some open run is being worked on, or was when its worker died."""
    claimed = select(FetchRun.id).where(
        FetchRun.state.in_(OPEN_STATES), FetchRun.claimed_by.is_not(None)
    )
    return session.scalar(claimed.limit(1)) is not None


def list_providers_with_open_runs(session: Session) -> list[str]:
    """Return which providers have open runs."""
    named = select(FetchRun.provider).where(FetchRun.state.in_(OPEN_STATES)).distinct()
    return sorted(session.scalars(named))


# Starting


def begin_start(session: Session, run_id: int, holder: UUID, term: timedelta) -> bool:
    """Note that a run is about to be started; False when it is not this worker's any more.

    Commit it right before the request: a worker that slept since it planned the run must
    not start what another has given up meanwhile. `term`: how long the answer may take.
    """
    begun = (
        update(FetchRun)
        .where(
            FetchRun.id == run_id,
            FetchRun.state == "intended",
            FetchRun.claimed_by == holder,
            FetchRun.asked_at.is_(None),
        )
        .values(_claimed(holder, term) | {"asked_at": func.clock_timestamp()})
    )
    return session.execute(begun.returning(FetchRun.id)).first() is not None


def record_unclear_start(
    session: Session, run_id: int, holder: UUID, error: str, term: timedelta
) -> None:
    """Keep why it is unclear whether a run was started; `term`: until it is looked for."""
    record_error(session, run_id, error)
    renew_run_claim(session, run_id, holder, term)


def mark_started(session: Session, run_id: int, outside: OutsideRun) -> bool:
    """Store the outside id of a run that was started, or found again."""
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

    The finish time is stored first, because it is the time of items that carry
    none: reading the same data set again stores nothing twice.
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
    """Keep what went wrong with a run that is still open."""
    session.execute(update(FetchRun).where(FetchRun.id == run_id).values(error=error[:2000]))


def find_known_outside_ids(session: Session, ids: Sequence[str]) -> set[str]:
    """Return those of Apify's run ids that belong to a run already."""
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
    """End a run: products that did not come back get this outcome, and all are given back.

    Products that failed are due again after a wait that doubles, never longer
    than their own cadence. Returns False, and leaves all as it is, when somebody
    else ended the run meanwhile.
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
    _release_products(session, run_id, now)
    return True


def mark_redirected(session: Session, run_id: int, other_asins: Collection[str]) -> int:
    """Say of products that did not come back that others came in their place; return of how many.

    An item whose address has moved as well names nothing of what was asked for: it is
    told by what is left over, and only where as many are missing as nobody asked for.
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
           i.outcome = ANY(CAST(:heard AS text[])) AS is_heard
    FROM fetch_item i WHERE i.fetch_run_id = :run
)
UPDATE fetch_schedule AS s SET
    leased_until = NULL,
    fetch_run_id = NULL,
    priority = 1,
    requested_at = NULL,
    last_outcome = b.outcome,
    looked_at = CASE WHEN b.is_heard THEN CAST(:now AS timestamptz) ELSE s.looked_at END,
    failures = CASE WHEN b.is_heard THEN 0 ELSE s.failures + 1 END,
    due_at = CASE
        WHEN b.is_heard AND s.due_at > CAST(:now AS timestamptz)
            - s.cadence_minutes * interval '30 seconds'
            THEN s.due_at + s.cadence_minutes * interval '1 minute'
        WHEN b.is_heard
            THEN CAST(:now AS timestamptz) + s.cadence_minutes * interval '1 minute'
        ELSE CAST(:now AS timestamptz) + LEAST(interval '{int(FIRST_RETRY.total_seconds())} seconds'
                   * (2 ^ LEAST(s.failures, 10)),
                   interval '{int(LONGEST_RETRY.total_seconds())} seconds',
                   s.cadence_minutes * interval '1 minute') END
FROM back b WHERE s.product_id = b.product_id AND s.fetch_run_id = :run
"""


def _release_products(session: Session, run_id: int, now: datetime) -> None:
    # A redirect tells nothing of the product that was asked for, and asking again at
    # once would tell nothing new: it waits for its usual turn like an answer.
    heard = [outcome.value for outcome in Outcome if outcome.is_about_product]
    heard.append(Outcome.REDIRECTED_ASIN.value)
    session.execute(text(_RELEASE_PRODUCTS), {"heard": heard, "run": run_id, "now": now})
    _unschedule_untracked(session, run_id)


def _unschedule_untracked(session: Session, run_id: int) -> None:
    """Take out of the round what nobody follows any more, or everybody paused meanwhile."""
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
    """Take back a run that certainly was never started; its products are due at `due_at`.

    Returns False, and leaves all as it is, when somebody else took it further meanwhile.
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
    """Keep whether a provider can be used, and from when on it is asked again."""
    values = {"state": state, "detail": detail, "checked_at": now, "retry_at": retry_at}
    session.execute(
        insert(ProviderState)
        .values(provider=provider, **values)
        .on_conflict_do_update(index_elements=["provider"], set_=values)
    )


def back_off(session: Session, provider: str, detail: str, now: datetime) -> timedelta:
    """Keep that a provider did not answer well, and return for how long it is left alone.

    The wait doubles with each failure in a row, up to LONGEST_REST.
    """
    found = session.get(ProviderState, provider, populate_existing=True, with_for_update=True)
    rest = FIRST_BACKOFF
    if found is not None and found.state == "unreachable" and found.retry_at is not None:
        rest = min(max(FIRST_BACKOFF, (found.retry_at - found.checked_at) * 2), LONGEST_BACKOFF)
    set_provider_state(session, provider, "unreachable", detail, now, now + rest)
    return rest


def mark_reachable(session: Session, provider: str) -> None:
    """End the rest of a provider that did not answer, and does now."""
    session.execute(
        update(ProviderState)
        .where(ProviderState.provider == provider, ProviderState.state == "unreachable")
        .values(state="ok", detail=None, retry_at=None)
    )


def is_backing_off(session: Session, provider: str, now: datetime) -> bool:
    """Return whether a provider is left alone for now, because asking it is known to fail."""
    found = session.get(ProviderState, provider)
    return found is not None and found.retry_at is not None and found.retry_at > now


def clear_backoffs(session: Session) -> None:
    """Have every provider asked again in the next round."""
    session.execute(update(ProviderState).values(retry_at=None))
