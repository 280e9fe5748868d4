"""What a rule would have made of past readings, and which threshold alerts as often as wanted.

The same fold as live, so that a preview promises what the rule then does. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.alerts.evaluation.fold import Incident, Reading, evaluate, make_memory
from core.alerts.rules.rule import AlertRule, Comparison

PERCENTS = (1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 75.0, 100.0, 150.0, 200.0)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Preview:
    """The incidents of a period, as each stands at its end, and how many opened in each week."""

    incidents: tuple[Incident, ...]  # in the order in which they opened
    per_week: tuple[int, ...]  # from the period's start on; the last week may be cut short


def preview_rule(
    rule: AlertRule, readings: Sequence[Reading], since: datetime, until: datetime
) -> Preview:
    """Return what a rule makes of a product's readings of a period.

    Readings before `since` only set what the first ones are compared with. Raises ValueError for
    an empty period.
    """
    if until <= since:
        raise ValueError("a preview needs a period")
    past = (each for each in readings if each.at < until)
    found = evaluate(rule, past, make_memory(rule)).incidents
    incidents = tuple(each for each in found.values() if each.opened_at >= since)
    per_week = [0] * -((since - until) // _WEEK)
    for each in incidents:
        per_week[(each.opened_at - since) // _WEEK] += 1
    return Preview(incidents, tuple(per_week))


def find_percent(
    rule: AlertRule,
    products: Sequence[Sequence[Reading]],
    since: datetime,
    until: datetime,
    most_per_week: float,
) -> float | None:
    """Return the smallest percentage with which a rule alerts at most so often; None: none does.

    `products`: the readings of each product in the rule's scope; the alerts of all count. Larger
    percentages of `PERCENTS` alert at most so often as well.
    """
    most = most_per_week * ((until - since) / _WEEK)
    smallest = None
    for percent in reversed(PERCENTS):
        tried = with_percent(rule, percent)
        count = sum(len(preview_rule(tried, each, since, until).incidents) for each in products)
        if count > most:
            break
        smallest = percent
    return smallest


def with_percent(rule: AlertRule, percent: float) -> AlertRule:
    """Return a rule whose changes count from another percentage on, with no amount beside it."""
    conditions = tuple(
        replace(each, percent=percent, amount=None, clear_percent=None)
        if each.comparison is Comparison.CHANGED
        else each
        for each in rule.conditions
    )
    return replace(rule, conditions=conditions)
