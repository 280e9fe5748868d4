"""Events of a chart: letters in circles, in a lane of their own or on a line, and their texts.

All charts of a product's values over time mark its events so.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final

import numpy as np

from core import chart_theme
from core.history.chart.content import EventMark
from core.history.chart.lanes import Lane
from core.history.chart.traces import Trace, format_times
from core.history.timeline.timeline import Stretch, to_array_time
from core.text.times import format_moment

_CELLS: Final = 60  # events nearer than one of so many share a circle
_MOST_LINES: Final = 6
_LONGEST_LINE: Final = 90


def event_trace(events: Sequence[EventMark], shown: Stretch, zone: tzinfo) -> Trace:
    """Return the circles of the events in the shown time; a circle of several has their number."""
    groups = group_events(events, shown)
    times = np.array([to_array_time(group[0].at) for group in groups], dtype="M8[us]")
    return {
        "type": "scatter",
        "name": "Events",
        "x": format_times(times, zone),
        "y": [0.5] * len(groups),
        "xaxis": "x2",
        "yaxis": Lane.EVENTS.value,
        **style_circles(groups, zone),
        "cliponaxis": False,  # one of the newest day is drawn whole
    }


def style_circles(groups: Sequence[Sequence[EventMark]], zone: tzinfo) -> Trace:
    """Return how circles of groups of events look, and what they show on hover."""
    return {
        "mode": "markers+text",
        "text": [find_sign(group) for group in groups],
        "textfont": {"size": 10, "color": chart_theme.GROUND},
        "marker": {"size": 17, "color": chart_theme.NEUTRAL},
        "customdata": [
            "<br>".join(map(chart_theme.escape_for_plotly, list_event_lines(group, zone)))
            for group in groups
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
        "showlegend": False,
    }


def group_events(events: Sequence[EventMark], shown: Stretch) -> list[list[EventMark]]:
    """Return the events in the shown time, those that lie close together as one group."""
    first, last = shown
    cell = (last - first) / _CELLS
    inside = [each for each in events if first <= to_array_time(each.at) <= last]
    groups: list[list[EventMark]] = []
    for each in sorted(inside, key=lambda event: event.at):
        if groups and to_array_time(each.at) - to_array_time(groups[-1][0].at) < cell:
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def find_sign(group: Sequence[EventMark]) -> str:
    """Return what stands in a circle: the letter of its events, else their number."""
    letters = {each.letter for each in group}
    return letters.pop() if len(letters) == 1 else str(len(group))


def list_event_lines(
    group: Sequence[EventMark], zone: tzinfo, most: int = _MOST_LINES
) -> list[str]:
    """Return the text of each event with its time; it may hold text from outside."""
    lines = [f"{format_moment(each.at, str(zone))}: {_shorten(each.text)}" for each in group[:most]]
    if len(group) > most:
        lines.append(f"and {len(group) - most} more")
    return lines


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def event_axes(domain: tuple[float, float]) -> dict[str, Any]:
    """Return the axes of the events: a time axis of their own, so that no other hover has them."""
    hidden = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    return {
        "xaxis2": {"type": "date", "matches": "x", "anchor": Lane.EVENTS.value} | hidden,
        Lane.EVENTS.axis: {
            "domain": list(domain),
            "range": [0, 1],
            "anchor": "x2",
            "fixedrange": True,
        }
        | hidden,
    }
