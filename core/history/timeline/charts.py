"""Draws timelines as plotly figures. No arithmetic: `series` and `axes` do it.

A figure is the dict that `go.Figure` takes. Pages send it as it is; only tests run plotly's
validation, which takes four times as long as all the rest. Times are written in `zone`, to
the minute.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import chart_theme
from core.chart_theme import MoneyStyle
from core.history.timeline import axes, event_marks, series
from core.history.timeline.series import Line
from core.history.timeline.timeline import Timeline
from core.text.escaping import shorten
from core.text.locale import localize_digits
from core.text.numbers import format_count, format_rank

Trace = dict[str, Any]
Figure = dict[str, Any]  # {"data": [trace, …], "layout": {…}}

EventMark = event_marks.EventMark  # for callers

HEIGHT = 460  # px: both panels above the fold of a laptop
SMALL_HEIGHT = 300
UPPER, BETWEEN, LOWER = (0.47, 1.0), (0.39, 0.47), (0.0, 0.39)  # the panels' shares of height
_DAY = "%a %-d %b %Y"
LONGEST_CATEGORY = 30  # letters; a phone cuts longer legends without an ellipsis


def price_and_rank(
    timeline: Timeline,
    money: MoneyStyle,
    *,
    events: Sequence[EventMark] = (),
    categories: Mapping[int, str] | None = None,
    zone: tzinfo = UTC,
) -> Figure:
    """Draw price over rank on one time axis.

    `categories`: names by id. Flagged values are hollow, stock-outs shaded, events marked by
    a neutral line, the extremes of days drawn as an area.
    """
    zone = _zone_of(timeline, zone)
    price = timeline.get_line(series.PRICE).scale_values(money.divisor)
    list_price = timeline.get_line(series.LIST_PRICE).scale_values(money.divisor)
    price_band = timeline.get_band(series.PRICE).scale_values(money.divisor)
    flagged = timeline.get_flagged_points(series.PRICE).scale_values(money.divisor)
    rank = timeline.get_line(series.RANK).thin_points(series.MOST_RANK_POINTS)
    limits = axes.value_range(price, list_price, price_band)
    traces = [
        _list_price(list_price, money, zone),
        _area(price_band, chart_theme.PRICE, "y"),
        _price(price, money, zone),
        _hollow(flagged, limits, "Flagged price", money.hover, chart_theme.PRICE, zone),
        _newest(price, timeline, chart_theme.PRICE, "y", zone),
        _area(timeline.get_band(series.RANK), chart_theme.RANK, "y2"),
        _rank(rank, rank_name(timeline.find_newest_category(), categories or {}), zone),
        _newest(rank, timeline, chart_theme.RANK, "y2", zone),
    ]
    layout = _two_panels(money, rank)
    layout["yaxis"] |= {"range": list(limits), **money.ticks(*limits)} if limits else {}
    shown = axes.shown_range(timeline.times, timeline.axis_end)
    layout["xaxis"] |= _time_range(timeline, shown, zone)
    if limits is None and not len(flagged):
        _write_empty(layout, "yaxis", "No price is known in this period")
    if rank.is_empty:
        _write_empty(layout, "yaxis2", "No rank is known in this period")
    marks = [_shade(start, end, zone) for start, end in timeline.find_stock_outs()]
    return _figure(traces, layout, marks, event_marks.events_within(events, shown), zone)


def rating_and_count(timeline: Timeline, *, zone: tzinfo = UTC) -> Figure:
    """Draw the rating over the number of ratings."""
    zone = _zone_of(timeline, zone)
    rating = timeline.get_line(series.RATING).scale_values(10)
    count = timeline.get_line(series.RATINGS_COUNT).thin_points(series.MOST_COUNT_POINTS)
    flagged = timeline.get_flagged_points(series.RATINGS_COUNT)
    limits, color = axes.value_range(count), chart_theme.LIST_PRICE
    hollow = _hollow(flagged, limits, "Flagged count", "%{y:,.0f}", color, zone)
    layout = _rating_panels(rating, count, is_counted=len(flagged) > 0 or not count.is_empty)
    shown = axes.shown_range(timeline.times, timeline.axis_end)
    layout["xaxis"] |= _time_range(timeline, shown, zone)
    traces = [
        _steps(rating, "Rating", "%{y:.1f} ★", chart_theme.RATING, zone),
        _newest_dot(rating, chart_theme.RATING, "y", zone),
        _steps(count, "Ratings", "%{y:,.0f}", chart_theme.LIST_PRICE, zone) | {"yaxis": "y2"},
        hollow | {"yaxis": "y2"},
    ]
    return _figure(traces, layout, [], (), zone)


def _zone_of(timeline: Timeline, zone: tzinfo) -> tzinfo:
    """Return the zone to write times in; days are written in UTC, without conversion."""
    return UTC if timeline.is_by_day else zone


def rank_name(newest: int | None, categories: Mapping[int, str]) -> str:
    """Return the rank's legend with its newest category if known, escaped for plotly."""
    category = None if newest is None else categories.get(newest)
    if not category:
        return "Best Sellers Rank"
    return f"Rank in {chart_theme.escape_for_plotly(shorten(category, LONGEST_CATEGORY))}"


