"""What the charts of a product's days show, as sentences. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.history.analysis.charts import Measured
from core.history.analysis.correlation import (
    LEAST_DAYS,
    LEAST_PRICES,
    Correlation,
    NoCorrelation,
)
from core.history.analysis.days import MonthSpread, YearLine, compare_years
from core.history.timeline.series import Floats, Times
from core.text.locale import localize_digits
from core.text.numbers import MINUS, format_count, format_counted, format_percent_change
from core.text.times import format_day

_WEAK, _STRONG = 0.3, 0.6  # of a coefficient's size
NO_CAUSE: Final = "This is no cause: deals, seasons and stock move both."


def describe_correlation(found: Correlation) -> str:
    """Write how price and rank went together, with its number of days, or why that is not said."""
    if found.reason is NoCorrelation.FEW_DAYS:
        return (
            f"No statement: {format_counted(found.days, 'day')} with both a price and a rank, at "
            f"least {LEAST_DAYS} are needed."
        )
    if found.reason is NoCorrelation.FEW_PRICES:
        return (
            f"No statement: {format_counted(found.prices, 'different price')} in "
            f"{format_counted(found.days, 'day')}, at least {LEAST_PRICES} are needed."
        )
    if found.coefficient is None:
        return f"No statement: the rank was the same on all {format_count(found.days)} days."
    size, way = abs(found.coefficient), "worse" if found.coefficient > 0 else "better"
    if size < _WEAK:
        finding = "Price and BSR hardly went together"
    else:
        finding = f"Higher prices {'often' if size < _STRONG else 'mostly'} went with {way} ranks"
    sign = MINUS if found.coefficient < 0 else "+"
    number = sign + localize_digits(f"{size:.2f}")
    days = format_counted(found.days, "day")
    return f"{finding}: Spearman's correlation {number} over {days}. {NO_CAUSE}"


def describe_calendar(days: Times, values: Floats, measured: Measured) -> str:
    """Write a calendar's extremes: "BSR: best #699 on 3 Dec 2025, worst #17,295 on …"."""
    if np.isnan(values).all():
        return f"No {measured.name} in this year."
    low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
    names = ("best", "worst") if measured.is_rank else ("lowest", "highest")
    parts = [
        f"{name} {measured.format_value(values[at])} on {format_day(days[at].item())}"
        for name, at in zip(names, (low, high), strict=True)
    ]
    counted = format_counted(int(np.count_nonzero(~np.isnan(values))), "day")
    return f"{measured.name}: {', '.join(parts)}; {counted} with a value."


def describe_months(months: Sequence[MonthSpread], measured: Measured) -> str:
    """Write the months with the lowest and the highest median."""
    low = min(months, key=lambda each: each.median)
    high = max(months, key=lambda each: each.median)
    names = ("best", "worst") if measured.is_rank else ("lowest", "highest")
    parts = [
        f"{name} month {each.month:%B %Y}, median {measured.format_value(round(each.median))}"
        for name, each in zip(names, (low, high), strict=True)
    ]
    return f"{measured.name}: {'; '.join(parts)}."


def describe_years(lines: Sequence[YearLine], measured: Measured) -> str:
    """Write how the newest year compares with the one before, or why it can't be compared."""
    compared = compare_years(lines)
    if compared is None:
        return "No comparison: no date has a value in two years yet."
    before, after, dates = compared
    change = format_percent_change(before, after)
    return (
        f"Median {measured.name} on the {format_counted(dates, 'date')} that both years have: "
        f"{measured.format_value(round(before))} in {lines[-2].year}, "
        f"{measured.format_value(round(after))} in {lines[-1].year} ({change})."
    )
