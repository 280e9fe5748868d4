"""A product's days by week, month and year."""

from datetime import date

import numpy as np

from core.history.analysis.days import (
    LEAST_DAYS_A_YEAR,
    compare_years,
    fill_calendar,
    make_days,
    split_by_year,
    spread_by_month,
)


def days_from(first: str, count: int) -> np.ndarray:
    return np.datetime64(first, "D") + np.arange(count)


def test_a_calendar_has_a_column_per_week_that_begins_on_monday():
    grid = fill_calendar(days_from("2026-11-21", 10), np.arange(10.0), date(2026, 11, 30), 2)
    # 21 and 22 November 2026 are a weekend, 30 November is a Monday.
    assert grid.shape == (7, 2)
    assert grid[:, 0].tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert grid[0, 1] == 9
    assert np.isnan(grid[1:, 1]).all()


def test_a_month_has_its_lowest_median_and_highest_day():
    values = np.array([5.0, 1, np.nan, 9, 4])
    found = spread_by_month(days_from("2026-01-30", 5), values)
    assert [(each.month, each.low, each.median, each.high, each.days) for each in found] == [
        (date(2026, 1, 1), 1, 3, 5, 2),
        (date(2026, 2, 1), 4, 6.5, 9, 2),
    ]
    assert spread_by_month(days_from("2026-01-30", 1), np.array([np.nan])) == []


def test_a_date_is_at_one_place_in_every_year():
    days = days_from("2023-12-01", 365 * 2 + 31)
    lines = split_by_year(days, np.arange(float(len(days))))
    assert [line.year for line in lines] == [2023, 2024, 2025]
    first_of_march = 31 + 29
    for line in lines[1:]:
        assert line.values[first_of_march] == (
            np.datetime64(f"{line.year}-03-01") - days[0]
        ).astype(int)
    assert np.isnan(lines[2].values[first_of_march - 1])  # 2025 has no 29 February
    assert split_by_year(days[: LEAST_DAYS_A_YEAR - 1], np.ones(LEAST_DAYS_A_YEAR - 1)) == []


def test_years_are_compared_on_the_dates_that_both_have():
    days = days_from("2025-11-01", 365 + 30)
    values = np.where(days < np.datetime64("2026-01-01"), 100.0, 80.0)
    assert compare_years(split_by_year(days, values)) == (100, 80, 30)
    assert compare_years(split_by_year(days[:60], values[:60])) is None


def test_ranks_of_an_earlier_category_are_left_out():
    columns = {
        "day": days_from("2026-01-01", 3).astype("M8[us]"),
        "price_close": np.array([1.0, 2, np.nan]),
        "bsr_close": np.array([9.0, 800, 700]),
        "bsr_category": np.array([1, 2, 2]),
    }
    found = make_days(columns)
    assert found.days.dtype == np.dtype("M8[D]")
    assert np.isnan(found.ranks[0])
    assert found.ranks[1:].tolist() == [800, 700]
