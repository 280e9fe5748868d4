"""What the fold keeps, as JSON values to store, and back. Pure.

Times are written in microseconds since 1970: a third of an ISO text, and read ten times as fast.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from core.alerts.evaluation.fold import (
    Finding,
    Findings,
    Incident,
    IncidentState,
    Measured,
    Memory,
    make_memory,
)
from core.alerts.rules.rule import AlertRule, Reference

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def dump_time(at: datetime) -> int:
    """Return a time in microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def load_time(number: int) -> datetime:
    """Return the time that `dump_time` wrote, in UTC."""
    return _EPOCH + number * _MICROSECOND


def dump_measured(measured: Measured) -> list[Any]:
    """Return a value with its time and scope; what it was compared with is not kept."""
    return [measured.value, dump_time(measured.at), measured.scope]


def load_measured(stored: Sequence[Any]) -> Measured:
    """Return the value that `dump_measured` wrote."""
    value, at, scope = stored
    return Measured(value, load_time(at), scope)


def dump_findings(findings: Findings) -> list[Any]:
    """Return what conditions compared."""
    return [None if each is None else _dump_finding(each) for each in findings]


def load_findings(stored: Sequence[Any]) -> Findings:
    """Return the findings that `dump_findings` wrote."""
    return tuple(None if each is None else _load_finding(each) for each in stored)


def _dump_finding(finding: Finding) -> list[Any]:
    before_at = None if finding.before_at is None else dump_time(finding.before_at)
    return [finding.value, dump_time(finding.at), finding.before, before_at]


def _load_finding(stored: Sequence[Any]) -> Finding:
    value, at, before, before_at = stored
    return Finding(
        value, load_time(at), before, None if before_at is None else load_time(before_at)
    )


def is_quiet(rule: AlertRule, memory: Memory) -> bool:
    """Return whether a memory holds nothing beside its newest values."""
    return (
        not memory.holds
        and not _has_recent_opening(rule, memory)
        and memory.pending_at is None
        and memory.open is None
        and not any(memory.held)
        and not any(each.reference is Reference.NOTIFIED for each in rule.conditions)
    )


def _has_recent_opening(rule: AlertRule, memory: Memory) -> bool:
    """Return whether an opening still delays the next one, or counts for flapping."""
    if not memory.openings or memory.at is None:
        return bool(memory.openings)
    timing = rule.timing
    return memory.openings[-1] + max(timing.rearm_after, timing.flap_within) >= memory.at


def dump_memory(memory: Memory) -> dict[str, Any]:
    """Return a memory without the newest values, which are kept once for all rules."""
    stored: dict[str, Any] = {
        "notified": [None if each is None else dump_measured(each) for each in memory.notified],
        "held": memory.held,
        "holds": memory.holds,
        "openings": [dump_time(each) for each in memory.openings],
    }
    if memory.toggled_at is not None:
        stored["toggled_at"] = dump_time(memory.toggled_at)
    if memory.pending_at is not None:
        stored["pending_at"] = dump_time(memory.pending_at)
        stored["pending_count"] = memory.pending_count
        stored["pending"] = dump_findings(memory.pending)
    if memory.open is not None:
        stored["open"] = [
            dump_time(memory.open.opened_at),
            dump_findings(memory.open.findings),
            memory.open.state.value,
        ]
    return stored


def load_memory(
    rule: AlertRule, stored: Mapping[str, Any] | None, known: Sequence[Measured | None]
) -> Memory:
    """Return a stored memory; None: a quiet one. `known`: the newest values, by condition."""
    memory = make_memory(rule, known)
    if stored is None:
        return memory
    memory.notified = [None if each is None else load_measured(each) for each in stored["notified"]]
    memory.held, memory.holds = list(stored["held"]), stored["holds"]
    memory.openings = tuple(load_time(each) for each in stored["openings"])
    if "toggled_at" in stored:
        memory.toggled_at = load_time(stored["toggled_at"])
    if "pending_at" in stored:
        memory.pending_at = load_time(stored["pending_at"])
        memory.pending_count = stored["pending_count"]
        memory.pending = load_findings(stored["pending"])
    if "open" in stored:
        opened_at, findings, state = stored["open"]
        memory.open = Incident(load_time(opened_at), load_findings(findings), IncidentState(state))
    return memory
