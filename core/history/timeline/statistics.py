"""Statistics of a period, without flagged values. Arithmetic only: no text, no database.

Every unknown figure has a reason.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np

from core.history.timeline.series import Floats, Line, Times


class MissingReason(StrEnum):
    """Why a figure is not known."""

    NO_OBSERVATION = "nothing seen in this period"
    NOT_REPORTED = "not reported in this period"
    ABSENT = "none on the page"
    ONLY_FLAGGED = "only flagged values"
    SEEN_ONCE = "seen only once"
    ONLY_DAYS = "not kept by day"
    TOO_SHORT = "less than a week observed"
    UNCHANGED = "no change in this period"


@dataclass(frozen=True, slots=True)
class Measure:
    """A number, or the reason why there is none."""

    value: float | None
    reason: MissingReason | None = None
    at: datetime | None = None  # of an extreme: when it was first observed; by day, that midnight


@dataclass(frozen=True, slots=True)
class FieldStatistics:
    """One field's statistics in a period, in the field's own unit.

    `average` and `median` are weighted by how long each value held, as far as that is known:
    more frequent checks in one month must not give that month more weight.
    """

    now: Measure
    start: Measure
    low: Measure
    high: Measure
    average: Measure
    median: Measure
    changes: Measure  # how often a known value was followed by another


@dataclass(frozen=True, slots=True)
class Statistics:
    """A product's statistics in a period. Money in minor units, ratings in tenths, share 0–1.

    `rank` covers only the newest category: ranks of two categories are not comparable.
    """

    price: FieldStatistics
    list_price: FieldStatistics
    rank: FieldStatistics
    rating: FieldStatistics
    ratings_count: FieldStatistics
    in_stock_share: Measure  # of the time in which availability is known
    observations: int
    flagged: int | None  # observations with a flagged value; None: not kept by day


def count_flagged(statistics: Statistics) -> Measure:
    """Return how many observations have a flagged value, or why that is not known."""
    if statistics.flagged is None:
        return Measure(None, MissingReason.ONLY_DAYS)
    return Measure(float(statistics.flagged))


def statistics_of_steps(values: Floats, line: Line, held_until: np.datetime64) -> FieldStatistics:
    """Return a field's statistics.

    `values`: its accepted values by snapshot, NaN for none. `line`: the same as steps.
    `held_until`: until when the last value held.
    """
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return missing_statistics(MissingReason.ABSENT)
    return FieldStatistics(
        now=_figure(values[-1]),
        start=_figure(known[0]),
        low=_extreme(line.values, line.times, int(np.nanargmin(line.values))),
        high=_extreme(line.values, line.times, int(np.nanargmax(line.values))),
        average=_figure(weighted_average(line, held_until)),
        median=_figure(weighted_median(line, held_until)),
        changes=_changes(known, values),
    )


def statistics_of_days(days: Times, closes: Floats, lows: Floats, highs: Floats) -> FieldStatistics:
    """Return a field's statistics from the last, lowest and highest value of each day.

    Average and median weight each day's last value equally; changes are not known.
    """
    known = closes[~np.isnan(closes)]
    if len(known) == 0:
        return missing_statistics(
            MissingReason.ABSENT if len(closes) else MissingReason.NO_OBSERVATION
        )
    lows, highs = (np.where(np.isnan(each), closes, each) for each in (lows, highs))
    return FieldStatistics(
        now=_figure(closes[-1]),
        start=_figure(known[0]),
        low=_extreme(lows, days, int(np.nanargmin(lows))),
        high=_extreme(highs, days, int(np.nanargmax(highs))),
        average=_figure(known.mean()),
        median=_figure(np.median(known)),
        changes=Measure(None, MissingReason.ONLY_DAYS),
    )


def missing_statistics(reason: MissingReason) -> FieldStatistics:
    """Return the statistics of a field without a value."""
    blank = Measure(None, reason)
    return FieldStatistics(blank, blank, blank, blank, blank, blank, blank)


def _changes(known: Floats, values: Floats) -> Measure:
    if len(values) < 2:
        return Measure(None, MissingReason.SEEN_ONCE)
    return Measure(float(np.count_nonzero(np.diff(known))))


def _figure(value: float) -> Measure:
    return Measure(None, MissingReason.ABSENT) if np.isnan(value) else Measure(float(value))


def _extreme(values: Floats, times: Times, place: int) -> Measure:
    moment: datetime = times[place].astype("M8[us]").item()
    return Measure(float(values[place]), at=moment.replace(tzinfo=UTC))


def weighted_average(line: Line, held_until: np.datetime64) -> float:
    """Return the average of a line of steps, weighted by time, without gaps.

    NaN if nothing is known; the plain average if no value held for any time.
    """
    values, weights = weigh_known(line, held_until)
    return float((values * weights).sum() / weights.sum()) if len(values) else float("nan")


def weighted_median(line: Line, held_until: np.datetime64) -> float:
    """Return the median of a line of steps, weighted by time, without gaps.

    NaN if nothing is known; the plain median if no value held for any time.
    """
    values, weights = weigh_known(line, held_until)
    if len(values) == 0:
        return float("nan")
    order = np.argsort(values)
    passed = np.cumsum(weights[order])
    sides = [np.searchsorted(passed, passed[-1] / 2, side=side) for side in ("left", "right")]
    return float(values[order][np.minimum(sides, len(values) - 1)].mean())


def weigh_known(line: Line, held_until: np.datetime64) -> tuple[Floats, Floats]:
    """Return the known values of a line of steps, and the µs each held; 1 each if none did."""
    known = ~np.isnan(line.values)
    held = np.diff(np.append(line.times, held_until)).astype(np.float64)[known]
    return line.values[known], held if held.sum() > 0 else np.ones_like(held)
