"""What a rule would have done, and the threshold that alerts as often as wanted."""

from datetime import timedelta

import pytest

from core.alerts.evaluation.fold import Measured, Reading
from core.alerts.evaluation.preview import find_rate_threshold, preview_rule
from core.alerts.rules.rule import AlertRule, Comparison, Condition, Subject
from tests.factories.observations import NOON

DAY = timedelta(days=1)
RULE = AlertRule((Condition(Subject.PRICE, Comparison.CHANGED, percent=10),))


def daily(*values: int) -> list[Reading]:
    times = [NOON + number * DAY for number in range(len(values))]
    return [Reading(at, (Measured(value, at),)) for at, value in zip(times, values, strict=True)]


def test_incidents_are_counted_by_the_week() -> None:
    prices = daily(2000, 1700, *[1700] * 7, 2000, *[2000] * 5)
    found = preview_rule(RULE, prices, NOON, NOON + 15 * DAY)
    assert [finding.value for each in found.incidents for finding in each.findings if finding] == [
        1700,
        2000,
    ]
    assert found.per_week == (1, 1, 0)


def test_what_came_before_the_period_is_only_compared_with() -> None:
    found = preview_rule(RULE, daily(2000, 1700, 1700), NOON + DAY, NOON + 3 * DAY)
    assert [finding.before for each in found.incidents for finding in each.findings if finding] == [
        2000
    ]
    later = preview_rule(RULE, daily(2000, 1700, 1700), NOON + 2 * DAY, NOON + 3 * DAY)
    assert later.incidents == ()


def test_a_period_is_needed() -> None:
    with pytest.raises(ValueError, match="period"):
        preview_rule(RULE, [], NOON, NOON)


PERIOD = NOON, NOON + 28 * DAY


def nearest(rule: AlertRule, *products: list[Reading], most: float) -> float | None:
    found = find_rate_threshold(rule, products, *PERIOD, most)
    return None if found is None else found.value


def test_a_rate_gives_the_percentage() -> None:
    prices = daily(*(2000, 1880, 2000, 1700) * 7)  # 6 and 15 % in turn
    assert nearest(RULE, prices, most=28) == 1.0
    assert nearest(RULE, prices, most=16) == 7.5
    assert nearest(RULE, prices, prices, most=16) == 20.0
    assert nearest(RULE, prices, most=0) == 20.0
    assert nearest(RULE, daily(1, 5), most=0) is None


def test_a_rate_gives_the_amount() -> None:
    rule = AlertRule((Condition(Subject.PRICE, Comparison.CHANGED, amount=500),))
    prices = daily(*(2000, 1880, 2000, 1700) * 7)  # by 1.20 and 3.00
    assert nearest(rule, prices, most=27) == 120
    assert nearest(rule, prices, most=16) == 300
    assert nearest(rule, prices, most=3) is None


def test_a_rate_gives_the_target() -> None:
    ranks = daily(*(100, 300, 100, 900) * 7)
    above = AlertRule((Condition(Subject.RANK, Comparison.ABOVE, target=500, clear_at=400),))
    below = AlertRule((Condition(Subject.RANK, Comparison.BELOW, target=50),))
    assert nearest(above, ranks, most=7) == 300
    assert nearest(above, ranks, most=0) == 900
    assert nearest(below, ranks, most=0) == 100
    assert nearest(below, ranks, most=7) == 100
    assert nearest(below, ranks, most=14) == 300
    assert nearest(below, ranks, most=99) == 300  # with 900 it would hardly ever cease to hold


def test_a_rule_without_a_number_has_no_threshold_to_find() -> None:
    stock = AlertRule((Condition(Subject.AVAILABILITY, Comparison.IS, states=frozenset({7})),))
    assert nearest(stock, daily(1, 7, 1), most=9) is None


def test_only_some_of_many_amounts_are_tried_with_the_least_and_the_largest() -> None:
    rule = AlertRule((Condition(Subject.PRICE, Comparison.CHANGED, amount=1),))
    growing = daily(*[100_000 + number * number * 10 for number in range(28)])
    assert nearest(rule, growing, most=27) == 10
    assert nearest(rule, growing, most=1) == 530
