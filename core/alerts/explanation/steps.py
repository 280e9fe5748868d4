"""A step on the way from an observation to a message, as a sentence. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class StepKind(StrEnum):
    """A part of the way from an observation to a message."""

    CHECK = "check"
    VALUES = "values"
    EVALUATION = "evaluation"
    RULE = "rule"
    ALERT = "alert"
    DELIVERY = "delivery"


class StepState(StrEnum):
    """How a part of the way ended."""

    PASSED = "passed"
    STOPPED = "stopped"  # the way ends here
    WAITING = "waiting"  # it goes on later
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the way. `text`: a sentence, which may hold text from outside."""

    kind: StepKind
    state: StepState
    text: str
    channel: str | None = None  # whose delivery it is: the channel's name
