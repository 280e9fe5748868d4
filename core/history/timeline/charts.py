"""Histories → plotly figures. No arithmetic: `series` and `axes` shape, this draws.

A figure here is the dict that `go.Figure` takes: a page sends it as it is, and
plotly's checking, which costs four times as much as all the rest, is left to the
tests. Times are written in `zone`, to the minute.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import chart_theme
from core.chart_theme import MoneyStyle
from core.history.timeline import axes, event_marks, series
from core.history.timeline.series import Codes, History, Line
from core.text.escaping import shorten
from core.text.locale import digits
from core.text.numbers import format_count, format_rank

Trace = dict[str, Any]
Figure = dict[str, Any]  # {"data": [trace, …], "layout": {…}}

EventMark = event_marks.EventMark  # what a caller marks a chart with

HEIGHT = 460  # px: both panels above the fold of a laptop
SMALL_HEIGHT = 300
UPPER, BETWEEN, LOWER = (0.47, 1.0), (0.39, 0.47), (0.0, 0.39)  # the panels' shares of height
_DAY = "%a %-d %b %Y"
LONGEST_CATEGORY = 30  # letters; a legend on a phone cuts what is longer without a word


def price_and_rank(
    history: History,
    money: MoneyStyle,
    *,
    events: Sequence[EventMark] = (),
    categories: Mapping[int, str] | None = None,
    zone: tzinfo = UTC,
    until: datetime | None = None,
) -> Figure:
    """Draw price over rank on one time axis.

    `categories` names the categories of `bsr_category`. Doubtful values are
    hollow, stock-outs shaded, events marked by a neutral line. `until`: the end of
    the period, None where the last look ends it.
    """
    price = series.line_of(history, series.PRICE, divisor=money.divisor)
    list_price = series.line_of(history, series.LIST_PRICE, divisor=money.divisor)
    doubtful = series.doubtful_points(history, series.PRICE, divisor=money.divisor)
    rank = series.rank_line(history)
    limits = axes.value_range(price, list_price)
    traces = [
        _list_price(list_price, money, zone),
        _price(price, money, zone),
        _hollow(doubtful, limits, "Doubtful price", money.hover, chart_theme.PRICE, zone),
        _newest(price, chart_theme.PRICE, "y", zone),
        _rank(rank, rank_name(history.columns["bsr_category"], categories or {}), zone),
        _newest(rank, chart_theme.RANK, "y2", zone),
    ]
    layout = _two_panels(money, rank)
    layout["yaxis"] |= {"range": list(limits), **money.ticks(*limits)} if limits else {}
    shown = axes.shown(history.times, until)
    layout["xaxis"] |= _range(shown, zone)
    if limits is None and not len(doubtful):
        _say_empty(layout, "yaxis", "No price is known in this period")
    if rank.is_empty:
        _say_empty(layout, "yaxis2", "No rank is known in this period")
    marks = [_shade(start, end, zone) for start, end in series.stock_outs(history)]
    return _figure(traces, layout, marks, event_marks.inside(events, shown), zone)


def rating_and_count(
    history: History, *, zone: tzinfo = UTC, until: datetime | None = None
) -> Figure:
    """Draw the rating over the number of ratings; `until` as for the price."""
    rating = series.line_of(history, series.RATING, divisor=10)
    count = series.count_line(history)
    doubtful = series.doubtful_points(history, series.RATINGS_COUNT)
    hollow = _hollow(
        doubtful,
        axes.value_range(count),
        "Doubtful count",
        "%{y:,.0f}",
        chart_theme.LIST_PRICE,
        zone,
    )
    layout = _rating_panels(rating, count, is_counted=len(doubtful) > 0 or not count.is_empty)
    layout["xaxis"] |= _range(axes.shown(history.times, until), zone)
    traces = [*_rating_lines(rating, count, zone), hollow | {"yaxis": "y2"}]
    return _figure(traces, layout, [], (), zone)


def days_rating_and_count(daily: pd.DataFrame, *, until: date | None = None) -> Figure:
    """Draw each day's rating over its number of ratings.

    Columns: day (date or datetime64, ascending), rating (tenths), ratings_count.
    NaN: unknown. `until`: the period's last day, None where the last one known ends it.
    """
    rating = series.daily_line(daily, "rating", divisor=10)
    count = series.daily_line(daily, "ratings_count")
    count = Line(*series.thin_rank(count.times, count.values, series.MOST_COUNT_POINTS))
    layout = _rating_panels(rating, count, is_counted=not count.is_empty)
    layout["xaxis"] |= {"hoverformat": _DAY, **_range(_shown_days(daily, until), UTC)}
    return _figure(_rating_lines(rating, count, UTC), layout, [], (), UTC)


def _rating_lines(rating: Line, count: Line, zone: tzinfo) -> list[Trace]:
    return [
        _steps(rating, "Rating", "%{y:.1f} ★", chart_theme.RATING, zone),
        _newest(rating, chart_theme.RATING, "y", zone),
        _steps(count, "Ratings", "%{y:,.0f}", chart_theme.LIST_PRICE, zone) | {"yaxis": "y2"},
    ]


def days_price_and_rank(
    daily: pd.DataFrame,
    money: MoneyStyle,
    *,
    events: Sequence[EventMark] = (),
    categories: Mapping[int, str] | None = None,
    until: date | None = None,
) -> Figure:
    """Draw days instead of moments: close, and the band between a day's extremes.

    Columns: those of `queries.daily_history`. Whole days out of stock are shaded; what
    the gate doubted is no part of a day.
    """
    price = series.daily_line(daily, "price_close", divisor=money.divisor)
    list_price = series.daily_line(daily, "list_price", divisor=money.divisor)
    rank = series.daily_line(daily, "bsr_close")
    rank = Line(*series.thin_rank(rank.times, rank.values))
    around_price = series.daily_band(daily, "price_low", "price_high", divisor=money.divisor)
    traces = [
        _list_price(list_price, money, UTC),
        _area(around_price, chart_theme.PRICE, "y"),
        _price(price, money, UTC),
        _area(series.daily_band(daily, "bsr_best", "bsr_worst"), chart_theme.RANK, "y2"),
        _rank(rank, rank_name(daily["bsr_category"].to_numpy(), categories or {}), UTC),
    ]
    layout = _two_panels(money, rank)
    shown = _shown_days(daily, until)
    layout["xaxis"] |= {"hoverformat": _DAY, **_range(shown, UTC)}
    if price.is_empty and list_price.is_empty:
        _say_empty(layout, "yaxis", "No price is known in this period")
    if rank.is_empty:
        _say_empty(layout, "yaxis2", "No rank is known in this period")
    shades = [_shade(start, end, UTC) for start, end in series.days_out_of_stock(daily)]
    return _figure(traces, layout, shades, event_marks.inside(events, shown), UTC)


def rank_name(known: Codes, categories: Mapping[int, str]) -> str:
    """Return the rank's name with its newest category, where that is known, as plotly shows it."""
    named = known[known >= 0][-1:]
    category = categories.get(int(named[0])) if len(named) else None
    if not category:
        return "Best Sellers Rank"
    return f"Rank in {chart_theme.escaped(shorten(category, LONGEST_CATEGORY))}"


