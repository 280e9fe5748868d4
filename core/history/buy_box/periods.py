"""Periods of one holder of a Buy Box, and each seller's share of the time. Pure arrays.

Time that no observation covers belongs to no period: a sample holds until the next
observation, but not beyond the usual gap; a change holds until the next one
(`series.longest_holds`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.history.buy_box.holders import Holder, HolderState
from core.history.observation import Fulfilment, Kind
from core.history.timeline import series
from core.history.timeline.series import Codes, Durations, Floats, Times
from core.history.timeline.statistics import MissingReason


class PeriodEnd(StrEnum):
    """How a period ended."""

    CHANGED = "changed"  # the next observation shows another holder
    SILENT = "silent"  # a hole follows: no observation for longer than usual
    OPEN = "open"  # it is the newest that is known, or goes on after the range


@dataclass(frozen=True, slots=True)
class BuyBoxPeriod:
    """A time in which one holder was observed, without holes.

    Prices are minor units of the marketplace's currency, None if none was accepted.
    """

    holder: Holder
    since: datetime
    until: datetime
    last_known: datetime  # the last observation of it; a change is known until the next one
    is_cut: bool  # it began before the range, so that `since` is the range's
    end: PeriodEnd
    first_price: float | None
    last_price: float | None
    average_price: float | None  # weighted by time

    @property
    def duration(self) -> timedelta:
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class BuyBoxShare:
    """One holder's part of the time in which the holder is known; all parts sum to 1."""

    holder: Holder
    share: float
    held: timedelta
    average_price: float | None  # minor units, weighted by time
    fulfilment: Fulfilment | None  # the newest reported
    last_known: datetime


@dataclass(frozen=True, slots=True)
class BuyBoxHistory:
    """A Buy Box from `since` to `until`. By day, times are the marketplace's midnights."""

    since: datetime
    until: datetime
    is_by_day: bool
    periods: tuple[BuyBoxPeriod, ...]  # oldest first
    shares: tuple[BuyBoxShare, ...]  # largest first
    reason: MissingReason | None = None  # why there are no periods


@dataclass(frozen=True, slots=True)
class HolderRows:
    """Observations in time order. `holder`: places in `holders`. Prices are NaN where unknown."""

    times: Times
    kind: Codes
    holder: Codes
    price: Floats
    fulfilment: Codes  # 0: not reported
    holders: Sequence[Holder]


def find_history(
    rows: HolderRows,
    since: datetime,
    until: datetime,
    *,
    max_gap: np.timedelta64 | None = None,
) -> BuyBoxHistory:
    """Return the periods and shares between two times.

    Rows outside them give the holder at their edges. `max_gap`: how long a sample may hold,
    by default what is usual around it. With `max_gap` the rows are days.
    """
    is_by_day = max_gap is not None
    if len(rows.times) == 0:
        return BuyBoxHistory(since, until, is_by_day, (), (), MissingReason.NOT_REPORTED)
    first, last = _to_array(since), _to_array(until)
    ends = _find_ends(rows, last, max_gap)
    starts = np.clip(rows.times, first, last)
    held = np.maximum(np.clip(ends, first, last) - starts, np.timedelta64(0))
    periods = _find_periods(rows, ends, held, (first, last))
    reason = None if periods else MissingReason.NO_OBSERVATION
    shares = _find_shares(rows, ends, held, (first, last))
    return BuyBoxHistory(since, until, is_by_day, periods, shares, reason)


def _to_array(at: datetime) -> np.datetime64:
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")


def _to_datetimes(at: Times) -> list[datetime]:
    return [moment.replace(tzinfo=UTC) for moment in at.astype("M8[us]").tolist()]


def _find_ends(rows: HolderRows, last: np.datetime64, max_gap: np.timedelta64 | None) -> Times:
    """Return until when each row held; the last sample holds at its own time alone."""
    times, is_change = rows.times, rows.kind == Kind.CHANGE
    if max_gap is None:
        holds: Durations = series.longest_holds(times, rows.kind)
    else:
        holds = np.full(len(times) - 1, max_gap, dtype="m8[us]")
    ends = times.copy()
    ends[:-1] = np.where(is_change[:-1], times[1:], np.minimum(times[1:], times[:-1] + holds))
    if is_change[-1]:
        ends[-1] = max(times[-1], last)
    elif max_gap is not None:
        ends[-1] += max_gap
    return ends


Bounds = tuple[np.datetime64, np.datetime64]


def _is_within(times: Times, ends: Times, bounds: Bounds) -> NDArray[np.bool_]:
    """Mark the stretches that touch a range; one of no length must begin in it."""
    first, last = bounds
    inside: NDArray[np.bool_] = (times < last) & ((ends > first) | (times >= first))
    return inside


