"""What a rule would have done, and the threshold that alerts as often as wanted."""

from datetime import timedelta

import pytest

from core.alerts.evaluation.fold import Measured, Reading
from core.alerts.evaluation.preview import find_percent, preview_rule
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


def test_a_rate_gives_the_threshold() -> None:
    prices = daily(*(2000, 1880, 2000, 1700) * 7)  # 6 and 15 % in turn
    period = NOON, NOON + 28 * DAY
    assert find_percent(RULE, [prices], *period, most_per_week=7) == 1.0
    assert find_percent(RULE, [prices], *period, most_per_week=4) == 7.5
    assert find_percent(RULE, [prices], *period, most_per_week=0) == 20.0
    assert find_percent(RULE, [daily(1, 5) * 1], *period, most_per_week=0) is None