def alt_text(history: History, money: MoneyStyle) -> str:
    """Return what the price and rank chart shows, for those who can't see it."""
    price = axes.span_of(series.line_of(history, series.PRICE, divisor=money.divisor))
    rank = axes.span_of(series.line_of(history, series.RANK))
    return f"{_price_sentence(price, money)} {_rank_sentence(rank)}"


def days_alt_text(daily: pd.DataFrame, money: MoneyStyle) -> str:
    """Return the same for the chart of days."""
    price = axes.span_of(series.daily_line(daily, "price_close", divisor=money.divisor))
    rank = axes.span_of(series.daily_line(daily, "bsr_close"))
    return f"By day. {_price_sentence(price, money)} {_rank_sentence(rank)}"


def _price_sentence(span: axes.Span | None, money: MoneyStyle) -> str:
    if span is None:
        return "No price is known in this period."
    first, last, low, high = (
        f"{money.prefix}{digits(f'{amount:,.{money.decimals}f}')}{money.suffix}"
        for amount in (span.first, span.last, span.low, span.high)
    )
    return f"Price from {first} to {last}, between {low} and {high}."


def _rank_sentence(span: axes.Span | None) -> str:
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
    """A line that holds each value until the next one."""
    line = series.reachable(line)
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
    # Ranks are whole and far below 2^24: half the bytes, nothing lost.
    return trace | {"yaxis": "y2", "y": trace["y"].astype(np.float32)}