def _find_periods(
    rows: HolderRows, ends: Times, held: Durations, bounds: Bounds
) -> tuple[BuyBoxPeriod, ...]:
    """Return the runs of rows of one holder, without the holes between them."""
    first, last = bounds
    is_silent = ends[:-1] < rows.times[1:]
    is_changed = rows.holder[1:] != rows.holder[:-1]
    starts = np.flatnonzero(np.concatenate([[True], is_changed | is_silent]))
    stops = np.append(starts[1:], len(rows.times)) - 1  # the last row of each
    average = _weigh_prices(rows.price, held, np.repeat(np.arange(len(starts)), stops - starts + 1))
    began, ended = rows.times[starts], ends[stops]
    since = np.maximum(began, first)
    until = np.maximum(np.minimum(ended, last), since)
    goes_on = (stops == len(rows.times) - 1) | (ended > last)
    silent = np.append(is_silent, False)[stops]
    edge_prices = _find_edge_prices(rows.price, starts)
    columns = (
        rows.holder[starts].tolist(),
        _to_datetimes(since),
        _to_datetimes(until),
        _to_datetimes(np.clip(_find_known(rows, ends)[stops], since, until)),
        (began < first).tolist(),
        [_name_end(*each) for each in zip(goes_on.tolist(), silent.tolist(), strict=True)],
        *(map(_to_price, each.tolist()) for each in (*edge_prices, average)),
        _is_within(began, ended, bounds).tolist(),
    )
    return tuple(
        BuyBoxPeriod(rows.holders[holder], *values)
        for holder, *values, is_within in zip(*columns, strict=True)
        if is_within
    )


def _name_end(goes_on: bool, is_silent: bool) -> PeriodEnd:
    if goes_on:
        return PeriodEnd.OPEN
    return PeriodEnd.SILENT if is_silent else PeriodEnd.CHANGED


def _find_known(rows: HolderRows, ends: Times) -> Times:
    """Return until when each row is known: a sample at its time, a change as long as it holds."""
    return np.where(rows.kind == Kind.CHANGE, ends, rows.times)


def _find_edge_prices(prices: Floats, starts: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the first and the last known price of each run, NaN where none is known."""
    count = len(prices)
    known, places = ~np.isnan(prices), np.arange(count)
    first = np.minimum.reduceat(np.where(known, places, count), starts)
    last = np.maximum.reduceat(np.where(known, places, -1), starts)
    padded = np.append(prices, np.nan)  # also at -1
    return padded[first], padded[last]


def _find_shares(
    rows: HolderRows, ends: Times, held: Durations, bounds: Bounds
) -> tuple[BuyBoxShare, ...]:
    """Return the parts of the known time, the largest first.

    If no holder was observed for any time, each observation counts alike.
    """
    known = np.array([each.state is not HolderState.UNKNOWN for each in rows.holders], dtype=bool)
    inside = _is_within(rows.times, ends, bounds) & known[rows.holder]
    if not inside.any():
        return ()
    places = rows.holder[inside]
    lasted = held[inside].astype(np.float64)
    weights = lasted if lasted.any() else np.ones_like(lasted)
    totals = np.bincount(places, weights, len(rows.holders))
    held_by = np.bincount(places, lasted, len(rows.holders))
    averages = _weigh_prices(rows.price[inside], weights, places)
    known_until = np.minimum(_find_known(rows, ends), bounds[1])[inside]
    fulfilment = rows.fulfilment[inside]
    newest = _find_last_rows(places)
    moments = _to_datetimes(known_until[list(newest.values())])
    reported = fulfilment > 0
    shipped = _find_last_rows(np.where(reported, places, -1))
    found = []
    for (place, _), moment in zip(newest.items(), moments, strict=True):
        found.append(
            BuyBoxShare(
                holder=rows.holders[place],
                share=float(totals[place] / totals.sum()),
                held=timedelta(microseconds=float(held_by[place])),
                average_price=_to_price(averages[place]),
                fulfilment=Fulfilment(int(fulfilment[shipped[place]]))
                if place in shipped
                else None,
                last_known=moment,
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.share, each.holder.label or "")))


def _find_last_rows(places: Codes) -> dict[int, int]:
    """Return the last row of each place, -1 included."""
    found, behind = np.unique(places[::-1], return_index=True)
    return dict(zip(found.tolist(), (len(places) - 1 - behind).tolist(), strict=True))


def _weigh_prices(prices: Floats, held: Durations | Floats, groups: NDArray[np.intp]) -> Floats:
    """Return the average price of each group, weighted by time; NaN without a price.

    Of a group whose prices held for no time, the plain average.
    """
    known = ~np.isnan(prices)
    group, price = groups[known], prices[known]
    weights = held[known].astype(np.float64)
    count = int(groups.max()) + 1
    lasted = np.bincount(group, weights, count)
    weights = np.where(lasted[group] > 0, weights, 1.0)
    with np.errstate(invalid="ignore"):
        averages: Floats = np.bincount(group, price * weights, count) / np.bincount(
            group, weights, count
        )
    return averages


def _to_price(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
