"""What a rule would have made of past readings, and which threshold alerts as often as wanted.

The same fold as live, so that a preview promises what the rule then does. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from core.alerts.evaluation.fold import Incident, Reading, evaluate, make_memory
from core.alerts.rules.rule import AlertRule, Comparison
from core.alerts.rules.thresholds import Threshold, ThresholdKind, find_threshold, with_threshold

PERCENTS: Final = (
    1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 75.0, 100.0, 150.0, 200.0,
)  # fmt: skip
MOST_TRIED: Final = 24  # amounts or targets, spread over those that occur
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Preview:
    """The incidents of a period, as each stands at its end, and how many opened in each week."""

    incidents: tuple[Incident, ...]  # in the order in which they opened
    per_week: tuple[int, ...]  # from the period's start on; the last week may be cut short


def preview_rule(
    rule: AlertRule, readings: Iterable[Reading], since: datetime, until: datetime
) -> Preview:
    """Return what a rule makes of a product's readings of a period.

    Readings before `since` only set what the first ones are compared with. Raises ValueError for
    an empty period.
    """
    if until <= since:
        raise ValueError("a preview needs a period")
    incidents = tuple(_list_incidents(rule, readings, since, until))
    return Preview(incidents, count_weeks((each.opened_at for each in incidents), since, until))


def count_weeks(openings: Iterable[datetime], since: datetime, until: datetime) -> tuple[int, ...]:
    """Return how many of the openings are in each week of a period."""
    per_week = [0] * -((since - until) // WEEK)
    for each in openings:
        per_week[(each - since) // WEEK] += 1
    return tuple(per_week)


def _list_incidents(
    rule: AlertRule, readings: Iterable[Reading], since: datetime, until: datetime
) -> list[Incident]:
    past = (each for each in readings if each.at < until)
    found = evaluate(rule, past, make_memory(rule)).incidents
    return [each for each in found.values() if each.opened_at >= since]


def find_rate_threshold(
    rule: AlertRule,
    products: Sequence[Sequence[Reading]],
    since: datetime,
    until: datetime,
    most: float,
) -> Threshold | None:
    """Return the threshold nearest to every change with which a rule alerts at most so often.

    `products`: the readings of each product in the rule's scope; the alerts of all in the period
    count. Of the thresholds that are tried, none farther off alerts more often. A target is not
    moved so near that the rule alerts less often again, because it hardly ever ceases to hold.
    None: each alerts more often, or the rule has no threshold of its own.
    """
    threshold = find_threshold(rule)
    if threshold is None:
        return None
    nearest, count = None, 0
    for value in sorted(_list_values(rule, threshold, products), reverse=threshold.is_upper):
        tried = replace(threshold, value=value)
        before, count = count, _count(with_threshold(rule, tried), products, since, until, most)
        if count > most or (count < before and threshold.kind is ThresholdKind.TARGET):
            break
        nearest = tried
    return nearest


def _count(
    rule: AlertRule,
    products: Sequence[Sequence[Reading]],
    since: datetime,
    until: datetime,
    most: float,
) -> int:
    """Return how many incidents open in a period; counting stops beyond `most`."""
    count = 0
    for each in products:
        count += len(_list_incidents(rule, each, since, until))
        if count > most:
            break
    return count


def _list_values(
    rule: AlertRule, threshold: Threshold, products: Sequence[Sequence[Reading]]
) -> Sequence[float]:
    """Return the thresholds to try: usual percentages, or amounts and values that occur."""
    if threshold.kind is ThresholdKind.PERCENT:
        return PERCENTS
    is_change = threshold.kind is ThresholdKind.AMOUNT
    place = next(
        place
        for place, each in enumerate(rule.conditions)
        if each.subject is threshold.subject
        and (each.comparison is Comparison.CHANGED) is is_change
    )
    found: set[int] = set()
    for readings in products:
        values = [
            measured.value
            for each in readings
            if (measured := each.measured[place]) is not None and isinstance(measured.value, int)
        ]
        if is_change:
            values = [abs(after - before) for before, after in pairwise(values) if after != before]
        found.update(values)
    return _spread(sorted(found))


def _spread(values: Sequence[int]) -> Sequence[int]:
    """Return at most MOST_TRIED of some values, with the first and the last."""
    if len(values) <= MOST_TRIED:
        return values
    step = (len(values) - 1) / (MOST_TRIED - 1)
    return [values[round(number * step)] for number in range(MOST_TRIED)]
