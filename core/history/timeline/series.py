"""Snapshots shaped for drawing: steps, holes, thinned ranks. Pure arrays; no charts, no database.

Times are `datetime64[us]` in UTC, ascending; values are float64 with NaN for
"none or unknown". A line is a pair of both: NaN breaks it, and the point before
a break says until when its value held.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.history.ingest.quality_gate import (
    COUNT_FLAGS,
    LIST_PRICE_FLAGS,
    PRICE_FLAGS,
    RANK_FLAGS,
    RATING_FLAGS,
)
from core.history.observation import Availability, Flag, Kind, Seen

if TYPE_CHECKING:
    import pandas as pd

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]
Codes = NDArray[np.integer[Any]]
Durations = NDArray[np.timedelta64]

SHORTEST_HOLD = np.timedelta64(3, "h")  # fetches are late by minutes, never by hours
GAPS_IN_A_BLOCK = 16  # cadences change (daily, then hourly): what is usual is judged locally
MOST_RANK_POINTS = 1200  # more than the pixels of a wide chart
POINTER_MOMENTS = 120  # one each 7 px of a wide chart
MOST_BAND_POINTS = 250  # an area's outline has twice as many
MOST_COUNT_POINTS = 300  # a count only grows: fewer points draw the same line


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the history frame, its bit in `seen` and the flags that make it doubtful."""

    column: str
    seen: Seen
    doubtful: Flag


PRICE = Field("price", Seen.PRICE, Flag(PRICE_FLAGS))
LIST_PRICE = Field("list_price", Seen.LIST_PRICE, Flag(LIST_PRICE_FLAGS))
RANK = Field("bsr", Seen.BSR, Flag(RANK_FLAGS))
RATING = Field("rating", Seen.RATING, Flag(RATING_FLAGS))
RATINGS_COUNT = Field("ratings_count", Seen.RATINGS_COUNT, Flag(COUNT_FLAGS))

_CAN_NOT_BE_BOUGHT = [int(state) for state in Availability if not state.has_featured_offer]


@dataclass(frozen=True, slots=True)
class Line:
    """One drawn line; NaN in `values` is a break."""

    times: Times
    values: Floats

    def __len__(self) -> int:
        return len(self.times)

    @property
    def is_empty(self) -> bool:
        """True when not one value is known."""
        return bool(np.isnan(self.values).all())

    def scaled(self, divisor: float) -> "Line":
        """Return the line in another unit, such as euros instead of cents."""
        return self if divisor == 1 else Line(self.times, self.values / divisor)

    def newest(self) -> "Line":
        """Return the last known point alone (empty when nothing is known)."""
        known = np.flatnonzero(~np.isnan(self.values))[-1:]
        return Line(self.times[known], self.values[known])


def change_points(
    times: Times,
    values: Floats,
    kind: Codes,
    max_gap: np.timedelta64 | Durations | None = None,
    breaks: Marks | None = None,
) -> tuple[Times, Floats]:
    """Return the steps of a series without losing one: (times, values).

    A sample holds until the next row, but no longer than `max_gap` (by default
    2.5 times what is usual around it, at least 3 hours); a change holds until
    the next row, however late. NaN says that the source looked and there was
    none. `breaks[i]` ends the line just before row i.
    """
    if len(times) == 0:
        return times, values
    longest = _longest_holds(times, kind) if max_gap is None else max_gap
    before, after = values[:-1], values[1:]
    is_known = ~np.isnan(before)
    is_silent = is_known & (kind[:-1] == Kind.SAMPLE) & (np.diff(times) > longest)
    is_cut = np.zeros(len(before), dtype=bool) if breaks is None else breaks[1:] & is_known
    is_change = (before != after) & ~(np.isnan(before) & np.isnan(after))
    keep = np.ones(len(times), dtype=bool)
    keep[1:] = is_change | is_silent | is_cut
    keep[-1] = True
    keep[1:] &= ~np.isnan(after)  # the end of a hold says already that nothing follows
    silent = np.flatnonzero(is_silent)
    ended = np.flatnonzero(~is_silent & (is_cut | (is_change & np.isnan(after))))
    holds = np.broadcast_to(np.asarray(longest), before.shape)
    ends = np.concatenate([times[silent] + holds[silent], times[ended + 1]])
    return _with_holes(times, values, np.flatnonzero(keep), np.concatenate([silent, ended]), ends)


