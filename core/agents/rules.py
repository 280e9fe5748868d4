"""The rate limit of a token. Pure.

The generic cell rate algorithm (ITU-T I.371): one moment per token is the time up to which
its calls are paid for. There is no counter and no window with an edge.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class CallOutcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    REFUSED = "refused"  # wrong arguments, no permission, not found: the answer says what to do
    FAILED = "failed"  # a fault on our side
    LIMITED = "limited"  # too many calls
    LEFT = "left"  # the caller did not wait for the answer


@dataclass(frozen=True, slots=True)
class CallLimit:
    """The average calls per minute, and the calls in one burst after a pause."""

    per_minute: int
    at_once: int

    @property
    def step(self) -> timedelta:
        """Return the time that one call uses up."""
        return timedelta(minutes=1) / self.per_minute

    @property
    def slack(self) -> timedelta:
        """Return how far ahead of the clock the paid time may be."""
        return self.step * self.at_once


def compute_paid_until(before: datetime | None, limit: CallLimit, now: datetime) -> datetime:
    """Return the time paid for after one more call; `before` None: the first call."""
    return max(before or now, now) + limit.step


def compute_wait(before: datetime | None, limit: CallLimit, now: datetime) -> timedelta:
    """Return how long a call has to wait; zero if it may run now."""
    return max(compute_paid_until(before, limit, now) - (now + limit.slack), timedelta(0))
