"""The rules that every team has from the start, and the defaults of its thresholds. Pure.

The rules for own products are what the overview calls open issues: each lasts until it is solved.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from core import thresholds
from core.alerts.rules.rule import (
    NOT_FOR_SALE,
    REMOVED,
    SUPPRESSED,
    AlertRule,
    BuyBoxOwner,
    Comparison,
    Condition,
    Direction,
    ListingEdit,
    PriceLimits,
    Reference,
    RuleScope,
    ScopeKind,
    Severity,
    Subject,
    Timing,
)

PRICE_CHANGE: Final = thresholds.PRICE_CHANGE  # codes of the two rules that a threshold sets
RANK_CHANGE: Final = thresholds.RANK_CHANGE
THRESHOLD_CODES: Final = (PRICE_CHANGE, RANK_CHANGE)
# Percent. A team that had thresholds before there were rules has 5 and 50.
NEW_DEFAULTS: Final = thresholds.USUAL_PERCENT


@dataclass(frozen=True, slots=True)
class BuiltinRule:
    """A rule that every team has, under its stored code."""

    code: str
    rule: AlertRule


_TRACKED = RuleScope(ScopeKind.TRACKED)


def make_threshold_rule(code: str, percent: float) -> AlertRule:
    """Return the rule of a team's default threshold, in percent of the price or rank before."""
    subject = Subject.PRICE if code == PRICE_CHANGE else Subject.RANK
    condition = Condition(subject, Comparison.CHANGED, percent=percent)
    return AlertRule((condition,), scope=_TRACKED, severity=Severity.INFO)


def _state(
    code: str, severity: Severity, *conditions: Condition, timing: Timing | None = None
) -> BuiltinRule:
    return BuiltinRule(code, AlertRule(conditions, timing=timing or Timing(), severity=severity))


OPEN_ISSUES: Final = (
    _state(
        "listing_removed",
        Severity.CRITICAL,
        Condition(Subject.AVAILABILITY, Comparison.IS, states=REMOVED),
    ),
    _state(
        "out_of_stock",
        Severity.CRITICAL,
        Condition(Subject.AVAILABILITY, Comparison.IS, states=NOT_FOR_SALE),
    ),
    _state(
        "buy_box_suppressed",
        Severity.CRITICAL,
        Condition(Subject.AVAILABILITY, Comparison.IS, states=SUPPRESSED),
    ),
    _state(
        "buy_box_lost",
        Severity.CRITICAL,
        Condition(
            Subject.BUY_BOX_OWNER,
            Comparison.IS,
            states=frozenset({BuyBoxOwner.OTHER.value}),
            before=frozenset({BuyBoxOwner.OWN.value}),
        ),
    ),
    _state(
        "rank_below_usual",
        Severity.WARNING,
        Condition(
            Subject.RANK,
            Comparison.CHANGED,
            percent=100,
            clear_percent=50,
            reference=Reference.AVERAGE,
            direction=Direction.UP,
            days=30,
        ),
        timing=Timing(pending_observations=2, pending_for=timedelta(hours=12)),
    ),
    _state(
        "price_outside_caps",
        Severity.WARNING,
        Condition(
            Subject.PRICE_LIMITS,
            Comparison.IS,
            states=frozenset({PriceLimits.BELOW_FLOOR.value, PriceLimits.ABOVE_CEILING.value}),
        ),
    ),
    _state(
        "unexplained_edit",
        Severity.WARNING,
        Condition(
            Subject.LISTING_EDIT,
            Comparison.IS,
            states=frozenset({ListingEdit.UNEXPLAINED.value, ListingEdit.DRIFT.value}),
        ),
    ),
)


def make_new_rules() -> tuple[BuiltinRule, ...]:
    """Return the rules of a new team."""
    thresholds = (
        BuiltinRule(code, make_threshold_rule(code, NEW_DEFAULTS[code])) for code in THRESHOLD_CODES
    )
    return (*OPEN_ISSUES, *thresholds)


def without_own_sellers(rule: AlertRule) -> AlertRule:
    """Return a rule as it applies to a team that named no sellers of its own.

    Whose the Buy Box is is not known then: each move of it counts, from whom to whom.
    """
    if Subject.BUY_BOX_OWNER not in rule.subjects:
        return rule
    moved = Condition(Subject.SELLER, Comparison.DIFFERS)
    conditions = [
        moved if each.subject is Subject.BUY_BOX_OWNER else each for each in rule.conditions
    ]
    return replace(rule, conditions=tuple(conditions))
