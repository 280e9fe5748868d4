"""Statistics of a period, from a history frame. Arithmetic only: no words, no database.

Doubtful values are left out everywhere. A figure that is not known says why.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from core.history.observation import Availability, Flag, Kind, Seen
from core.history.timeline import series
from core.history.timeline.series import Codes, Field, Floats, History, Line, Marks, Times

if TYPE_CHECKING:
    import pandas as pd

AVAILABILITY = Field("availability", Seen.AVAILABILITY, Flag.NONE)
_FOR_SALE = [int(state) for state in Availability if state.can_be_bought]


class Blank(StrEnum):
    """Why a figure is not known."""

    NOTHING_SEEN = "nothing seen in this period"
    NOT_REPORTED = "not reported in this period"
    ABSENT = "none on the page"
    DOUBTFUL = "only doubtful values"
    ONE_LOOK = "seen only once"
    ONLY_DAYS = "not kept by day"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, or the reason why there is none."""

    value: float | None
    reason: Blank | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """What one field did in a period, in the field's own unit.

    `average` and `median` are weighted by how long each value held, as far as that is known:
    a product that is looked at more often since a month has not had that month more often.
    """

    now: Figure
    start: Figure
    low: Figure
    high: Figure
    average: Figure
    median: Figure
    changes: Figure  # how many times a known value was followed by another


@dataclass(frozen=True, slots=True)
class Statistics:
    """A product's period. Money in minor units, ratings in tenths, the share 0–1.

    `rank` covers only looks in the newest category: ranks of two are not comparable.
    """

    price: Span
    list_price: Span
    rank: Span
    rating: Span
    ratings_count: Span
    in_stock_share: Figure  # of the time in which availability is known
    looks: int
    doubtful: int | None  # looks with at least one doubtful value; None: not kept by day


def statistics_of(history: History, until: datetime) -> Statistics:
    """Return the statistics of a history.

    `until`: the end of the period. A last change holds until then; a last sample
    says nothing about what follows it.
    """
    end = _in_utc(until)
    return Statistics(
        price=_span(history, series.PRICE, end),
        list_price=_span(history, series.LIST_PRICE, end),
        rank=rank_span(history, until),
        rating=_span(history, series.RATING, end),
        ratings_count=_span(history, series.RATINGS_COUNT, end),
        in_stock_share=_in_stock_share(history, end),
        looks=len(history.times),
        doubtful=int(np.count_nonzero(history.flags)),
    )


def doubtful_figure(statistics: Statistics) -> Figure:
    """Return how many looks hold a doubtful value, or why that is not known."""
    if statistics.doubtful is None:
        return Figure(None, Blank.ONLY_DAYS)
    return Figure(float(statistics.doubtful))


def span_of(history: History, field: Field, until: datetime) -> Span:
    """Return what one field did in a history; see `statistics_of`. Not for ranks."""
    return _span(history, field, _in_utc(until))


def _in_utc(at: datetime) -> np.datetime64:
    """Return a time as histories hold theirs."""
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")


def rank_span(history: History, until: datetime) -> Span:
    """Return what the main rank did in its newest category; see `statistics_of`."""
    end = _in_utc(until)
    return _span(history, series.RANK, end, _newest_category(history.columns["bsr_category"]))


def _newest_category(category: Codes) -> Marks | None:
    """Mark the rows whose rank is in the newest category; None where all are."""
    known = category[category >= 0]
    if len(known) == 0 or (known == known[-1]).all():
        return None
    marks: Marks = (category == known[-1]) | (category < 0)
    return marks


def comparable_ranks(history: History) -> Line:
    """Return the ranks of the newest category alone, as steps."""
    values = history.values(series.RANK.column)
    rows = history.sure_rows(series.RANK, values)
    newest = _newest_category(history.columns["bsr_category"])
    return _steps(history, values, rows if newest is None else rows & newest)


def _span(
    history: History, field: Field, end: np.datetime64, comparable: Marks | None = None
) -> Span:
    values = history.values(field.column)
    rows = history.sure_rows(field, values)
    if comparable is not None:
        rows &= comparable
    if not rows.any():
        return _nothing(_why_nothing(values))
    all_seen = values[rows]
    seen = all_seen[~np.isnan(all_seen)]
    if len(seen) == 0:
        return _nothing(Blank.ABSENT)
    line = history.line(field) if comparable is None else _steps(history, values, rows)
    held_until = _held_until(history, rows, end)
    return Span(
        now=_figure(all_seen[-1]),
        start=_figure(seen[0]),
        low=_figure(seen.min()),
        high=_figure(seen.max()),
        average=_figure(weighted_average(line, held_until)),
        median=_figure(weighted_median(line, held_until)),
        changes=_changes(seen, all_seen),
    )


def _steps(history: History, values: Floats, rows: Marks) -> Line:
    """Return some rows as steps, with a hole where a sample no longer stands for what follows."""
    return Line(*series.change_points(history.times[rows], values[rows], history.kind[rows]))


def _changes(seen: Floats, all_seen: Floats) -> Figure:
    if len(all_seen) < 2:
        return Figure(None, Blank.ONE_LOOK)
    return Figure(float(np.count_nonzero(np.diff(seen))))


def _nothing(reason: Blank) -> Span:
    blank = Figure(None, reason)
    return Span(blank, blank, blank, blank, blank, blank, blank)


