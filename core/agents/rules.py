"""How often a token may call. Pure.

The generic cell rate algorithm (ITU-T I.371): one moment per token says until when its
calls so far are paid for, so that nothing is counted and no window has an edge.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class CallOutcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    REFUSED = "refused"  # wrong arguments, no right, not there: the answer says what to do
    FAILED = "failed"  # a fault on our side
    LIMITED = "limited"  # too many calls
    LEFT = "left"  # whoever called did not wait for the answer


@dataclass(frozen=True, slots=True)
class CallLimit:
    """So many calls a minute in the long run, and so many at once after a rest."""

    per_minute: int
    at_once: int

    @property
    def step(self) -> timedelta:
        """How much time one call uses up."""
        return timedelta(minutes=1) / self.per_minute

    @property
    def slack(self) -> timedelta:
        """How far ahead of the clock calls may be."""
        return self.step * self.at_once


def compute_paid_until(before: datetime | None, limit: CallLimit, now: datetime) -> datetime:
    """Return until when the calls are paid for after one more; `before` None: the first."""
    return max(before or now, now) + limit.step


def compute_wait(before: datetime | None, limit: CallLimit, now: datetime) -> timedelta:
    """Return how long a call has to wait; zero when it may be made now."""
    return max(compute_paid_until(before, limit, now) - (now + limit.slack), timedelta(0))
