"""Draws one value over time with levels and marks: of an alert, or of a rule that is tried.

A figure is the dict that `go.Figure` takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

import numpy as np

from core import chart_theme
from core.alerts.rules.rule import AMOUNTS, Subject
from core.alerts.rules.subject_text import capitalize, format_value
from core.chart_theme import MoneyStyle
from core.history.chart.content import EventMark
from core.history.chart.end_labels import tick_texts
from core.history.chart.events import style_circles
from core.history.chart.traces import format_times, newest_dot, number_separators, step_trace
from core.history.timeline import axes, series
from core.history.timeline.series import Line
from core.history.timeline.timeline import to_array_time
from core.text.numbers import format_rank
from core.text.times import format_moment

HEIGHT: Final = 230  # px
MOST_POINTS: Final = 600
_COLORS: Final = {Subject.RANK: chart_theme.RANK, Subject.RATING: chart_theme.RATING}
_DIVISORS: Final = {Subject.RATING: 10, Subject.CHEAPEST_COMPETITOR: 10}


@dataclass(frozen=True, slots=True)
class Level:
    """A value to compare with, drawn across the chart: a threshold, or what was before."""

    value: float  # as it is stored
    text: str


@dataclass(frozen=True, slots=True)
class ValueChart:
    """What is drawn. Values are as they are stored, of one subject."""

    subject: Subject
    line: Line
    since: datetime
    until: datetime
    marketplace: str
    money: MoneyStyle
    zone: tzinfo
    levels: Sequence[Level] = ()
    marks: Sequence[EventMark] = ()  # of what the chart is about
    others: Sequence[EventMark] = ()  # further alerts of the product
    held: tuple[datetime, datetime] | None = None  # shaded: the time that an alert lasted
    is_labelled: bool = False  # the times of `marks` stand beside them, not on hover alone


def draw_value_chart(chart: ValueChart) -> dict[str, Any]:
    """Draw the chart. Its height is fixed."""
    divisor = _find_divisor(chart)
    line = chart.line.thin_points(MOST_POINTS).scale_values(divisor)
    levels = [Line(np.array([]), np.array([each.value / divisor])) for each in chart.levels]
    layout = chart_theme.plain_layout(HEIGHT, top=30) | {
        "separators": number_separators(),
        "xaxis": _time_axis(chart),
        "yaxis": _value_axis(chart, line, levels, divisor),
        "shapes": [*_level_shapes(chart, divisor), *_mark_shapes(chart), *_held_shapes(chart)],
        "annotations": [*_level_labels(chart, divisor), *_mark_labels(chart)],
        "dragmode": False,
    }
    traces = [
        _value_trace(chart, line, divisor),
        newest_dot(line, _find_color(chart), "y", chart.zone),
        _mark_trace(chart, line),
    ]
    return {"data": [each for each in traces if len(each["x"])], "layout": layout}


def _find_divisor(chart: ValueChart) -> int:
    if chart.subject in AMOUNTS:
        return chart.money.divisor
    return _DIVISORS.get(chart.subject, 1)


def _find_color(chart: ValueChart) -> str:
    return _COLORS.get(chart.subject, chart_theme.PRICE)


def _time_axis(chart: ValueChart) -> dict[str, Any]:
    ends = np.array([to_array_time(chart.since), to_array_time(chart.until)])
    return chart_theme.time_axis("y") | {
        "range": format_times(ends, chart.zone).tolist(),
        "nticks": 6,
        "fixedrange": True,
    }


def _value_axis(
    chart: ValueChart, line: Line, levels: Sequence[Line], divisor: int
) -> dict[str, Any]:
    if chart.subject is Subject.RANK:
        limits = axes.rank_range(line, *levels)
        if limits is None:
            return chart_theme.plain_axis(visible=False)
        ticks = axes.rank_ticks(limits[1], limits[0])
        return chart_theme.plain_axis(
            type="log",
            range=[float(np.log10(each)) for each in limits],
            tickvals=ticks,
            ticktext=[format_rank(each) for each in ticks],
        )
    limits = axes.value_range(line, *levels)
    if limits is None:
        return chart_theme.plain_axis(visible=False)
    ticks = axes.amount_ticks(*limits, divisor, most=4)
    if chart.subject in AMOUNTS:
        texts = tick_texts(ticks, chart.money, chart.marketplace)
    else:
        texts = [format_value(chart.subject, each, chart.marketplace) for each in ticks]
    return chart_theme.plain_axis(
        range=list(limits), tickvals=[each / divisor for each in ticks], ticktext=texts
    )


def _value_trace(chart: ValueChart, line: Line, divisor: int) -> dict[str, Any]:
    drawn = series.with_hover_points(line)
    texts = _format_values(chart, drawn, divisor)
    return step_trace(drawn, "value", _find_color(chart), chart.zone) | {
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }


def _format_values(chart: ValueChart, line: Line, divisor: int) -> list[str]:
    """Return each value as everywhere else; empty in a gap."""
    texts: Mapping[float, str] = {
        value: format_value(chart.subject, round(value * divisor), chart.marketplace)
        for value in set(line.values[~np.isnan(line.values)].tolist())
    }
    return [texts.get(value, "") for value in line.values.tolist()]


# Levels and marks


def _level_shapes(chart: ValueChart, divisor: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "line",
            "xref": "paper",
            "yref": "y",
            "x0": 0,
            "x1": 1,
            "y0": level.value / divisor,
            "y1": level.value / divisor,
            "line": {"color": chart_theme.NEUTRAL, "width": 1, "dash": "dot"},
        }
        for level in chart.levels
    ]


def _level_labels(chart: ValueChart, divisor: int) -> list[dict[str, Any]]:
    found = []
    for level in chart.levels:
        value = level.value / divisor
        found.append(
            {
                "xref": "paper",
                "yref": "y",
                "x": 0,
                "y": float(np.log10(value)) if chart.subject is Subject.RANK else value,
                "xanchor": "left",
                "yanchor": "bottom",
                "text": chart_theme.escape_for_plotly(capitalize(level.text)),
                "showarrow": False,
                "font": {"size": 12, "color": chart_theme.TEXT},
                "bgcolor": f"{chart_theme.GROUND}b8",
                "borderpad": 1,
            }
        )
    return found


def _write(at: datetime, chart: ValueChart) -> str:
    return str(format_times(np.array([to_array_time(at)]), chart.zone)[0])


def _mark_shapes(chart: ValueChart) -> list[dict[str, Any]]:
    if not chart.is_labelled:
        return []
    return [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": _write(mark.at, chart),
            "x1": _write(mark.at, chart),
            "y0": 0,
            "y1": 1,
            "line": {"color": chart_theme.WORSE, "width": 1.5, "dash": "dash"},
        }
        for mark in chart.marks
    ]


def _mark_labels(chart: ValueChart) -> list[dict[str, Any]]:
    if not chart.is_labelled:
        return []
    middle = chart.since + (chart.until - chart.since) / 2
    return [
        {
            "xref": "x",
            "yref": "paper",
            "x": _write(mark.at, chart),
            "y": 1,
            "xanchor": "left" if mark.at < middle else "right",
            "yanchor": "bottom",
            "text": f"Alert {format_moment(mark.at, str(chart.zone))}",
            "showarrow": False,
            "font": {"size": 12, "color": chart_theme.WORSE},
        }
        for mark in chart.marks
    ]


def _held_shapes(chart: ValueChart) -> list[dict[str, Any]]:
    if chart.held is None:
        return []
    start, end = (min(max(each, chart.since), chart.until) for each in chart.held)
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": _write(start, chart),
            "x1": _write(end, chart),
            "y0": 0,
            "y1": 1,
            "fillcolor": chart_theme.WORSE + "1f",
            "line": {"width": 0},
            "layer": "below",
        }
    ]


def _mark_trace(chart: ValueChart, line: Line) -> dict[str, Any]:
    """Return a circle with its letter on the line for each mark."""
    marks = sorted([*chart.marks, *chart.others], key=lambda each: each.at)
    inside = [each for each in marks if chart.since <= each.at <= chart.until]
    times = np.array([to_array_time(each.at) for each in inside], dtype="M8[us]")
    # An opening is the whole second in which its observation lies.
    places = np.searchsorted(line.times, times + np.timedelta64(1, "s"), side="left") - 1
    known = places >= 0
    values = np.full(len(times), np.nan)
    values[known] = line.values[places[known]]
    shown = ~np.isnan(values)
    groups = [[each] for each, is_shown in zip(inside, shown, strict=True) if is_shown]
    return {
        "type": "scatter",
        "x": format_times(times[shown], chart.zone),
        "y": values[shown],
        **style_circles(groups, chart.zone),
    }


def describe_value_chart(chart: ValueChart, name: str) -> str:
    """Return what the chart shows, as sentences. `name`: of the value."""
    span = axes.find_span(chart.line)
    if span is None:
        return f"No value is known: {name}."
    low, high = (
        format_value(chart.subject, round(each), chart.marketplace)
        for each in (span.low, span.high)
    )
    text = (
        f"{capitalize(name)}: always {low}."
        if low == high
        else (f"{capitalize(name)} between {low} and {high}.")
    )
    levels = [f"{capitalize(each.text)}." for each in chart.levels]
    return " ".join([text, *levels])
