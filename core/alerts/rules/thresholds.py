"""The one threshold of a rule: what kind it is, its value, and the rule with another. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum

from core.alerts.rules.rule import AlertRule, Comparison, Condition, Subject

_TARGETS = (Comparison.BELOW, Comparison.ABOVE)


class ThresholdKind(StrEnum):
    """What a threshold is."""

    PERCENT = "percent"  # of a change, of all conditions on changes alike
    AMOUNT = "amount"  # of a change, in the subject's unit
    TARGET = "target"  # a value, in the subject's unit


@dataclass(frozen=True, slots=True)
class Threshold:
    """A rule's threshold. `value`: in percent, or as it is stored."""

    kind: ThresholdKind
    subject: Subject
    value: float
    is_upper: bool = True  # False: of a target, values below it count

    @property
    def sign(self) -> int:
        """Return 1 if a larger value alerts less often, -1 if a smaller one does."""
        return 1 if self.is_upper else -1


def find_threshold(rule: AlertRule) -> Threshold | None:
    """Return a rule's threshold; None: it has none, or several."""
    changes = [each for each in rule.conditions if each.comparison is Comparison.CHANGED]
    targets = [each for each in rule.conditions if each.comparison in _TARGETS]
    limits = {(each.percent, each.amount) for each in changes}
    if len(limits) + len(targets) != 1:
        return None
    if targets:
        [condition] = targets
        is_upper = condition.comparison is Comparison.ABOVE
        return Threshold(ThresholdKind.TARGET, condition.subject, condition.target or 0, is_upper)
    [(percent, amount)], subject = limits, changes[0].subject
    if amount is None:
        return Threshold(ThresholdKind.PERCENT, subject, percent or 0)
    if percent is None and len(changes) == 1:
        return Threshold(ThresholdKind.AMOUNT, subject, amount)
    return None


def with_threshold(rule: AlertRule, threshold: Threshold) -> AlertRule:
    """Return a rule with another threshold of the kind that it has."""
    if threshold.kind is ThresholdKind.PERCENT:
        return with_percent(rule, threshold.value)
    conditions = tuple(_with_value(each, round(threshold.value)) for each in rule.conditions)
    return replace(rule, conditions=conditions)


def _with_value(condition: Condition, value: int) -> Condition:
    """Return a condition with another amount or target; where it ends stays as far from it."""
    if condition.comparison is Comparison.CHANGED:
        return replace(condition, amount=value)
    if condition.comparison not in _TARGETS:
        return condition
    clear_at = condition.clear_at
    if clear_at is not None:
        clear_at += value - (condition.target or 0)
    return replace(condition, target=value, clear_at=clear_at)


def with_percent(rule: AlertRule, percent: float) -> AlertRule:
    """Return a rule whose changes count from another percentage on, with no amount beside it.

    Where a change ends at a smaller percentage, that stays the same part of the new one.
    """
    conditions = tuple(
        _with_percent(each, percent) if each.comparison is Comparison.CHANGED else each
        for each in rule.conditions
    )
    return replace(rule, conditions=conditions)


def _with_percent(condition: Condition, percent: float) -> Condition:
    clear_percent = condition.clear_percent
    if clear_percent is not None:
        before = condition.percent or percent
        clear_percent = round(min(clear_percent / before, 1) * percent, 2)
    return replace(condition, percent=percent, amount=None, clear_percent=clear_percent)
