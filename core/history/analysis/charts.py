"""Charts of a product's days: calendar, months, years, price against rank. Days → plotly dict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from core import chart_theme
from core.chart_theme import MoneyStyle, plain_axis, plain_layout
from core.history.analysis.days import MonthSpread, YearLine, fill_calendar
from core.history.timeline import axes
from core.history.timeline.series import Floats, Times
from core.text.numbers import format_rank
from core.text.times import format_day

Figure = dict[str, Any]
CALENDAR_HEIGHT: Final = 190  # px
CHART_HEIGHT: Final = 280
_YEAR_WEEKS: Final = 53
_WEEKDAYS: Final = ("Mon", "", "Wed", "", "Fri", "", "Sun")
_YEAR_COLORS: Final = (chart_theme.COMPETITORS[0], chart_theme.COMPETITORS[4])


@dataclass(frozen=True, slots=True)
class Measured:
    """What a chart shows of a product's days: its price, or its rank on a turned log axis."""

    name: str
    color: str
    is_rank: bool
    format_value: Callable[[float | None], str]
    money: MoneyStyle | None = None  # of a price


def _value_axis(measured: Measured, values: Floats, **options: Any) -> dict[str, Any]:
    """Return an axis of prices from 0 distance, or of ranks with the best on top."""
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (1.0, 10.0)
    if not measured.is_rank:
        room = (high - low) * 0.08 or high * 0.05 or 1.0
        ticks = axes.amount_ticks(low, high, 1)  # in minor units already
        shown = [measured.format_value(each) for each in ticks]
        bounds = [low - room, high + room]
        return plain_axis(range=bounds, tickvals=ticks, ticktext=shown, **options)
    ticks = axes.rank_ticks(low, high)
    bounds = [float(np.log10(high)) + 0.05, float(np.log10(low)) - 0.05]
    shown = [format_rank(each) for each in ticks]
    return plain_axis(type="log", range=bounds, tickvals=ticks, ticktext=shown, **options)


def draw_calendar(days: Times, values: Floats, measured: Measured, last: date) -> Figure:
    """Return the year before a day as squares: a column per week, a row per weekday.

    Darker is a better rank or a higher price; a day without a value is a hole.
    """
    grid = fill_calendar(days, values, last, _YEAR_WEEKS)
    monday = last - timedelta(days=last.weekday())
    weeks = [monday - timedelta(days=7 * back) for back in range(_YEAR_WEEKS)][::-1]
    shades = np.log10(grid) if measured.is_rank else grid
    colors = chart_theme.AMOUNTS[::-1] if measured.is_rank else chart_theme.AMOUNTS
    texts = [
        [
            ""
            if np.isnan(grid[row, column])
            else f"{format_day(week + timedelta(days=row))}: "
            f"{measured.format_value(grid[row, column])}"
            for column, week in enumerate(weeks)
        ]
        for row in range(7)
    ]
    trace = {
        "type": "heatmap",
        "x": list(range(_YEAR_WEEKS)),
        "y": list(range(7)),
        "z": [[None if np.isnan(each) else float(each) for each in row] for row in shades],
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "hoverongaps": False,
        "xgap": 3,
        "ygap": 3,
        "colorscale": [[place / 9, color] for place, color in enumerate(colors)],
        "showscale": False,
    }
    starts = [
        (column, week)
        for column, week in enumerate(weeks)
        if column == 0 or week.month != weeks[column - 1].month
    ]
    named = [(column, week) for column, week in starts if column < _YEAR_WEEKS - 2][1:]
    layout = plain_layout(
        CALENDAR_HEIGHT,
        top=10,
        hovermode="closest",
        xaxis=plain_axis(
            showgrid=False,
            tickvals=[column for column, _ in named],
            ticktext=[f"{week:%b}" for _, week in named],
            range=[-0.6, _YEAR_WEEKS - 0.4],
            side="top",
            tickangle=0,
        ),
        yaxis=plain_axis(
            showgrid=False, tickvals=list(range(7)), ticktext=_WEEKDAYS, range=[6.6, -0.6]
        ),
    )
    return {"data": [trace], "layout": layout}


def draw_months(months: Sequence[MonthSpread], measured: Measured) -> Figure:
    """Return each month's median day, with a line from its lowest to its highest day."""
    medians = np.array([each.median for each in months])
    lows, highs = (np.array([getattr(each, side) for each in months]) for side in ("low", "high"))
    texts = [
        f"{each.month:%B %Y}: median {measured.format_value(round(each.median))}, "
        f"{measured.format_value(each.low)} to {measured.format_value(each.high)}, "
        f"{each.days} days"
        for each in months
    ]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [f"{each.month:%Y-%m-%d}" for each in months],
        "y": medians,
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": highs - medians,
            "arrayminus": medians - lows,
            "color": measured.color,
            "thickness": 2,
            "width": 0,
        },
        "marker": {"color": measured.color, "size": 10},
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
    }
    layout = plain_layout(
        CHART_HEIGHT,
        top=10,
        hovermode="closest",
        xaxis=plain_axis(type="date", showgrid=False, tickformat="%b\n%Y", nticks=12, tickangle=0),
        yaxis=_value_axis(measured, np.concatenate([lows, highs])),
    )
    return {"data": [trace], "layout": layout}


def draw_years(lines: Sequence[YearLine], measured: Measured) -> Figure:
    """Return the years on one axis of dates, the newest in the figure's own colour."""
    start = date(2024, 1, 1)  # a leap year: the axis has all dates
    at = [f"{start + timedelta(days=day):%Y-%m-%d}" for day in range(366)]
    colors = [*_YEAR_COLORS[: len(lines) - 1], measured.color]
    dashes = ["dot", "dash"][-(len(lines) - 1) :] if len(lines) > 1 else []
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": str(line.year),
            "x": at,
            "y": line.values,
            "line": {"color": color, "dash": dash, "width": 2, "shape": "hv"},
            "connectgaps": False,
            "text": [measured.format_value(each) for each in line.values],
            "hovertemplate": "%{text}",
        }
        for line, color, dash in zip(lines, colors, [*dashes, "solid"], strict=True)
    ]
    layout = plain_layout(
        CHART_HEIGHT,
        top=28,
        showlegend=True,
        hovermode="x unified",
        xaxis=plain_axis(
            type="date", showgrid=False, tickformat="%b", nticks=12, tickangle=0,
            hoverformat="%-d %b", range=[at[0], at[-1]],
        ),
        yaxis=_value_axis(measured, np.concatenate([line.values for line in lines])),
    )  # fmt: skip
    return {"data": traces, "layout": layout}


def draw_price_and_rank(
    days: Times, prices: Floats, ranks: Floats, price: Measured, rank: Measured
) -> Figure:
    """Return a point for each day with a price and a rank; a better rank is higher."""
    both = ~np.isnan(prices) & ~np.isnan(ranks)
    texts = [
        f"{format_day(day)}: {price.format_value(amount)}, {rank.format_value(place)}"
        for day, amount, place in zip(days[both].tolist(), prices[both], ranks[both], strict=True)
    ]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": prices[both],
        "y": ranks[both],
        "marker": {"color": rank.color, "size": 7, "opacity": 0.55},
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
    }
    layout = plain_layout(
        CHART_HEIGHT,
        top=10,
        hovermode="closest",
        xaxis=_value_axis(price, prices[both], title={"text": "Price", "font": chart_theme.FONT}),
        yaxis=_value_axis(rank, ranks[both], title={"text": "BSR", "font": chart_theme.FONT}),
    )
    return {"data": [trace], "layout": layout}
