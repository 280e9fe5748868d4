"""One pure fold: a rule and accepted readings in their order become incidents.

Live evaluation, the preview on history, corrections and the list of open issues all call it, so
that they can't disagree. A failed check or an unconfirmed value never gets here: a reading is
what an accepted observation reports, and a value of None means that there was none. Neither opens
nor ends an incident.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from core.alerts.rules.rule import (
    AlertRule,
    Combination,
    Comparison,
    Condition,
    Direction,
    Reference,
    Subject,
    Value,
)


class IncidentState(StrEnum):
    """Where an incident stands. Stored as text. What is pending is no incident yet."""

    FIRING = "firing"
    FLAPPING = "flapping"  # it came and went too often: one incident for all of that
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"  # it rested on a value that was corrected; the fold never gives it

    @property
    def is_open(self) -> bool:
        """Return whether the incident lasts."""
        return self in (IncidentState.FIRING, IncidentState.FLAPPING)


class Measured(NamedTuple):
    """What an observation reports of a condition's subject, and what that is compared with.

    `average`, `low` and `high` are those of the condition's days before the observation's day;
    None: too few values. `is_first`: the value was not seen in those days.
    """

    value: Value | None  # None: reported, and there was none
    at: datetime
    scope: int | None = None  # of a rank, its category: values of another are not compared
    average: float | None = None
    low: int | None = None
    high: int | None = None
    is_first: bool = False


class Reading(NamedTuple):
    """An accepted observation as a rule sees it."""

    at: datetime
    measured: tuple[Measured | None, ...]  # by condition; None: not reported, or not accepted


class Finding(NamedTuple):
    """What a condition compared when it held."""

    value: Value
    at: datetime
    before: Value | None  # None: nothing was compared, as with a state
    before_at: datetime | None  # None: a target, or a figure of several days


Findings = tuple[Finding | None, ...]  # by condition; None: it did not hold


@dataclass(frozen=True, slots=True)
class Incident:
    """One time that a rule held. `opened_at` identifies it within rule and product."""

    opened_at: datetime
    findings: Findings
    state: IncidentState
    ended_at: datetime | None = None  # None: it lasts


@dataclass(slots=True)
class Memory:
    """What the fold keeps of a product between two readings."""

    last: list[Measured | None]  # by condition, the newest with a value
    notified: list[Measured | None]  # of the newest incident, at first the first value
    held: list[bool]  # by condition, whether it held last
    at: datetime | None = None  # of the newest reading with a value
    pending_at: datetime | None = None  # since when the rule holds, before it is an incident
    pending_count: int = 0
    pending: Findings = ()
    open: Incident | None = None
    openings: tuple[datetime, ...] = ()  # of the newest incidents
    toggled_at: datetime | None = None  # when the rule last began or ceased to hold
    holds: bool = False

    def copy(self) -> "Memory":
        """Return a copy that can be changed without changing this one."""
        return Memory(
            list(self.last), list(self.notified), list(self.held), self.at, self.pending_at,
            self.pending_count, self.pending, self.open, self.openings, self.toggled_at, self.holds,
        )  # fmt: skip


def make_memory(rule: AlertRule, known: Iterable[Measured | None] = ()) -> Memory:
    """Return a memory that knows only the values before; empty: of a product never observed."""
    last = list(known) or [None] * len(rule.conditions)
    at = max((each.at for each in last if each is not None), default=None)
    return Memory(last, list(last), [False] * len(last), at)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What readings made of a memory: the memory after them, and the incidents they changed."""

    memory: Memory
    incidents: dict[datetime, Incident] = field(default_factory=dict)  # by their openings


def evaluate(rule: AlertRule, readings: Iterable[Reading], memory: Memory) -> Evaluation:
    """Return what readings, which rise in time, make of a rule.

    Those not later than the memory's newest are passed over. Evaluating in pieces and handing the
    memory on gives what evaluating at once gives.
    """
    fold = _Fold(rule, memory.copy())
    if len(rule.conditions) > 1 or rule.conditions[0].needs_days:
        for reading in readings:
            fold.add_reading(reading)
    else:
        for reading in readings:
            if not fold.pass_quiet(reading):
                fold.add_reading(reading)
    return Evaluation(fold.memory, fold.incidents)


def is_met(
    condition: Condition,
    before: Value | None,
    measured: Measured,
    *,
    was_held: bool = False,
    is_open: bool = False,
) -> bool:
    """Return whether a value meets a condition; one that held already goes on until it clears.

    `before`: what the value is compared with. `is_open`: an incident of it lasts.
    """
    value, comparison = measured.value, condition.comparison
    if comparison is Comparison.IS:
        return value in condition.states and (
            was_held or not condition.before or before in condition.before
        )
    if comparison is Comparison.FIRST:
        return measured.is_first
    if comparison is Comparison.DIFFERS:
        return before is not None and value != before
    if comparison is Comparison.BECAME:
        if value not in condition.states or before is None:
            return False
        return before in condition.before if condition.before else before not in condition.states
    if not isinstance(value, int):
        return False
    if comparison is Comparison.BELOW:
        return value < _limit(condition, is_open)
    if comparison is Comparison.ABOVE:
        return value > _limit(condition, is_open)
    if not isinstance(before, int):
        return False
    if comparison is Comparison.LOWEST:
        return value < before
    if comparison is Comparison.HIGHEST:
        return value > before
    return is_change(condition, before, value, is_open=is_open)