def _with_holes(
    times: Times, values: Floats, kept: NDArray[np.intp], held: NDArray[np.intp], ends: Times
) -> tuple[Times, Floats]:
    """Join kept rows with two points for each hold that ends: its value, then NaN."""
    if len(held) == 0:
        return times[kept], values[kept]
    order = np.argsort(np.concatenate([3 * kept, 3 * held + 1, 3 * held + 2]), kind="stable")
    nothing = np.full(len(held), np.nan)
    all_times = np.concatenate([times[kept], ends, ends])
    all_values = np.concatenate([values[kept], values[held], nothing])
    return all_times[order], all_values[order]


def _longest_holds(times: Times, kind: Codes) -> Durations:
    """Return for each row but the last how long a sample may stand for what follows it."""
    gaps = np.diff(times).astype(np.int64)
    longest = np.full(len(gaps), SHORTEST_HOLD.astype("m8[us]").astype(np.int64))
    samples = np.flatnonzero(kind[:-1] == Kind.SAMPLE)
    if len(samples) and gaps.max() > longest[0]:
        usual = 2.5 * _usual_nearby(gaps[samples])
        longest[samples] = np.maximum(longest[samples], usual.astype(np.int64))
    return longest.astype("m8[us]")


def _usual_nearby(gaps: NDArray[np.int64]) -> Floats:
    """Return the median gap around each gap: the largest of its block's and the neighbours'."""
    whole = len(gaps) // GAPS_IN_A_BLOCK * GAPS_IN_A_BLOCK
    medians = np.median(gaps[:whole].reshape(-1, GAPS_IN_A_BLOCK), axis=1)
    if whole < len(gaps):
        # A short rest says little: it is judged with what came before it.
        medians = np.append(medians, np.median(gaps[-GAPS_IN_A_BLOCK:]))
    padded = np.pad(medians, 1, mode="edge")
    largest = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    return np.repeat(largest, GAPS_IN_A_BLOCK)[: len(gaps)]


def thin_rank(times: Times, values: Floats, most: int = MOST_RANK_POINTS) -> tuple[Times, Floats]:
    """Return at most `most` points: both ends, each bucket's best and worst rank, the holes.

    Where holes are few their edges stay exact; where they are many each bucket
    keeps one. `most`: 5 at least.
    """
    if len(times) <= most:
        return times, values
    is_hole = np.isnan(values)
    edges = _edges(is_hole)
    if len(edges) <= most // 3:
        always, buckets = edges, (most - len(edges)) // 2
    else:
        ends, buckets = [0, len(values) - 1], (most - 2) // 3
        always = np.union1d(_first_of_each(is_hole, buckets), ends)
    kept = np.union1d(always, _best_and_worst(values, buckets))
    return times[kept], values[kept]


def _edges(is_hole: Marks) -> NDArray[np.intp]:
    """Return the first and last row, every hole and the rows beside it."""
    near = is_hole.copy()
    near[1:] |= is_hole[:-1]
    near[:-1] |= is_hole[1:]
    near[[0, -1]] = True
    return np.flatnonzero(near)


def _bucket_of(rows: NDArray[np.intp], length: int, buckets: int) -> NDArray[np.intp]:
    return rows * buckets // length


def _first_of_each(is_marked: Marks, buckets: int) -> NDArray[np.intp]:
    """Return the first marked row of each bucket that has one."""
    rows = np.flatnonzero(is_marked)
    _, first = np.unique(_bucket_of(rows, len(is_marked), buckets), return_index=True)
    return rows[first]


def _best_and_worst(values: Floats, buckets: int) -> NDArray[np.intp]:
    """Return the rows of each bucket's smallest and largest value."""
    bucket = _bucket_of(np.arange(len(values)), len(values), buckets)
    starts = np.searchsorted(bucket, np.arange(buckets))
    best = np.fmin.reduceat(values, starts)[bucket]
    worst = np.fmax.reduceat(values, starts)[bucket]
    return np.concatenate(
        [_first_of_each(values == best, buckets), _first_of_each(values == worst, buckets)]
    )