def alt_text(timeline: Timeline, money: MoneyStyle) -> str:
    """Return a text alternative of the price and rank chart."""
    price = axes.find_span(timeline.get_line(series.PRICE).scale_values(money.divisor))
    rank = axes.find_span(timeline.get_line(series.RANK))
    opening = "By day. " if timeline.is_by_day else ""
    return f"{opening}{_price_sentence(price, money)} {_rank_sentence(rank)}"


def _price_sentence(span: axes.LineSpan | None, money: MoneyStyle) -> str:
    if span is None:
        return "No price is known in this period."
    first, last, low, high = (
        f"{money.prefix}{localize_digits(f'{amount:,.{money.decimals}f}')}{money.suffix}"
        for amount in (span.first, span.last, span.low, span.high)
    )
    return f"Price from {first} to {last}, between {low} and {high}."


def _rank_sentence(span: axes.LineSpan | None) -> str:
    if span is None:
        return "No rank is known in this period."
    verb = "improves" if span.last < span.first else "worsens"
    how = "stays" if span.last == span.first else f"{verb} from {format_count(span.first)}"
    return (
        f"Rank {how} at {format_count(span.last)}."
        if how == "stays"
        else (f"Rank {how} to {format_count(span.last)}, best {format_count(span.low)}.")
    )


# Traces


def _steps(line: Line, name: str, hover: str, color: str, zone: tzinfo) -> Trace:
    """Return the trace of a line that holds each value until the next one."""
    line = series.with_hover_points(line)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": _x(line, zone),
        "y": line.values,
        "line": {"shape": "hv", "color": color, "width": 2},
        "hovertemplate": f"{hover}<extra>{name}</extra>",
        "connectgaps": False,
        "showlegend": not line.is_empty,
    }


def _price(line: Line, money: MoneyStyle, zone: tzinfo) -> Trace:
    return _steps(line, "Price", money.hover, chart_theme.PRICE, zone)


def _list_price(line: Line, money: MoneyStyle, zone: tzinfo) -> Trace:
    trace = _steps(line, "List price", money.hover, chart_theme.LIST_PRICE, zone)
    trace["line"] |= {"dash": "dot", "width": 1.5}
    return trace


def _rank(line: Line, name: str, zone: tzinfo) -> Trace:
    trace = _steps(line, name, "#%{y:,.0f}", chart_theme.RANK, zone)
    trace["line"] |= {"width": 1.5}
    # Ranks are integers far below 2^24: half the bytes, still exact.
    return trace | {"yaxis": "y2", "y": trace["y"].astype(np.float32)}


def _hollow(
    line: Line,
    limits: tuple[float, float] | None,
    name: str,
    hover: str,
    color: str,
    zone: tzinfo,
) -> Trace:
    """Return rings for flagged values; far ones at the panel's edge, with the value on hover."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": _x(line, zone),
        "y": axes.clamp_line(line, limits).values,
        "customdata": line.values,
        "cliponaxis": False,
        "marker": {
            "symbol": "circle",
            "size": 8,
            "color": chart_theme.GROUND,
            "line": {"color": color, "width": 1.5},
        },
        "hovertemplate": f"{hover.replace('%{y', '%{customdata')}<extra>{name}</extra>",
        "showlegend": len(line) > 0,
    }


def _newest(line: Line, timeline: Timeline, color: str, axis: str, zone: tzinfo) -> Trace:
    """Return a dot at the newest value; by day none, because the area is visible alone."""
    return _newest_dot(Line.make_empty() if timeline.is_by_day else line, color, axis, zone)


def _newest_dot(line: Line, color: str, axis: str, zone: tzinfo) -> Trace:
    """Return a dot at the newest value if it still holds: a one-point line is invisible."""
    stands = len(line) > 0 and not np.isnan(line.values[-1])
    newest = line.find_newest_point() if stands else Line(line.times[:0], line.values[:0])
    return {
        "type": "scatter",
        "mode": "markers",
        "x": _x(newest, zone),
        "y": newest.values,
        "yaxis": axis,
        "marker": {"size": 7, "color": color},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _area(outline: Line, color: str, axis: str) -> Trace:
    """Return the area between each day's lowest and highest value."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _x(outline, UTC),
        "y": outline.values.astype(np.float32),
        "yaxis": axis,
        "line": {"width": 0, "color": color},
        "fill": "toself",
        "fillcolor": chart_theme.fade_color(color),
        "hoverinfo": "skip",
        "showlegend": False,
    }