class _Fold:
    """The fold of one rule over one product's readings."""

    def __init__(self, rule: AlertRule, memory: Memory) -> None:
        self.rule, self.memory = rule, memory
        self._condition = rule.conditions[0]
        self._is_notified = (
            self._condition.comparison is Comparison.CHANGED
            and self._condition.reference is Reference.NOTIFIED
        )
        self.incidents: dict[datetime, Incident] = {}
        self._places = tuple(enumerate(rule.conditions))
        self._is_all = rule.combination is Combination.ALL

    def add_reading(self, reading: Reading) -> None:
        memory = self.memory
        if not any(each is not None and each.value is not None for each in reading.measured):
            return
        if memory.at is not None and reading.at <= memory.at:
            return
        if self._is_of_another_scope(reading):
            self._start_anew(reading)
            return
        held_before = tuple(memory.held)
        findings = self._find(reading)
        holds = all(memory.held) if self._is_all else self._has_any(held_before)
        if holds is not memory.holds or memory.toggled_at is None:
            memory.holds, memory.toggled_at = holds, reading.at
        if memory.open is not None:
            self._go_on(memory.open, reading)
        elif holds:
            self._begin(findings, reading)
        elif memory.pending_at is not None:
            self._forget_pending()
        self._remember(reading)

    def pass_quiet(self, reading: Reading) -> bool:
        """Note a reading of one condition with which nothing begins; return whether it is one.

        Most are: where nothing holds, a value that doesn't meet the condition changes nothing else.
        """
        memory = self.memory
        last, measured = memory.last[0], reading.measured[0]
        if (
            memory.holds
            or memory.open is not None
            or last is None
            or measured is None
            or measured.value is None
            or measured.scope != last.scope
            or memory.at is None
            or reading.at <= memory.at
            or is_met(self._condition, self._get_reference(last).value, measured)
        ):
            return False
        memory.last[0], memory.at = measured, reading.at
        memory.held[0] = False
        if memory.toggled_at is None:
            memory.toggled_at = reading.at
        return True

    def _get_reference(self, last: Measured) -> Measured:
        """Return what the one condition compares with, where nothing holds."""
        if self._is_notified:
            return self.memory.notified[0] or last
        return last

    # Conditions

    def _is_of_another_scope(self, reading: Reading) -> bool:
        return any(
            last is not None
            and new is not None
            and new.value is not None
            and last.scope != new.scope
            for last, new in zip(self.memory.last, reading.measured, strict=True)
        )

    def _has_any(self, held_before: Sequence[bool]) -> bool:
        """Return whether any condition holds; beside events, a state counts where it begins."""
        if self.rule.lasts or self.memory.pending_at is not None:
            return any(self.memory.held)
        return any(
            is_held and not (condition.lasts and was_held)
            for condition, is_held, was_held in zip(
                self.rule.conditions, self.memory.held, held_before, strict=True
            )
        )

    def _start_anew(self, reading: Reading) -> None:
        """Compare with nothing from before: a rank says nothing of one in another category.

        Conditions on other subjects keep their values.
        """
        if self.memory.open is not None:
            self._change(_end(self.memory.open, reading.at))
        old = self.memory
        newest = [
            last if new is None or new.value is None else new
            for last, new in zip(old.last, reading.measured, strict=True)
        ]
        self.memory = make_memory(self.rule, newest)
        self.memory.openings, self.memory.at = old.openings, reading.at
        for place, (notified, new) in enumerate(zip(old.notified, newest, strict=True)):
            if notified is not None and new is not None and notified.scope == new.scope:
                self.memory.notified[place] = notified

    def _find(self, reading: Reading) -> Findings:
        """Note which conditions hold, and return what they compared."""
        return tuple(
            self._find_one(place, condition, reading.measured[place])
            for place, condition in self._places
        )

    def _find_one(
        self, place: int, condition: Condition, measured: Measured | None
    ) -> Finding | None:
        memory = self.memory
        if measured is None or measured.value is None:  # not reported: a state goes on as it was
            memory.held[place] = memory.held[place] and condition.lasts
            measured = memory.last[place]
        else:
            memory.held[place] = self._is_met(place, condition, measured)
        if not memory.held[place] or measured is None or measured.value is None:
            return None
        return Finding(measured.value, measured.at, *self._reference(place, condition, measured))

    def _reference(
        self, place: int, condition: Condition, measured: Measured
    ) -> tuple[Value | None, datetime | None]:
        """Return what a value is compared with; while the rule is pending, what it was then."""
        memory = self.memory
        if memory.pending and (pending := memory.pending[place]) is not None:
            return pending.before, pending.before_at
        match condition.comparison:
            case Comparison.BELOW | Comparison.ABOVE:
                return condition.target, None
            case Comparison.LOWEST:
                return measured.low, None
            case Comparison.HIGHEST:
                return measured.high, None
        if condition.comparison is Comparison.CHANGED:
            if condition.reference is Reference.AVERAGE:
                return None if measured.average is None else round(measured.average), None
            if condition.reference is Reference.NOTIFIED:
                return _value_of(memory.notified[place])
        return _value_of(memory.last[place])

    def _is_met(self, place: int, condition: Condition, measured: Measured) -> bool:
        before, _ = self._reference(place, condition, measured)
        was_held = self.memory.held[place]
        is_open = was_held and self.memory.open is not None
        return is_met(condition, before, measured, was_held=was_held, is_open=is_open)

    # Incidents

    def _begin(self, findings: Findings, reading: Reading) -> None:
        memory, timing = self.memory, self.rule.timing
        if memory.pending_at is None:
            memory.pending_at, memory.pending = reading.at, findings
        memory.pending_count += 1
        is_armed = not memory.openings or reading.at >= memory.openings[-1] + timing.rearm_after
        if (
            is_armed
            and memory.pending_count >= timing.pending_observations
            and reading.at - memory.pending_at >= timing.pending_for
        ):
            self._open(findings, reading)

    def _open(self, findings: Findings, reading: Reading) -> None:
        memory, timing = self.memory, self.rule.timing
        memory.openings = (*memory.openings, reading.at)[-timing.flap_openings :]
        is_flapping = (
            len(memory.openings) == timing.flap_openings
            and reading.at - memory.openings[0] <= timing.flap_within
        )
        state = IncidentState.FLAPPING if is_flapping else IncidentState.FIRING
        incident = Incident(reading.at, findings, state)
        if self.rule.lasts or is_flapping:
            memory.open = incident
        else:
            incident = _end(incident, reading.at)
        self._change(incident)
        self._forget_pending()
        self._note_notified(reading)

    def _go_on(self, incident: Incident, reading: Reading) -> None:
        if incident.state is IncidentState.FLAPPING:
            self._go_on_flapping(incident, reading)
        elif not self.memory.holds:
            self.memory.open = None
            self._change(_end(incident, reading.at))

    def _go_on_flapping(self, incident: Incident, reading: Reading) -> None:
        """End flapping once the rule neither began nor ceased to hold for its time."""
        memory = self.memory
        if memory.holds and not self.rule.lasts:  # each event is one more
            memory.toggled_at = reading.at
            self._note_notified(reading)
            return
        toggled_at = memory.toggled_at or incident.opened_at
        if reading.at - toggled_at < self.rule.timing.flap_within:
            return
        if memory.holds:
            memory.open = replace(incident, state=IncidentState.FIRING)
            self._change(memory.open)
        else:
            memory.open = None
            self._change(_end(incident, reading.at))

    def _change(self, incident: Incident) -> None:
        self.incidents[incident.opened_at] = incident

    def _forget_pending(self) -> None:
        memory = self.memory
        memory.pending_at, memory.pending_count, memory.pending = None, 0, ()

    def _note_notified(self, reading: Reading) -> None:
        for place, measured in enumerate(reading.measured):
            if measured is not None and measured.value is not None:
                self.memory.notified[place] = measured

    def _remember(self, reading: Reading) -> None:
        memory = self.memory
        memory.at = reading.at
        for place, measured in enumerate(reading.measured):
            if measured is not None and measured.value is not None:
                memory.last[place] = measured
                if memory.notified[place] is None:
                    memory.notified[place] = measured


