"""What became of an observation up to its alert: checked, accepted, evaluated, muted. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from core.alerts.evaluation.memory_json import load_time
from core.alerts.explanation.steps import Step, StepKind, StepState
from core.alerts.incidents.labels import SEVERITIES, format_reason
from core.alerts.incidents.queries import IncidentRow
from core.alerts.incidents.rule_overview import RuleRow
from core.history.ingest.quality_gate import ALL_FLAGS
from core.history.labels import flag_names, outcome_sentence
from core.history.observation import Flag, Outcome
from core.text.numbers import format_counted
from core.text.times import format_moment

_GOOD: Final = frozenset(
    {"ok", "not_found", "unavailable", "no_featured_offer", "no_offer"}
)  # outcomes that are observations


def explain_observation(facts: Mapping[str, Any], zone: str) -> Iterator[Step]:
    """Yield what was checked, whether its values count, and whether rules saw them."""
    observed_at, outcome = facts["observed_at"], facts["outcome"]
    failed_last = outcome is not None and outcome not in _GOOD
    if failed_last and (observed_at is None or facts["checked_at"] > observed_at):
        checked = format_moment(facts["checked_at"], zone)
        yield Step(
            StepKind.CHECK,
            StepState.STOPPED,
            f"The last check, {checked}, brought no values: {outcome_sentence(Outcome(outcome))} "
            "A failed check neither opens nor ends an alert.",
        )
    if observed_at is None:
        paused = "" if facts["is_checked"] else " Its tracking is paused."
        yield Step(StepKind.CHECK, StepState.STOPPED, f"Nothing was observed until then.{paused}")
        return
    seen = format_moment(observed_at, zone)
    yield Step(StepKind.CHECK, StepState.PASSED, f"The last observation is of {seen}.")
    flags = Flag(facts["flags"] & ALL_FLAGS)
    if flags:
        yield Step(
            StepKind.VALUES,
            StepState.STOPPED,
            f"Some of its values are unconfirmed ({flag_names(flags)}). They open no alert until "
            "another observation confirms them; its other values count.",
        )
    else:
        yield Step(StepKind.VALUES, StepState.PASSED, "Its values were accepted.")
    until = facts["observed_until"]
    if until is None or until < observed_at:
        yield Step(
            StepKind.EVALUATION,
            StepState.WAITING,
            "It has not been evaluated yet; that takes a minute at most.",
        )
    else:
        yield Step(StepKind.EVALUATION, StepState.PASSED, "The rules were evaluated on it.")


def explain_idle_rule(
    row: RuleRow, pending: Mapping[str, Any] | None, at: datetime, zone: str
) -> Step:
    """Return why a rule had no alert of the product at the moment."""
    if not row.stored.is_on:
        return Step(StepKind.RULE, StepState.STOPPED, "The rule is off.")
    if row.stored.active_from > at:
        since = format_moment(row.stored.active_from, zone)
        text = f"The rule counts from {since} on, when it was created or changed."
        return Step(StepKind.RULE, StepState.STOPPED, text)
    if pending is not None and load_time(pending["pending_at"]) <= at:
        since = format_moment(load_time(pending["pending_at"]), zone)
        count = format_counted(pending["pending_count"], "observation")
        return Step(
            StepKind.RULE,
            StepState.WAITING,
            f"Pending: it has held since {since}, for {count}. The rule asks for more observations "
            "or a longer time.",
        )
    return Step(
        StepKind.RULE,
        StepState.STOPPED,
        "It did not hold, or the rule is not for this product.",
    )


def explain_alert(
    incident: IncidentRow, row: Mapping[str, Any], zone: str, now: datetime
) -> Iterator[Step]:
    """Yield what the rule found, and what keeps its alert from being sent to anyone."""
    severity = SEVERITIES[incident.severity]
    text = f"{severity}: {incident.describe(zone, now)}."
    yield Step(StepKind.RULE, StepState.PASSED, text)
    reason = format_reason(incident.silent_reason, incident.muted_by)
    if reason is not None:
        text = f"It was recorded and {reason}."
        yield Step(StepKind.ALERT, StepState.STOPPED, text)
        return
    if row["in_group"] > 1:
        others = format_counted(row["in_group"] - 1, "other alert")
        text = f"It is one message with {others} of the same cause."
        yield Step(StepKind.ALERT, StepState.PASSED, text)
    if incident.silence is not None:
        until = format_moment(incident.silence.ends_at, zone)
        text = f"It is silenced until {until}: {incident.silence.reason}"
        yield Step(StepKind.ALERT, StepState.WAITING, text)
