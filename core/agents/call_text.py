"""Text on agents' calls. Pure."""

from datetime import datetime
from typing import Final

from core.agents.queries import LONGEST_CALL, CallRow
from core.agents.rules import CallOutcome
from core.text.machines import machine_name
from core.text.times import format_duration

_OUTCOMES: Final = {
    CallOutcome.ANSWERED: "answered",
    CallOutcome.REFUSED: "refused",
    CallOutcome.FAILED: "failed",
    CallOutcome.LIMITED: "too many calls",
    CallOutcome.LEFT: "left before the answer",
}


def label_outcome(ended: CallOutcome) -> str:
    """Return the label of how calls ended."""
    return _OUTCOMES[ended]


def outcome_text(call: CallRow, now: datetime) -> str:
    """Return how a call ended, or that it is running or lost its process."""
    if call.outcome is not None:
        return _OUTCOMES[call.outcome]
    return "runs" if now - call.at < LONGEST_CALL else "its process ended first"


def owner_text(call: CallRow) -> str:
    """Return the name of the agent's owner."""
    return call.person or "Former member"


def token_text(call: CallRow) -> str:
    """Return the name of the call's token."""
    return call.token or "(deleted)"


def source_text(call: CallRow) -> str:
    """Return the network address of a call, or "this machine"."""
    return machine_name(call.address)


def duration_text(call: CallRow) -> str:
    """Return how long a call took; "" for one that has not ended."""
    if call.took_ms is None:
        return ""
    return f"{call.took_ms} ms" if call.took_ms < 1000 else format_duration(call.took_ms / 1000)
