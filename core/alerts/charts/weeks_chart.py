"""Draws how many alerts a rule would have opened by week. A figure is plotly's dict."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

import numpy as np

from core import chart_theme
from core.history.chart.traces import format_times, number_separators
from core.history.timeline.timeline import to_array_time
from core.text.numbers import format_counted

HEIGHT: Final = 150  # px
_WEEK: Final = timedelta(days=7)


def draw_weeks(
    per_week: Sequence[int],
    since: datetime,
    until: datetime,
    zone: tzinfo,
    at_most: float | None = None,
) -> dict[str, Any]:
    """Draw a bar for each week from `since` on, and a line at the wanted most per week."""
    begins = [since + number * _WEEK for number in range(len(per_week))]
    middles = [each + min(_WEEK, until - each) / 2 for each in begins]
    times = format_times(np.array([to_array_time(each) for each in middles]), zone)
    most = max([*per_week, at_most or 0, 1])
    trace = {
        "type": "bar",
        "x": times,
        "y": list(per_week),
        "width": [0.8 * min(_WEEK, until - each) / timedelta(milliseconds=1) for each in begins],
        "text": [format_counted(number, "alert") for number in per_week],
        "textposition": "none",
        "marker": {"color": chart_theme.NEUTRAL},
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }
    ends = format_times(np.array([to_array_time(since), to_array_time(until)]), zone).tolist()
    layout = chart_theme.plain_layout(HEIGHT, top=12) | {
        "separators": number_separators(),
        "xaxis": chart_theme.time_axis("y")
        | {"range": ends, "nticks": 6, "fixedrange": True, "hoverformat": "%-d %b %Y"},
        "yaxis": chart_theme.plain_axis(
            range=[0, most * 1.15], nticks=4, tickformat=",d", rangemode="tozero"
        ),
        "shapes": [] if at_most is None else [_limit_shape(at_most)],
    }
    return {"data": [trace], "layout": layout}


def _limit_shape(at_most: float) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "yref": "y",
        "x0": 0,
        "x1": 1,
        "y0": at_most,
        "y1": at_most,
        "line": {"color": chart_theme.TEXT, "width": 1.2, "dash": "dash"},
    }


def describe_weeks(per_week: Sequence[int]) -> str:
    """Return what the bars show, as a sentence."""
    return (
        f"Alerts by week, oldest first: {', '.join(map(str, per_week))}. "
        f"{format_counted(sum(per_week), 'alert')} in all."
    )
