"""Snapshots as lines: steps, gaps, thinned ranks. Pure arrays; no charts, no database.

Times are `datetime64[us]` in UTC, ascending; values are float64 with NaN for
"none or unknown". A line is a pair of both: NaN breaks it, and the point before
a break marks the end of its value.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.history.ingest.quality_gate import (
    COUNT_FLAGS,
    LIST_PRICE_FLAGS,
    PRICE_FLAGS,
    RANK_FLAGS,
    RATING_FLAGS,
)
from core.history.observation import Flag, Kind, Seen

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]
Codes = NDArray[np.integer[Any]]
Durations = NDArray[np.timedelta64]

SHORTEST_HOLD = np.timedelta64(3, "h")  # fetches are late by minutes, never by hours
GAPS_IN_A_BLOCK = 16  # cadences change (daily, then hourly), so the usual gap is local
MOST_RANK_POINTS = 1200  # more than the pixels of a wide chart
POINTER_MOMENTS = 120  # one each 7 px of a wide chart
MOST_BAND_POINTS = 250  # an area's outline has twice as many
MOST_AMOUNT_POINTS = 1000
MOST_COUNT_POINTS = 300  # a count only grows: fewer points draw the same line


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the history, its bit in the presence mask, and the flags that concern it."""

    column: str
    seen: Seen
    flags: Flag


PRICE = Field("price", Seen.PRICE, Flag(PRICE_FLAGS))
LIST_PRICE = Field("list_price", Seen.LIST_PRICE, Flag(LIST_PRICE_FLAGS))
RANK = Field("bsr", Seen.BSR, Flag(RANK_FLAGS))
RATING = Field("rating", Seen.RATING, Flag(RATING_FLAGS))
RATINGS_COUNT = Field("ratings_count", Seen.RATINGS_COUNT, Flag(COUNT_FLAGS))
# Of the whole row, for fields without checks of their own.
_ROW_FLAGS = Flag.CURRENCY_MISMATCH | Flag.STALE_VALUE
_AMOUNT_FLAGS = _ROW_FLAGS | Flag.AMOUNTS_DISAGREE
NEW_PRICE = Field("new_price", Seen.NEW_PRICE, _AMOUNT_FLAGS)
USED_PRICE = Field("used_price", Seen.USED_PRICE, _AMOUNT_FLAGS)
OFFERS = Field("offers_new", Seen.OFFERS_NEW, _ROW_FLAGS)
SUB_RANK = Field("sub_rank", Seen.BSR, Flag(RANK_FLAGS) | Flag.STALE_VALUE)


@dataclass(frozen=True, slots=True)
class Line:
    """One drawn line; NaN in `values` is a break."""

    times: Times
    values: Floats

    @classmethod
    def make_empty(cls) -> "Line":
        """Return a line without a point."""
        return cls(np.empty(0, dtype="M8[us]"), np.empty(0))

    def __len__(self) -> int:
        return len(self.times)

    @property
    def is_empty(self) -> bool:
        """True if no value is known."""
        return bool(np.isnan(self.values).all())

    def scale_values(self, divisor: float) -> "Line":
        """Return the line in another unit, such as euros instead of cents."""
        return self if divisor == 1 else Line(self.times, self.values / divisor)

    def thin_points(self, most: int) -> "Line":
        """Return the line with at most `most` points; see `downsample_min_max`."""
        return Line(*downsample_min_max(self.times, self.values, most))

    def find_newest_point(self) -> "Line":
        """Return a line of the last known point (empty if nothing is known)."""
        known = np.flatnonzero(~np.isnan(self.values))[-1:]
        return Line(self.times[known], self.values[known])


def change_points(
    times: Times,
    values: Floats,
    kind: Codes,
    max_gap: np.timedelta64 | Durations | None = None,
    breaks: Marks | None = None,
) -> tuple[Times, Floats]:
    """Return all steps of a series, without repeated values: (times, values).

    A sample holds until the next row, but no longer than `max_gap` (by default
    2.5 times the usual gap around it, at least 3 hours); a change holds until
    the next row, however late. NaN means that there was none. `breaks[i]` ends
    the line just before row i.
    """
    if len(times) == 0:
        return times, values
    longest = longest_holds(times, kind) if max_gap is None else max_gap
    before, after = values[:-1], values[1:]
    is_known = ~np.isnan(before)
    is_silent = is_known & (kind[:-1] == Kind.SAMPLE) & (np.diff(times) > longest)
    is_cut = np.zeros(len(before), dtype=bool) if breaks is None else breaks[1:] & is_known
    is_change = (before != after) & ~(np.isnan(before) & np.isnan(after))
    keep = np.ones(len(times), dtype=bool)
    keep[1:] = is_change | is_silent | is_cut
    keep[-1] = True
    keep[1:] &= ~np.isnan(after)  # the end of a hold already breaks the line
    silent = np.flatnonzero(is_silent)
    ended = np.flatnonzero(~is_silent & (is_cut | (is_change & np.isnan(after))))
    holds = np.broadcast_to(np.asarray(longest), before.shape)
    ends = np.concatenate([times[silent] + holds[silent], times[ended + 1]])
    return _with_holes(times, values, np.flatnonzero(keep), np.concatenate([silent, ended]), ends)


