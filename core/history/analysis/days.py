"""A product's days: price and rank at each close, by year and by month. Pure arrays.

A day is the marketplace's. Ranks are those of the newest category: two categories can't be
compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from core.database.columnar_read import Arrays
from core.history.timeline.daily_timeline import DAY
from core.history.timeline.series import Floats, Times

LEAST_DAYS_A_YEAR = 30  # fewer are no line of a year


@dataclass(frozen=True, slots=True)
class ProductDays:
    """Closes by day, ascending; NaN where none or unknown. Prices in minor units."""

    days: Times  # datetime64[D]
    prices: Floats
    ranks: Floats


@dataclass(frozen=True, slots=True)
class MonthSpread:
    """The values of a month's days."""

    month: date  # its first day
    low: float
    median: float
    high: float
    days: int


@dataclass(frozen=True, slots=True)
class YearLine:
    """A year's closes by day of the year; NaN for a day without one."""

    year: int
    values: Floats  # 366, 29 February included


def make_days(columns: Arrays) -> ProductDays:
    """Return the days of `queries.daily_columns`."""
    ranks, category = columns["bsr_close"], columns["bsr_category"]
    known = category[category >= 0]
    if len(known):
        ranks = np.where((category == known[-1]) | (category < 0), ranks, np.nan)
    return ProductDays(columns["day"].astype("M8[D]"), columns["price_close"], ranks)


def fill_calendar(days: Times, values: Floats, last: date, weeks: int) -> Floats:
    """Return values as 7 rows (Monday first) and a column per week, the last with `last`."""
    end = np.datetime64(last, "D")
    monday = end - (end.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    first = monday - DAY * 7 * (weeks - 1)
    grid = np.full(7 * weeks, np.nan)
    places = (days - first).astype(np.int64)
    inside = (places >= 0) & (days <= end)
    grid[places[inside]] = values[inside]
    return grid.reshape(weeks, 7).T


def spread_by_month(days: Times, values: Floats) -> list[MonthSpread]:
    """Return the lowest, median and highest value of each month that has one, oldest first."""
    known = ~np.isnan(values)
    months, shown = days[known].astype("M8[M]"), values[known]
    starts = np.flatnonzero(np.diff(months.astype(np.int64), prepend=-1))
    parts = np.split(shown, starts[1:]) if len(shown) else []
    return [
        MonthSpread(
            month=months[start].astype("M8[D]").item(),
            low=float(part.min()),
            median=float(np.median(part)),
            high=float(part.max()),
            days=len(part),
        )
        for start, part in zip(starts, parts, strict=True)
    ]


def split_by_year(days: Times, values: Floats, most: int = 3) -> list[YearLine]:
    """Return the newest years that have at least `LEAST_DAYS_A_YEAR` values, oldest first."""
    years = days.astype("M8[Y]").astype(np.int64) + 1970
    lines: list[YearLine] = []
    for year in np.unique(years)[::-1].tolist():
        rows = years == year
        if np.count_nonzero(~np.isnan(values[rows])) < LEAST_DAYS_A_YEAR:
            continue
        line = np.full(366, np.nan)
        line[_place_in_year(days[rows])] = values[rows]
        lines.append(YearLine(year, line))
        if len(lines) == most:
            break
    return lines[::-1]


def _place_in_year(days: Times) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return each day's place in a leap year, so that a date is at one place in every year."""
    month = days.astype("M8[M]")
    number = month.astype(np.int64) % 12
    starts = np.cumsum([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30])
    places: np.ndarray[tuple[int], np.dtype[np.int64]] = starts[number] + (
        days - month.astype("M8[D]")
    ).astype(np.int64)
    return places


def compare_years(lines: Sequence[YearLine]) -> tuple[float, float, int] | None:
    """Return the median of the newest two years on the dates that both have, and their number.

    The earlier one first. None: no two years share a date.
    """
    if len(lines) < 2:
        return None
    before, after = lines[-2].values, lines[-1].values
    both = ~np.isnan(before) & ~np.isnan(after)
    count = int(np.count_nonzero(both))
    if not count:
        return None
    return float(np.median(before[both])), float(np.median(after[both])), count
