"""Calls of agents in words. Pure."""

from datetime import datetime
from typing import Final

from core.agents.queries import LONGEST_CALL, CallRow
from core.agents.rules import Outcome
from core.text.machines import machine_name
from core.text.times import format_duration

_OUTCOMES: Final = {
    Outcome.ANSWERED: "answered",
    Outcome.REFUSED: "refused",
    Outcome.FAILED: "failed",
    Outcome.LIMITED: "too many calls",
    Outcome.LEFT: "left before the answer",
}


def outcome_name(ended: Outcome) -> str:
    """Name how calls ended."""
    return _OUTCOMES[ended]


def outcome(call: CallRow, now: datetime) -> str:
    """Say how a call ended."""
    if call.outcome is not None:
        return _OUTCOMES[call.outcome]
    return "runs" if now - call.at < LONGEST_CALL else "its process ended first"


def who(call: CallRow) -> str:
    """Name whose agent called."""
    return call.person or "Former member"


def token(call: CallRow) -> str:
    """Name the token."""
    return call.token or "(deleted)"


def where(call: CallRow) -> str:
    """Say from where a call came."""
    return machine_name(call.address)


def took(call: CallRow) -> str:
    """Say how long a call took; nothing for one that has not ended."""
    if call.took_ms is None:
        return ""
    return f"{call.took_ms} ms" if call.took_ms < 1000 else format_duration(call.took_ms / 1000)
