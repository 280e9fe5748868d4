"""The life of a run: started, found again, finished, given back. Never commits.

Each verb moves a run from one state to the next only if it still is in the
first, and returns whether this call did it: two workers can't both do a step.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import NotFoundError
from core.history.observation import Outcome
from core.scraping.apify import OutsideRun
from core.scraping.batches import OPEN_STATES
from core.scraping.models import FetchItem, FetchRun, ProviderState
from core.tracking.rules import FIRST_RETRY, LONGEST_RETRY


def get_run(session: Session, run_id: int) -> FetchRun:
    """Return a run. Raises NotFoundError."""
    run = session.get(FetchRun, run_id)
    if run is None:
        raise NotFoundError(f"There is no fetch run {run_id}.")
    return run


def claim_open_runs(session: Session, now: datetime, claim: timedelta, limit: int) -> list[int]:
    """Claim open runs that nobody works on, oldest first, and return their ids.

    A claim is no lock: it ends by itself when the process that made it dies.
    """
    free = (
        select(FetchRun.id)
        .where(
            FetchRun.state.in_(OPEN_STATES),
            (FetchRun.claimed_until.is_(None)) | (FetchRun.claimed_until < now),
        )
        .order_by(FetchRun.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(free).all()
    session.execute(update(FetchRun).where(FetchRun.id.in_(ids)).values(claimed_until=now + claim))
    return list(ids)


def claim_run(session: Session, run_id: int, now: datetime, claim: timedelta) -> bool:
    """Claim one run and return whether nobody else had it."""
    claimed = session.execute(
        update(FetchRun)
        .where(
            FetchRun.id == run_id,
            (FetchRun.claimed_until.is_(None)) | (FetchRun.claimed_until < now),
        )
        .values(claimed_until=now + claim)
        .returning(FetchRun.id)
    )
    return claimed.first() is not None


def release_claim(session: Session, run_id: int) -> None:
    """Let others work on a run again."""
    session.execute(update(FetchRun).where(FetchRun.id == run_id).values(claimed_until=None))


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


def note_error(session: Session, run_id: int, error: str) -> None:
    """Keep what went wrong with a run that is still open."""
    session.execute(update(FetchRun).where(FetchRun.id == run_id).values(error=error[:2000]))


def known_outside_ids(session: Session, ids: Sequence[str]) -> set[str]:
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
    _give_back(session, run_id, now)
    return True


def note_redirects(session: Session, run_id: int, other_asins: Collection[str]) -> int:
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


# `next_due` and `retry_due` of core/tracking/rules.py, for many products at once.
_GIVE_BACK = f"""
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


def _give_back(session: Session, run_id: int, now: datetime) -> None:
    # A redirect tells nothing of the product that was asked for, and asking again at
    # once would tell nothing new: it waits for its usual turn like an answer.
    heard = [outcome.value for outcome in Outcome if outcome.says_something]
    heard.append(Outcome.REDIRECTED_ASIN.value)
    session.execute(text(_GIVE_BACK), {"heard": heard, "run": run_id, "now": now})
    _drop_unwanted(session, run_id)


def _drop_unwanted(session: Session, run_id: int) -> None:
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
        .values(state="failed", error=error[:2000], claimed_until=None)
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
    _drop_unwanted(session, run_id)
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


def is_resting(session: Session, provider: str, now: datetime) -> bool:
    """Return whether a provider is left alone for now, because asking it is known to fail."""
    found = session.get(ProviderState, provider)
    return found is not None and found.retry_at is not None and found.retry_at > now


def end_rests(session: Session) -> None:
    """Have every provider asked again in the next round."""
    session.execute(update(ProviderState).values(retry_at=None))