def _why_nothing(values: Floats) -> Blank:
    if len(values) == 0:
        return Blank.NOTHING_SEEN
    return Blank.NOT_REPORTED if np.isnan(values).all() else Blank.DOUBTFUL


def _figure(value: float) -> Figure:
    return Figure(None, Blank.ABSENT) if np.isnan(value) else Figure(float(value))


def _held_until(history: History, rows: Marks, end: np.datetime64) -> np.datetime64:
    """Return until when the last of some rows held: the period's end for a change."""
    last = np.flatnonzero(rows)[-1]
    newest: np.datetime64 = history.times[last]
    return max(newest, end) if history.kind[last] == Kind.CHANGE else newest


def weighted_average(line: Line, held_until: np.datetime64) -> float:
    """Return the average of a line of steps, weighted by time; holes count nothing.

    NaN when nothing is known; the plain average when no value held for any time.
    """
    values, weights = _known_and_weights(line, held_until)
    return float((values * weights).sum() / weights.sum()) if len(values) else float("nan")


def weighted_median(line: Line, held_until: np.datetime64) -> float:
    """Return the value of a line of steps that was not exceeded for half of the known time.

    NaN when nothing is known; the plain median when no value held for any time.
    """
    values, weights = _known_and_weights(line, held_until)
    if len(values) == 0:
        return float("nan")
    order = np.argsort(values)
    passed = np.cumsum(weights[order])
    sides = [np.searchsorted(passed, passed[-1] / 2, side=side) for side in ("left", "right")]
    return float(values[order][np.minimum(sides, len(values) - 1)].mean())


def _known_and_weights(line: Line, held_until: np.datetime64) -> tuple[Floats, Floats]:
    """Return the known values of a line of steps, and how long each held; 1 each if none did."""
    known = ~np.isnan(line.values)
    held = np.diff(np.append(line.times, held_until)).astype(np.float64)[known]
    return line.values[known], held if held.sum() > 0 else np.ones_like(held)


def _in_stock_share(history: History, end: np.datetime64) -> Figure:
    states = history.columns[AVAILABILITY.column]
    rows: Marks = states != 0
    if not rows.any():
        return Figure(None, Blank.NOT_REPORTED if len(states) else Blank.NOTHING_SEEN)
    for_sale = np.isin(states, _FOR_SALE).astype(np.float64)
    line = _steps(history, for_sale, rows)
    return Figure(weighted_average(line, _held_until(history, rows, end)))


def statistics_of_days(daily: "pd.DataFrame") -> Statistics:
    """Return the statistics of a frame of days (see `queries.daily_history`).

    Averages and medians weigh each day's close alike; how often a value changed is not known.
    """
    shares = daily["in_stock_share"].to_numpy(dtype=np.float64)
    known = shares[~np.isnan(shares)]
    return Statistics(
        price=span_of_days(daily, series.PRICE),
        list_price=span_of_days(daily, series.LIST_PRICE),
        rank=span_of_days(daily, series.RANK),
        rating=span_of_days(daily, series.RATING),
        ratings_count=span_of_days(daily, series.RATINGS_COUNT),
        in_stock_share=_figure(known.mean()) if len(known) else Figure(None, Blank.NOT_REPORTED),
        looks=int(daily["looks"].sum()),
        doubtful=None,
    )


_DAILY = {
    series.PRICE: ("price_close", "price_low", "price_high"),
    series.RANK: ("bsr_close", "bsr_best", "bsr_worst"),
}


def span_of_days(daily: "pd.DataFrame", field: Field) -> Span:
    """Return what one field did in a frame of days; a rank in its newest category."""
    if field is series.RANK:
        newest = _newest_category(daily["bsr_category"].to_numpy())
        daily = daily if newest is None else daily[newest]
    return _span_of_days(daily, *_DAILY.get(field, (field.column,) * 3))


def _span_of_days(daily: "pd.DataFrame", close: str, low: str, high: str) -> Span:
    closes, lows, highs = (daily[name].to_numpy(dtype=np.float64) for name in (close, low, high))
    seen = closes[~np.isnan(closes)]
    if len(seen) == 0:
        return _nothing(Blank.ABSENT if len(daily) else Blank.NOTHING_SEEN)
    return Span(
        now=_figure(closes[-1]),
        start=_figure(seen[0]),
        low=_figure(np.nanmin(lows)),
        high=_figure(np.nanmax(highs)),
        average=_figure(seen.mean()),
        median=_figure(np.median(seen)),
        changes=Figure(None, Blank.ONLY_DAYS),
    )


def sampled(times: Times, values: Floats, count: int = 60) -> list[float]:
    """Return `count` values of a line of steps at even distances; holes are left out."""
    if len(times) < 2:
        return []
    grid = np.linspace(times[0].astype(np.int64), times[-1].astype(np.int64), count)
    held = np.searchsorted(times.astype(np.int64), grid, side="right") - 1
    chosen = values[np.clip(held, 0, len(values) - 1)]
    return [float(value) for value in chosen[~np.isnan(chosen)]]


def turns(deals: "pd.DataFrame") -> list[tuple[datetime, bool]]:
    """Return when a deal began (True) or ended (False), oldest first.

    `deals`: captured_at, is_deal (see `queries.deals`). A deal that was on at the
    first look has no known beginning.
    """
    is_deal = deals["is_deal"].to_numpy()
    places = np.flatnonzero(np.diff(is_deal)) + 1
    return [(deals["captured_at"].iloc[at].to_pydatetime(), bool(is_deal[at])) for at in places]
