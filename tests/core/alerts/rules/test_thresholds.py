"""A rule's one threshold, and the rule with another."""

import pytest
from hypothesis import given

from core.alerts.rules.builtin import make_threshold_rule
from core.alerts.rules.rule import AlertRule, Comparison, Condition, Reference, Subject
from core.alerts.rules.thresholds import (
    Threshold,
    ThresholdKind,
    find_threshold,
    with_percent,
    with_threshold,
)
from tests.core.alerts.rules.strategies import SENSIBLE_RULES
from tests.factories.alerts import BUILTIN_RULES

PRICE, RANK = Subject.PRICE, Subject.RANK
TEN_PERCENT = Condition(PRICE, Comparison.CHANGED, percent=10)
TWO_DOLLARS = Condition(PRICE, Comparison.CHANGED, amount=200)
BELOW = Condition(PRICE, Comparison.BELOW, target=1800, clear_at=1900)
ABOVE = Condition(RANK, Comparison.ABOVE, target=500)


@pytest.mark.parametrize(
    ("conditions", "threshold"),
    [
        ([TEN_PERCENT], Threshold(ThresholdKind.PERCENT, PRICE, 10)),
        ([TWO_DOLLARS], Threshold(ThresholdKind.AMOUNT, PRICE, 200)),
        ([BELOW], Threshold(ThresholdKind.TARGET, PRICE, 1800, is_upper=False)),
        ([ABOVE], Threshold(ThresholdKind.TARGET, RANK, 500)),
        ([*BUILTIN_RULES["out_of_stock"].conditions, BELOW],
         Threshold(ThresholdKind.TARGET, PRICE, 1800, is_upper=False)),
        ([TEN_PERCENT, Condition(RANK, Comparison.CHANGED, percent=10)],
         Threshold(ThresholdKind.PERCENT, PRICE, 10)),
        ([TEN_PERCENT, Condition(RANK, Comparison.CHANGED, percent=20)], None),
        ([TEN_PERCENT, ABOVE], None),
        ([BELOW, ABOVE], None),
        ([Condition(PRICE, Comparison.CHANGED, percent=10, amount=200)], None),
        (BUILTIN_RULES["out_of_stock"].conditions, None),
    ],
)  # fmt: skip
def test_a_rule_has_one_threshold_or_none(
    conditions: list[Condition], threshold: Threshold | None
) -> None:
    assert find_threshold(AlertRule(tuple(conditions))) == threshold


def test_another_percentage_keeps_where_the_change_ends_in_proportion() -> None:
    rule = BUILTIN_RULES["rank_below_usual"]  # from 100 % until 50 %
    [condition] = with_percent(rule, 30).conditions
    assert (condition.percent, condition.clear_percent) == (30, 15)
    assert condition.reference is Reference.AVERAGE
    assert with_percent(make_threshold_rule("price_change", 10), 5) == make_threshold_rule(
        "price_change", 5
    )


def test_another_target_keeps_how_far_it_is_to_the_end() -> None:
    threshold = Threshold(ThresholdKind.TARGET, PRICE, 1500, is_upper=False)
    [condition] = with_threshold(AlertRule((BELOW,)), threshold).conditions
    assert (condition.target, condition.clear_at) == (1500, 1600)


@given(rule=SENSIBLE_RULES)
def test_a_rule_with_its_own_threshold_is_itself(rule: AlertRule) -> None:
    threshold = find_threshold(rule)
    if threshold is not None:
        assert find_threshold(with_threshold(rule, threshold)) == threshold