def _with_holes(
    times: Times, values: Floats, kept: NDArray[np.intp], held: NDArray[np.intp], ends: Times
) -> tuple[Times, Floats]:
    """Return the kept rows with two more points for each hold that ends: its value, then NaN."""
    if len(held) == 0:
        return times[kept], values[kept]
    order = np.argsort(np.concatenate([3 * kept, 3 * held + 1, 3 * held + 2]), kind="stable")
    nothing = np.full(len(held), np.nan)
    all_times = np.concatenate([times[kept], ends, ends])
    all_values = np.concatenate([values[kept], values[held], nothing])
    return all_times[order], all_values[order]


def find_runs(
    line: Line, held_until: np.datetime64
) -> list[tuple[np.datetime64, np.datetime64, float]]:
    """Return the runs of one value of a line of steps: from, to, value; oldest first.

    `held_until`: until when the line's last value held.
    """
    if len(line) == 0:
        return []
    values, known = line.values, ~np.isnan(line.values)
    ends = np.append(line.times[1:], max(held_until, line.times[-1]))
    goes_on = known[1:] & known[:-1] & (values[1:] == values[:-1])
    begins = np.flatnonzero(known & ~np.concatenate([[False], goes_on]))
    stops = np.flatnonzero(known & ~np.concatenate([goes_on, [False]]))
    starts = line.times[begins]
    return list(zip(starts, ends[stops], values[begins].tolist(), strict=True))


def longest_holds(times: Times, kind: Codes) -> Durations:
    """Return how long each row but the last may hold if it is a sample."""
    gaps = np.diff(times).astype(np.int64)
    longest = np.full(len(gaps), SHORTEST_HOLD.astype("m8[us]").astype(np.int64))
    samples = np.flatnonzero(kind[:-1] == Kind.SAMPLE)
    if len(samples) and gaps.max() > longest[0]:
        usual = 2.5 * _median_nearby(gaps[samples])
        longest[samples] = np.maximum(longest[samples], usual.astype(np.int64))
    return longest.astype("m8[us]")


def _median_nearby(gaps: NDArray[np.int64]) -> Floats:
    """Return the median gap around each gap: the largest of its block's and the neighbours'."""
    whole = len(gaps) // GAPS_IN_A_BLOCK * GAPS_IN_A_BLOCK
    medians = np.median(gaps[:whole].reshape(-1, GAPS_IN_A_BLOCK), axis=1)
    if whole < len(gaps):
        # The rest is short, so its median includes gaps before it.
        medians = np.append(medians, np.median(gaps[-GAPS_IN_A_BLOCK:]))
    padded = np.pad(medians, 1, mode="edge")
    largest = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    return np.repeat(largest, GAPS_IN_A_BLOCK)[: len(gaps)]


def downsample_min_max(
    times: Times, values: Floats, most: int = MOST_RANK_POINTS
) -> tuple[Times, Floats]:
    """Return at most `most` points: both ends, each bucket's best and worst rank, the gaps.

    Few gaps keep their exact edges; of many, each bucket keeps one. `most`: 5 at least.
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
    """Return the first and last row, every gap and the rows beside it."""
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


def category_changes(category: Codes) -> Marks:
    """Mark the rows with another category than the row before."""
    changes = np.zeros(len(category), dtype=bool)
    changes[1:] = category[1:] != category[:-1]
    return changes


def category_runs(times: Times, category: Codes) -> list[tuple[np.datetime64, int]]:
    """Return the first time of each run of one category; rows without a category are skipped."""
    known = category >= 0
    times, category = times[known], category[known]
    begins = np.flatnonzero(np.diff(category, prepend=-1))
    return [(times[at], int(category[at])) for at in begins]


def with_hover_points(line: Line, moments: int = POINTER_MOMENTS) -> Line:
    """Return the line with more points to hover over along its holds.

    They lie on the line, so nothing drawn changes; none is added in a gap.
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


def area_outlines(times: Times, lows: Floats, highs: Floats, most: int = MOST_BAND_POINTS) -> Line:
    """Return the area between two lines of days as outlines, one for each unbroken stretch.

    Days are joined so that at most `most` remain; each outline runs forward along the
    highest values and back along the lowest.
    """
    if len(times) == 0:
        return Line.make_empty()
    day = (times - times[0]).astype("m8[D]").astype(np.int64)
    width = int(day[-1]) // most + 1
    starts = np.flatnonzero(np.diff(day // width, prepend=-1))
    middle = times[0] + (day[starts] // width * 2 + 1) * (width * np.timedelta64(12, "h"))
    lowest, highest = np.fmin.reduceat(lows, starts), np.fmax.reduceat(highs, starts)
    return _outlines(middle, lowest, highest, day[starts] // width)


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