@dataclass(frozen=True)
class History:
    """The columns of a history as arrays, taken out once for all that is shown of it.

    `columns`: those of `queries.snapshot_columns`, or the ones that are wanted.
    """

    columns: Mapping[str, NDArray[Any]]
    times: Times
    kind: Codes
    seen: Codes
    flags: Codes

    @classmethod
    def of(cls, frame: "pd.DataFrame") -> "History":
        """Take the columns of a history frame."""
        captured_at: pd.Series[Any] = frame["captured_at"]
        # Without the zone's name numpy shares the column's memory.
        times: Times = captured_at.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
        others = [name for name in frame.columns if name != "captured_at"]
        columns = {name: frame[name].to_numpy() for name in others}
        return cls.of_columns({"captured_at": times, **columns})

    @classmethod
    def of_columns(cls, columns: Mapping[str, NDArray[Any]]) -> "History":
        """Take the columns of a history."""
        times, kind, seen, flags = (
            columns[name] for name in ("captured_at", "kind", "seen", "flags")
        )
        return cls(columns, times, kind, seen, flags)

    @cached_property
    def longest_holds(self) -> Durations:
        """How long each row but the last may stand for what follows."""
        return _longest_holds(self.times, self.kind)

    @cached_property
    def _lines(self) -> dict[Field, Line]:
        return {}

    def line(self, field: Field) -> Line:
        """Return a field's steps in its own unit, computed once. See `line_of`."""
        if field not in self._lines:
            values = self.values(field.column)
            self._lines[field] = _line(self, values, self.sure_rows(field, values), None)
        return self._lines[field]

    def values(self, column: str) -> Floats:
        return self.columns[column].astype(np.float64, copy=False)

    def sure_rows(self, field: Field, values: Floats) -> Marks:
        """Mark the rows whose source reports the field and whose value is not doubtful."""
        reported = ~np.isnan(values) | ((self.seen & int(field.seen)) != 0)
        rows: Marks = reported & ((self.flags & int(field.doubtful)) == 0)
        return rows


def line_of(history: History, field: Field, *, divisor: float = 1) -> Line:
    """Return a field's steps, doubtful values left out.

    A row whose source does not report the field is no row of this line.
    """
    return history.line(field).scaled(divisor)


def rank_line(history: History, most: int = MOST_RANK_POINTS) -> Line:
    """Return the main rank, broken where its category changes, thinned to `most` points."""
    line = rank_steps(history)
    return Line(*thin_rank(line.times, line.values, most))


def rank_steps(history: History) -> Line:
    """Return the main rank, broken where its category changes, without losing a step."""
    values = history.values(RANK.column)
    category = history.columns["bsr_category"]
    return _line(history, values, history.sure_rows(RANK, values), category)


def rank_categories(history: History) -> list[tuple[np.datetime64, int]]:
    """Return from when on the main rank was in which category (an id), oldest first."""
    values = history.values(RANK.column)
    rows = history.sure_rows(RANK, values)
    return _stretches(history.times[rows], history.columns["bsr_category"][rows])


def daily_rank_categories(daily: "pd.DataFrame") -> list[tuple[np.datetime64, int]]:
    """Return the same of a frame of days."""
    return _stretches(_days(daily), daily["bsr_category"].to_numpy())


def _stretches(times: Times, category: Codes) -> list[tuple[np.datetime64, int]]:
    """Return the first moment of each run of one category; a moment without one ends none."""
    known = category >= 0
    times, category = times[known], category[known]
    begins = np.flatnonzero(np.diff(category, prepend=-1))
    return [(times[at], int(category[at])) for at in begins]


def count_line(history: History, most: int = MOST_COUNT_POINTS) -> Line:
    """Return the number of ratings, thinned to `most` points."""
    line = line_of(history, RATINGS_COUNT)
    return Line(*thin_rank(line.times, line.values, most))


def _line(history: History, values: Floats, rows: Marks, category: Codes | None) -> Line:
    """Return the steps of some rows, broken where `category` changes."""
    times, kind, holds = history.times, history.kind, None
    if rows.all():
        holds = history.longest_holds
    else:
        times, values, kind = times[rows], values[rows], kind[rows]
        category = None if category is None else category[rows]
    return Line(*change_points(times, values, kind, holds, _changes(category)))


def _changes(category: Codes | None) -> Marks | None:
    """Mark the rows whose category is not the one before."""
    if category is None:
        return None
    changes = np.zeros(len(category), dtype=bool)
    changes[1:] = category[1:] != category[:-1]
    return changes


