"""Plotly dicts of lines: steps, dots, hollow marks, areas. Times are written to the minute."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import chart_theme
from core.catalog.money import format_price
from core.chart_theme import MoneyStyle
from core.history.timeline import axes, series
from core.history.timeline.series import Floats, Line, Times
from core.text.locale import localize_digits

Trace = dict[str, Any]
LineStyle = dict[str, Any] | None


def format_times(times: Times, zone: tzinfo) -> NDArray[np.str_]:
    """Return times as "2026-01-31T08:00": browsers show numeric times in the viewer's zone."""
    if zone is not UTC and len(times):
        times = times + _find_offsets(times, zone)
    return np.datetime_as_string(times, unit="m")


def _find_offsets(times: Times, zone: tzinfo) -> NDArray[np.timedelta64]:
    """Return how far a zone is from UTC at each time: ten times as fast as pandas for few times."""
    first, last = (int(at.astype("M8[Y]").astype(int)) + 1970 for at in (times.min(), times.max()))
    changes, offsets = _list_changes(zone, first, last)
    found: NDArray[np.timedelta64] = offsets[np.searchsorted(changes, times, side="right")]
    return found


@lru_cache(maxsize=256)
def _list_changes(zone: tzinfo, first: int, last: int) -> tuple[Times, NDArray[np.timedelta64]]:
    """Return when a zone's clocks change from one year to another, and the offsets around it."""
    at, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    changes: list[datetime] = []
    offsets = [_offset(at, zone)]
    while at < end:
        following = at + timedelta(days=1)
        if _offset(following, zone) != offsets[-1]:
            changes.append(_find_change(at, following, zone))
            offsets.append(_offset(following, zone))
        at = following
    plain = [each.replace(tzinfo=None) for each in changes]
    return np.array(plain, dtype="M8[us]"), np.array(offsets, dtype="m8[us]")


def _offset(at: datetime, zone: tzinfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _find_change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return the first minute between two times with the offset of the later one."""
    wanted = _offset(after, zone)
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) / 2
        middle = middle.replace(second=0, microsecond=0)
        if _offset(middle, zone) == wanted:
            after = middle
        else:
            before = middle
    return after


def number_separators() -> str:
    """Return the user's decimal and thousands mark, as plotly takes them."""
    written = localize_digits("1,2.3")
    return written[3] + written[1]


def step_trace(
    line: Line, name: str, color: str, zone: tzinfo, line_style: LineStyle = None, **more: Any
) -> Trace:
    """Return the trace of a line that holds each value until the next one.

    `line_style`: of its line, beside colour and shape. `more`: further properties.
    """
    line_style = {"shape": "hv", "color": color, "width": 2} | (line_style or {})
    trace = {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": format_times(line.times, zone),
        "y": line.values,
        "line": line_style,
        "connectgaps": False,
        "showlegend": not line.is_empty,
    }
    return trace | more


def amount_trace(
    line: Line,
    name: str,
    color: str,
    zone: tzinfo,
    money: MoneyStyle,
    marketplace: str,
    line_style: LineStyle = None,
) -> Trace:
    """Return the trace of amounts in minor units, written on hover as everywhere else."""
    line = series.with_hover_points(line.thin_points(series.MOST_AMOUNT_POINTS))
    trace = step_trace(line.scale_values(money.divisor), name, color, zone, line_style)
    return trace | amount_hover(line.values, name, money, marketplace)


def amount_hover(values: Floats, name: str, money: MoneyStyle, marketplace: str) -> Trace:
    """Return the hover of amounts in minor units: texts only where plotly's marks would differ."""
    if money.separators == number_separators():
        return {"hovertemplate": f"{money.hover}<extra>{name}</extra>"}
    distinct, places = np.unique(values, return_inverse=True)
    texts = ["" if np.isnan(value) else format_price(value, marketplace) for value in distinct]
    return {
        "text": [texts[place] for place in places],
        "hovertemplate": f"%{{text}}<extra>{name}</extra>",
    }


def hollow_trace(
    line: Line,
    limits: tuple[float, float] | None,
    name: str,
    color: str,
    zone: tzinfo,
    money: MoneyStyle,
    marketplace: str,
) -> Trace:
    """Return rings for flagged amounts; far ones at the lane's edge, with the value on hover."""
    drawn = axes.clamp_line(line.scale_values(money.divisor), limits)
    texts = [format_price(value, marketplace) for value in line.values.tolist()]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": format_times(line.times, zone),
        "y": drawn.values,
        "text": texts,
        "cliponaxis": False,
        "marker": {
            "symbol": "circle",
            "size": 8,
            "color": chart_theme.GROUND,
            "line": {"color": color, "width": 1.5},
        },
        "hovertemplate": f"%{{text}}<extra>{name}</extra>",
        "showlegend": len(line) > 0,
    }


def newest_dot(line: Line, color: str, axis: str, zone: tzinfo) -> Trace:
    """Return a dot at the newest value if it still holds: a one-point line is invisible."""
    stands = len(line) > 0 and not np.isnan(line.values[-1])
    newest = line.find_newest_point() if stands else Line.make_empty()
    return {
        "type": "scatter",
        "mode": "markers",
        "x": format_times(newest.times, zone),
        "y": newest.values,
        "yaxis": axis,
        "marker": {"size": 7, "color": color},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def area_trace(outline: Line, color: str, axis: str) -> Trace:
    """Return the area between each day's lowest and highest value."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": format_times(outline.times, UTC),
        "y": outline.values.astype(np.float32),
        "yaxis": axis,
        "line": {"width": 0, "color": color},
        "fill": "toself",
        "fillcolor": chart_theme.fade_color(color),
        "hoverinfo": "skip",
        "showlegend": False,
    }
