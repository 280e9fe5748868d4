"""The range strip: the price of all time, with the chosen range framed."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import numpy as np

from core import chart_theme
from core.history.chart.traces import format_times
from core.history.timeline import axes
from core.history.timeline.series import Line
from core.history.timeline.timeline import Stretch, to_array_time

HEIGHT: Final = 78  # px
MOST_POINTS: Final = 320


def draw_strip(
    line: Line, color: str, whole: tuple[datetime, datetime], chosen: tuple[datetime, datetime]
) -> dict[str, Any]:
    """Draw a line of days over the whole history; `chosen` is left bright and framed."""
    first, last = (to_array_time(at) for at in whole)
    start, end = (np.clip(to_array_time(at), first, last) for at in chosen)
    line = line.thin_points(MOST_POINTS)
    limits = axes.value_range(line) or (0.0, 1.0)
    trace = {
        "type": "scatter",
        # Only markers can be selected, so each point has an unseen one.
        "mode": "lines+markers",
        "x": format_times(line.times, UTC),
        "y": line.values.astype(np.float32),
        "line": {"shape": "hv", "color": color, "width": 1.2},
        "marker": {"size": 1, "opacity": 0},
        "connectgaps": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }
    layout = chart_theme.base_layout(HEIGHT) | {
        "margin": {"l": 8, "r": 8, "t": 2, "b": 22, "autoexpand": False},
        "showlegend": False,
        "hovermode": False,
        "dragmode": "select",
        "selectdirection": "h",
        "newselection": {"line": {"color": chart_theme.NEUTRAL, "width": 1}},
        "xaxis": {
            "type": "date",
            "range": _written([first, last], UTC),
            "showgrid": False,
            "zeroline": False,
            "nticks": 7,
            "tickfont": {"size": chart_theme.TEXT_SIZE, "color": chart_theme.TEXT},
            "tickformatstops": chart_theme.SHORT_DATES[2:],
            "tickformat": "%-d %b %Y",
            "fixedrange": True,
        },
        "yaxis": {
            "range": list(limits),
            "visible": False,
            "fixedrange": True,
        },
        "shapes": [*_shades([(first, start), (end, last)]), _frame((start, end))],
    }
    return {"data": [trace], "layout": layout}


def _written(times: Sequence[np.datetime64], zone: tzinfo) -> list[str]:
    written: list[str] = format_times(np.array(times), zone).tolist()
    return written


def _shades(stretches: Sequence[Stretch]) -> list[dict[str, Any]]:
    return [
        _rectangle(each) | {"fillcolor": f"{chart_theme.NEUTRAL}2e", "line": {"width": 0}}
        for each in stretches
        if each[1] > each[0]
    ]


def _frame(stretch: Stretch) -> dict[str, Any]:
    return _rectangle(stretch) | {"line": {"color": chart_theme.NEUTRAL, "width": 1}}


def _rectangle(stretch: Stretch) -> dict[str, Any]:
    start, end = _written(list(stretch), UTC)
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": start,
        "x1": end,
        "y0": 0,
        "y1": 1,
    }


def make_strip_line(prices: Line, ranks: Line) -> tuple[Line, str]:
    """Return what the strip shows and its colour: the price, else the rank with 1 on top."""
    if not prices.is_empty or ranks.is_empty:
        return prices, chart_theme.PRICE
    return Line(ranks.times, -np.log(ranks.values)), chart_theme.RANK