def reachable(line: Line, moments: int = POINTER_MOMENTS) -> Line:
    """Return the line with more points along its holds: a pointer finds only points.

    They lie on the line, so nothing drawn changes; none is added in a hole.
    """
    if len(line) < 2:
        return line
    hour = np.timedelta64(1, "h")
    spacing = max((line.times[-1] - line.times[0]) // moments // hour * hour, hour)
    grid: Times = np.arange(line.times[0], line.times[-1], spacing)
    held = np.searchsorted(line.times, grid, side="right") - 1
    is_far = np.minimum(grid - line.times[held], line.times[held + 1] - grid) > spacing // 2
    added = is_far & ~np.isnan(line.values[held])
    where = held[added] + 1
    return Line(
        np.insert(line.times, where, grid[added]),
        np.insert(line.values, where, line.values[held[added]]),
    )


def doubtful_points(history: History, field: Field, *, divisor: float = 1) -> Line:
    """Return the values that the quality gate flagged, to be drawn apart."""
    rows = np.flatnonzero(history.flags & int(field.doubtful))
    values = history.values(field.column)[rows]
    known = ~np.isnan(values)
    return Line(history.times[rows][known], values[known] / divisor)


def stock_outs(history: History) -> list[tuple[np.datetime64, np.datetime64]]:
    """Return the times in which the product could not be bought, as (from, to).

    A stock-out ends when a later look finds it for sale, or at the last look.
    """
    states = history.columns["availability"]
    looked = states != 0
    out = np.isin(states[looked], _CAN_NOT_BE_BOUGHT)
    if not out.any():
        return []
    times = history.times[looked]
    turns = np.flatnonzero(np.diff(np.concatenate([[False], out, [False]]).astype(np.int8)))
    last = len(times) - 1
    return [(times[a], times[min(b, last)]) for a, b in zip(turns[::2], turns[1::2], strict=True)]


def days_out_of_stock(daily: "pd.DataFrame") -> list[tuple[np.datetime64, np.datetime64]]:
    """Return the runs of whole days on which the product could not be bought, as (from, to)."""
    times, share = _days(daily), daily["in_stock_share"].to_numpy(dtype=np.float64)
    out = np.flatnonzero(share == 0)
    if len(out) == 0:
        return []
    day = times.astype("M8[D]").astype(np.int64)
    runs = np.split(out, np.flatnonzero(np.diff(day[out]) > 1) + 1)
    return [(times[run[0]], times[run[-1]] + DAY) for run in runs]


DAY = np.timedelta64(1, "D")


def daily_line(daily: "pd.DataFrame", column: str, *, divisor: float = 1) -> Line:
    """Return a column of a frame of days as steps; a missing day is a hole.

    `day` holds dates in order; each value holds for its own day.
    """
    return _daily_line(daily, column, None).scaled(divisor)


def daily_rank_line(daily: "pd.DataFrame") -> Line:
    """Return the close of the main rank as steps, broken where its category changes."""
    return _daily_line(daily, "bsr_close", _changes(daily["bsr_category"].to_numpy()))


def _daily_line(daily: "pd.DataFrame", column: str, breaks: Marks | None) -> Line:
    times = _days(daily)
    kind = np.full(len(times), int(Kind.SAMPLE))
    values = daily[column].to_numpy(dtype=np.float64)
    return Line(*change_points(times, values, kind, DAY, breaks))


def daily_band(
    daily: "pd.DataFrame", low: str, high: str, *, divisor: float = 1, most: int = MOST_BAND_POINTS
) -> Line:
    """Return the area between two columns as outlines, one for each unbroken stretch.

    Days are joined so that at most `most` remain; each stretch runs forward
    along the highest values and back along the lowest.
    """
    times = _days(daily)
    if len(times) == 0:
        return Line(times, np.empty(0))
    day = (times - times[0]).astype("m8[D]").astype(np.int64)
    width = int(day[-1]) // most + 1
    starts = np.flatnonzero(np.diff(day // width, prepend=-1))
    middle = times[0] + (day[starts] // width * 2 + 1) * (width * np.timedelta64(12, "h"))
    lows = np.fmin.reduceat(daily[low].to_numpy(dtype=np.float64), starts) / divisor
    highs = np.fmax.reduceat(daily[high].to_numpy(dtype=np.float64), starts) / divisor
    return _outlines(middle, lows, highs, day[starts] // width)


def _outlines(at: Times, lows: Floats, highs: Floats, place: NDArray[np.int64]) -> Line:
    """Return one closed outline for each run of neighbouring places that are known."""
    known = np.flatnonzero(~np.isnan(lows) & ~np.isnan(highs))
    runs = np.split(known, np.flatnonzero(np.diff(place[known]) > 1) + 1)
    times, values = [at[:0]], [lows[:0]]
    for run in runs:
        if len(run):
            times += [at[run], at[run[::-1]], at[run[:1]]]
            values += [highs[run], lows[run[::-1]], np.array([np.nan])]
    return Line(np.concatenate(times), np.concatenate(values))


def _days(daily: "pd.DataFrame") -> Times:
    return daily["day"].to_numpy(dtype="datetime64[us]")
