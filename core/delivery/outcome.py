"""What became of an attempt to send a message. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """How an attempt ended. Stored as text."""

    SENT = "sent"  # the provider accepted it
    REFUSED = "refused"  # it never will: a wrong address, a revoked token
    LATER = "later"  # certainly not sent: refused connection, 429, 500
    UNKNOWN = "unknown"  # a timeout, or a connection lost after sending


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `answer`: the provider's words, at most 500 characters, without secrets.

    `pause`: how long the provider asks to wait. `provider_id`: how the provider names the message.
    """

    outcome: Outcome
    answer: str
    pause: timedelta | None = None
    provider_id: str | None = None
