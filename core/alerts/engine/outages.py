"""A circuit breaker for each actor in each marketplace: mostly blocked, it mutes what it reports.

Never commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.alerts.models import SourceOutage
from core.history.observation import Outcome

WINDOW: Final = timedelta(hours=1)  # whose checks are counted
LEAST_CHECKS: Final = 10  # fewer begin no outage
BEGINS_AT: Final = 0.5  # share of blocked checks
ENDS_BELOW: Final = 0.2


@dataclass(frozen=True, slots=True)
class CheckCount:
    """How many checks of an actor in a marketplace ended in the window, and how many blocked."""

    marketplace: str
    actor: str
    checked: int
    blocked: int


def is_outage(count: CheckCount, *, is_open: bool) -> bool:
    """Return whether there is an outage; one that is open ends later than one begins. Pure.

    Without checks an open one goes on: nothing says that it is over.
    """
    if not count.checked:
        return is_open
    share = count.blocked / count.checked
    if is_open:
        return share >= ENDS_BELOW
    return count.checked >= LEAST_CHECKS and share >= BEGINS_AT


_COUNT: Final = text("""
SELECT r.marketplace, r.actor, count(*), count(*) FILTER (WHERE i.outcome = :blocked)
FROM fetch_run AS r JOIN fetch_item AS i ON i.fetch_run_id = r.id
WHERE r.intended_at >= :earliest AND r.collected_at >= :since AND i.outcome IS NOT NULL
GROUP BY r.marketplace, r.actor
""")
LONGEST_RUN: Final = timedelta(hours=12)  # from a run's intent to its items


def count_checks(session: Session, now: datetime) -> list[CheckCount]:
    """Return the checks of the last hour by marketplace and actor."""
    values = {
        "blocked": Outcome.BLOCKED.value,
        "since": now - WINDOW,
        "earliest": now - WINDOW - LONGEST_RUN,
    }
    return [CheckCount(*row) for row in session.execute(_COUNT, values)]


def update_outages(session: Session, now: datetime) -> int:
    """Begin and end outages by the checks of the last hour; return how many are open."""
    # One worker at a time: the job that calls it holds a lease.
    found = session.scalars(select(SourceOutage).where(SourceOutage.ended_at.is_(None)))
    is_open = {(each.marketplace, each.actor): each for each in found}
    for count in count_checks(session, now):
        known = is_open.get((count.marketplace, count.actor))
        if known is None and is_outage(count, is_open=False):
            session.add(
                SourceOutage(
                    marketplace=count.marketplace,
                    actor=count.actor,
                    began_at=now,
                    blocked=count.blocked,
                    checked=count.checked,
                )
            )
        elif known is not None and not is_outage(count, is_open=True):
            known.ended_at = now
    session.flush()
    return len(read_open_outages(session))


def read_open_outages(session: Session) -> Sequence[SourceOutage]:
    """Return the outages that last."""
    return session.scalars(select(SourceOutage).where(SourceOutage.ended_at.is_(None))).all()
