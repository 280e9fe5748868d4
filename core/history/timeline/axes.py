"""Spans, limits and ticks of a history chart's axes. Pure numbers; no charts."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.history.timeline.series import Line


@dataclass(frozen=True, slots=True)
class LineSpan:
    """A line's first, last, lowest and highest known value."""

    first: float
    last: float
    low: float
    high: float


def find_span(line: Line) -> LineSpan | None:
    """Return the span of the known values, None if nothing is known."""
    known = line.values[~np.isnan(line.values)]
    if len(known) == 0:
        return None
    return LineSpan(float(known[0]), float(known[-1]), float(known.min()), float(known.max()))


def value_range(*lines: Line) -> tuple[float, float] | None:
    """Return the range of several lines with a margin, None if nothing is known."""
    spans = [span for span in map(find_span, lines) if span is not None]
    if not spans:
        return None
    low, high = min(span.low for span in spans), max(span.high for span in spans)
    room = 0.14 * (high - low) or 0.1 * high or 1.0
    return max(low - room, 0.0), high + room


def rank_range(*lines: Line) -> tuple[float, float] | None:
    """Return the worst and the best rank with a margin on a log axis, None if none is known."""
    spans = [span for span in map(find_span, lines) if span is not None]
    if not spans:
        return None
    best = max(min(span.low for span in spans), 1.0)
    worst = max(max(span.high for span in spans), 1.0)
    room = max((worst / best) ** 0.14, 1.05)
    return worst * room, best / room


def amount_ticks(low: float, high: float, divisor: int, most: int = 5) -> list[int]:
    """Return two to `most` round ticks between two amounts, in minor units.

    `low`, `high`: in major units. `divisor`: minor units in one.
    """
    least, largest = low * divisor, high * divisor
    span = max(largest - least, 1.0)
    size = 10 ** int(np.floor(np.log10(span / most)))
    steps = [step * size for step in (1, 2, 5, 10, 20, 50)]
    step = max(next(each for each in steps if span / each <= most), 1)
    first = int(np.ceil(least / step)) * step
    return [int(tick) for tick in np.arange(first, largest + 0.5, step)]


def rating_range(line: Line) -> tuple[float, float]:
    """Return the half stars around a line of ratings, so that 0.1 is not drawn as large as 1."""
    span = find_span(line)
    if span is None:
        return 0.0, 5.0
    low = min(np.floor(2 * span.low) / 2, 4.5)
    return float(low) - 0.06, float(max(np.ceil(2 * span.high) / 2, low + 0.5)) + 0.06


def clamp_line(line: Line, limits: tuple[float, float] | None) -> Line:
    """Return the line with the values outside of `limits` moved just inside."""
    if limits is None:
        return line
    edge = 0.04 * (limits[1] - limits[0])
    return Line(line.times, np.clip(line.values, limits[0] + edge, limits[1] - edge))


def rank_ticks(best: float, worst: float) -> list[int]:
    """Return the ticks of a log axis of ranks between its ends; some may lie outside.

    Whole decades if the axis spans two of them; else round ranks of each decade or at even
    distances, whichever leaves the smallest gap.
    """
    best, worst = max(best, 1), max(worst, 1)
    low, high = int(np.floor(np.log10(best))), int(np.ceil(np.log10(worst)))
    decades = [10**power for power in range(low, high + 1)]
    if worst >= 100 * best:
        return decades
    steps = (10, 20, 50) if worst >= 10 * best else (10, 15, 20, 30, 50, 70)
    ticks = [step * decade // 10 for decade in decades for step in steps]
    inside = sorted({tick for tick in ticks if best <= tick <= worst})
    even = _round_ranks(best, worst)
    is_better = len(inside) >= 2 and _gap(inside, best, worst) < _gap(even, best, worst)
    return inside if is_better else even


def _gap(ticks: list[int], best: float, worst: float) -> float:
    """Return the largest part of a log axis without a tick, as a ratio of its ends."""
    marks = [best, *(tick for tick in ticks if best < tick < worst), worst]
    return max(after / before for before, after in pairwise(marks))


def _round_ranks(best: float, worst: float) -> list[int]:
    """Return two to six round ranks that span `best` to `worst`, less than two decades apart."""
    span = max(worst - best, 1)
    size = 10 ** int(np.floor(np.log10(span)))
    fine = max(size // 2, 1)
    step = next((s for s in (fine, size, 2 * size) if span <= 4 * s), 5 * size)
    first = int(best // step) * step
    ticks = range(first, int(worst + step) + 1, step)
    return [max(tick, 1) for tick in ticks]