def _value_of(measured: Measured | None) -> tuple[Value | None, datetime | None]:
    return (None, None) if measured is None else (measured.value, measured.at)


def _limit(condition: Condition, is_open: bool) -> int:
    clear_at = condition.target if condition.clear_at is None else condition.clear_at
    return (clear_at if is_open else condition.target) or 0


def _end(incident: Incident, at: datetime) -> Incident:
    return replace(incident, state=IncidentState.RESOLVED, ended_at=at)


# How far a number changed


def is_change(condition: Condition, before: int, now: int, *, is_open: bool = False) -> bool:
    """Return whether a number changed by at least the condition's limits, in its direction.

    With a percent and an amount, either is enough. A rank of `percent` 50 counts from half as
    much again on, or better by the same ratio. A value of 0 before has no percentage.
    """
    if before == now or (
        condition.direction is not Direction.ANY
        and (now > before) is not (condition.direction is Direction.UP)
    ):
        return False
    if condition.amount is not None and abs(now - before) >= condition.amount:
        return True
    percent = condition.percent
    if is_open and condition.clear_percent is not None:
        percent = condition.clear_percent
    if percent is None:
        return False
    # Exact in integers and at the threshold: 10 % of 1,999 is 199.9.
    if condition.subject is Subject.RANK:
        low, high = (before, now) if before < now else (now, before)
        return low > 0 and high * 100 >= low * (100 + percent) * (1 - 1e-12)
    return before > 0 and abs(now - before) * 100 >= before * percent * (1 - 1e-12)