# Frame


def _two_panels(money: MoneyStyle, rank: Line) -> dict[str, Any]:
    ticks = axes.rank_ticks(rank)
    rank_axis = {
        "type": "log",
        "autorange": "reversed",
        "tickvals": ticks,
        "ticktext": [format_rank(tick) for tick in ticks],
    }
    return chart_theme.base_layout(HEIGHT, money.separators) | {
        "xaxis": chart_theme.time_axis("y2"),
        "yaxis": chart_theme.value_axis(UPPER, nticks=6, **money.axis),
        "yaxis2": chart_theme.value_axis(LOWER, **rank_axis),
    }


def _rating_panels(rating: Line, count: Line, *, is_counted: bool) -> dict[str, Any]:
    limits = axes.value_range(count)
    layout = chart_theme.base_layout(SMALL_HEIGHT) | {
        "xaxis": chart_theme.time_axis("y2"),
        "yaxis": chart_theme.value_axis(
            UPPER, tickformat=".1f", dtick=0.5, range=list(axes.rating_range(rating))
        ),
        "yaxis2": chart_theme.value_axis(LOWER, tickformat=",~f", nticks=4),
    }
    layout["yaxis2"] |= {"range": list(limits)} if limits else {}
    if rating.is_empty:
        _write_empty(layout, "yaxis", "No rating is known in this period")
    if not is_counted:
        _write_empty(layout, "yaxis2", "No number of ratings is known in this period")
    return layout


def _write_empty(layout: dict[str, Any], axis: str, sentence: str) -> None:
    """Write a sentence into a panel without data, in place of an invented scale."""
    low, high = layout[axis]["domain"]
    layout[axis] |= {"showticklabels": False, "showgrid": False}
    layout.setdefault("annotations", []).append(
        {
            "text": sentence,
            "xref": "paper",
            "yref": "paper",
            "x": 0.5,
            "y": (low + high) / 2,
            "showarrow": False,
            "font": {"size": 12, "color": chart_theme.NEUTRAL},
        }
    )


def _time_range(timeline: Timeline, shown: axes.Shown | None, zone: tzinfo) -> dict[str, Any]:
    """Return the time axis's settings; `shown` None: plotly chooses the range."""
    by_day = {"hoverformat": _DAY} if timeline.is_by_day else {}
    return (
        by_day
        if shown is None
        else by_day | {"range": _format_times(np.array(shown), zone).tolist()}
    )


def _figure(
    traces: list[Trace],
    layout: dict[str, Any],
    marks: list[dict[str, Any]],
    events: Sequence[EventMark],
    zone: tzinfo,
) -> Figure:
    layout["shapes"] = marks + [event_marks.event_line(each, zone) for each in events]
    if events:
        layout["yaxis3"] = {"domain": list(BETWEEN), "visible": False, "fixedrange": True}
        traces = traces + event_marks.event_markers(events, zone)
    drawn = [trace for trace in traces if len(trace["x"])]
    return {"data": drawn, "layout": layout}


def _shade(start: np.datetime64, end: np.datetime64, zone: tzinfo) -> dict[str, Any]:
    """Return a strip over the price panel for a time when the product could not be bought."""
    x0, x1 = _format_times(np.array([start, end]), zone).tolist()
    return {
        "type": "rect",
        "xref": "x",
        "yref": "y domain",
        "x0": x0,
        "x1": x1,
        "y0": 0,
        "y1": 1,
        "fillcolor": chart_theme.fade_color(chart_theme.NEUTRAL),
        "line": {"width": 0},
        "layer": "below",
    }


def _x(line: Line, zone: tzinfo) -> NDArray[np.str_]:
    return _format_times(line.times, zone)


def _format_times(times: series.Times, zone: tzinfo) -> NDArray[np.str_]:
    """Return times as "2026-01-31T08:00": browsers show numeric times in the viewer's zone."""
    if zone is not UTC and len(times):
        local = pd.DatetimeIndex(times).tz_localize(UTC).tz_convert(zone)
        times = local.tz_localize(None).to_numpy()
    return np.datetime_as_string(times, unit="m")