def _hollow(
    line: Line,
    limits: tuple[float, float] | None,
    name: str,
    hover: str,
    color: str,
    zone: tzinfo,
) -> Trace:
    """Rings for values that can't be right; far ones at the panel's edge, told in full."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": _x(line, zone),
        "y": axes.kept_within(line, limits).values,
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


def _newest(line: Line, color: str, axis: str, zone: tzinfo) -> Trace:
    """A dot at the newest value, while it stands: a line of one point would show nothing."""
    stands = len(line) > 0 and not np.isnan(line.values[-1])
    newest = line.newest() if stands else Line(line.times[:0], line.values[:0])
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
    """The area between a day's lowest and highest value."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _x(outline, UTC),
        "y": outline.values.astype(np.float32),
        "yaxis": axis,
        "line": {"width": 0, "color": color},
        "fill": "toself",
        "fillcolor": chart_theme.faint(color),
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
        _say_empty(layout, "yaxis", "No rating is known in this period")
    if not is_counted:
        _say_empty(layout, "yaxis2", "No number of ratings is known in this period")
    return layout


def _say_empty(layout: dict[str, Any], axis: str, sentence: str) -> None:
    """Put a sentence into a panel that has nothing to draw, instead of an invented scale."""
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


def _range(shown: axes.Shown | None, zone: tzinfo) -> dict[str, Any]:
    """The part of the time axis to show, without room beside; plotly's own choice for None."""
    return {} if shown is None else {"range": _written(np.array(shown), zone).tolist()}


def _shown_days(daily: pd.DataFrame, until: date | None) -> axes.Shown | None:
    end = None if until is None else datetime.combine(until, time.min, UTC)
    return axes.shown(daily["day"].to_numpy(dtype="datetime64[us]"), end)


def _figure(
    traces: list[Trace],
    layout: dict[str, Any],
    marks: list[dict[str, Any]],
    events: Sequence[EventMark],
    zone: tzinfo,
) -> Figure:
    layout["shapes"] = marks + [event_marks.line(each, zone) for each in events]
    if events:
        layout["yaxis3"] = {"domain": list(BETWEEN), "visible": False, "fixedrange": True}
        traces = traces + event_marks.signs(events, zone)
    drawn = [trace for trace in traces if len(trace["x"])]
    return {"data": drawn, "layout": layout}


def _shade(start: np.datetime64, end: np.datetime64, zone: tzinfo) -> dict[str, Any]:
    """A strip over the price panel while the product could not be bought."""
    x0, x1 = _written(np.array([start, end]), zone).tolist()
    return {
        "type": "rect",
        "xref": "x",
        "yref": "y domain",
        "x0": x0,
        "x1": x1,
        "y0": 0,
        "y1": 1,
        "fillcolor": chart_theme.faint(chart_theme.NEUTRAL),
        "line": {"width": 0},
        "layer": "below",
    }


def _x(line: Line, zone: tzinfo) -> NDArray[np.str_]:
    return _written(line.times, zone)


def _written(times: series.Times, zone: tzinfo) -> NDArray[np.str_]:
    """Return times as "2026-01-31T08:00": numbers would be read in the viewer's own zone."""
    if zone is not UTC and len(times):
        local = pd.DatetimeIndex(times).tz_localize(UTC).tz_convert(zone)
        times = local.tz_localize(None).to_numpy()
    return np.datetime_as_string(times, unit="m")
