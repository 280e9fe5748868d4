"""Facts of a period beside its table: shares of time, changes per week, percentile. Pure.

A line is a series of steps without flagged values; its NaN is time in which nothing is known.
`held_until`: until when the line's last value held. Times without an observation count nowhere.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from core.history.observation import Availability
from core.history.timeline.series import Line
from core.history.timeline.statistics import (
    Measure,
    MissingReason,
    weigh_known,
    weighted_average,
)

OUT_OF_STOCK: Final = frozenset(
    {Availability.NO_OFFERS, Availability.UNAVAILABLE, Availability.GONE}
)
SUPPRESSED: Final = frozenset({Availability.BUY_BOX_SUPPRESSED})
_WEEK: Final = np.timedelta64(7, "D") / np.timedelta64(1, "us")
_ONE: Final = np.timedelta64(1, "us")


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """Facts of a period. Shares are 0–1, of the time in which the value is known."""

    out_of_stock: Measure
    suppressed: Measure  # offers, but none in the Buy Box
    price_changes_per_week: Measure
    price_percentile: Measure  # share of the time in which the price was lower than now
    days_since_price_change: Measure  # whole days; `at`: when it changed
    rank_drops: Measure  # how often the rank was better than the one before


def share_of_states(
    runs: Iterable[tuple[np.datetime64, np.datetime64, Availability]],
    wanted: Collection[Availability],
) -> Measure:
    """Return the share of time in some states.

    `runs`: from, to and state of each stretch in which the state is known. If none lasted,
    each stretch counts alike. Keepa's `outOfStockPercentage` is this share of one price's
    series, where "no offer" is out of stock, rounded up to a whole percent.
    """
    found = [((end - start) / _ONE, state in wanted) for start, end, state in runs]
    if not found:
        return Measure(None, MissingReason.NOT_REPORTED)
    total = sum(lasted for lasted, _ in found)
    if not total:
        return Measure(sum(is_wanted for _, is_wanted in found) / len(found))
    return Measure(sum(lasted for lasted, is_wanted in found if is_wanted) / total)


def changes_per_week(line: Line, held_until: np.datetime64, changes: Measure) -> Measure:
    """Return how often a value changed in a week of the time in which it is known.

    `changes`: how often it changed in all. Less than a week gives no number.
    """
    if changes.value is None:
        return changes
    _, lasted = weigh_known(line, held_until)
    if lasted.sum() < _WEEK:
        return Measure(None, MissingReason.TOO_SHORT)
    return Measure(float(changes.value * _WEEK / lasted.sum()))


def share_below(line: Line, held_until: np.datetime64, value: Measure) -> Measure:
    """Return the share of the known time in which a line was below a value.

    That is the value's percentile rank in the strict sense: 0 for the lowest ever.
    """
    if value.value is None:
        return value
    values, weights = weigh_known(line, held_until)
    return Measure(float(weights[values < value.value].sum() / weights.sum()))


def days_since_change(line: Line, now: datetime) -> Measure:
    """Return the whole days since a value last differed from the known one before it."""
    known = ~np.isnan(line.values)
    times, values = line.times[known], line.values[known]
    if len(values) == 0:
        return Measure(None, MissingReason.ABSENT)
    changes = np.flatnonzero(np.diff(values))
    if len(changes) == 0:
        return Measure(None, MissingReason.UNCHANGED)
    at: datetime = times[changes[-1] + 1].astype("M8[us]").item().replace(tzinfo=UTC)
    return Measure(float((now - at) // timedelta(days=1)), at=at)


def count_drops(line: Line) -> Measure:
    """Return how often a rank was better than the one known before it, in one category.

    Keepa counts `salesRankDrops` so. About one drop comes with each sale of a product that
    sells rarely; of one that sells often, each drop stands for many.
    """
    known = line.values[~np.isnan(line.values)]
    if len(known) < 2:
        return Measure(None, MissingReason.SEEN_ONCE if len(known) else MissingReason.ABSENT)
    return Measure(float(np.count_nonzero(np.diff(known) < 0)))


def average_since(line: Line, held_until: np.datetime64, since: np.datetime64) -> Measure:
    """Return the average of a line from a time on, weighted by time.

    Keepa's `avg30` … `avg365` are this average of the days before its answer, cut to a whole
    number.
    """
    average = weighted_average(clip_start(line, since), held_until)
    return Measure(None, MissingReason.ABSENT) if np.isnan(average) else Measure(average)


def clip_start(line: Line, since: np.datetime64) -> Line:
    """Return the part of a line from a time on; it begins with the value that held there."""
    place = int(np.searchsorted(line.times, since, side="right")) - 1
    if place < 0:
        return line
    times = line.times[place:].copy()
    times[0] = since
    return Line(times, line.values[place:])
