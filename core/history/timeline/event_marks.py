"""Marks of a product's events on a chart: plotly dicts of lines and markers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import numpy as np

from core import chart_theme

_SYMBOLS: Final = {"Deal": "triangle-right", "Deal ends": "triangle-left"}  # others: a diamond


@dataclass(frozen=True, slots=True)
class EventMark:
    """Something that happened to the product at one moment, such as "Title changed"."""

    at: datetime
    label: str


def events_within(
    events: Sequence[EventMark], shown: tuple[np.datetime64, np.datetime64] | None
) -> list[EventMark]:
    """Return the events of the shown time, oldest first."""
    if shown is None:
        return []
    # The newest snapshot's second may begin before its event.
    room = (shown[1] - shown[0]) / 100
    first, last = shown[0] - room, shown[1] + room
    found = [event for event in events if first <= _moment(event) <= last]
    return sorted(found, key=lambda event: event.at)


def _moment(event: EventMark) -> np.datetime64:
    return np.datetime64(event.at.astimezone(UTC).replace(tzinfo=None), "us")


def event_line(event: EventMark, zone: tzinfo) -> dict[str, Any]:
    """Return a dashed line through both panels."""
    at = _minute(event, zone)
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "line": {"color": chart_theme.NEUTRAL, "width": 1, "dash": "dash"},
        "layer": "below",
    }


def event_markers(events: Sequence[EventMark], zone: tzinfo) -> list[dict[str, Any]]:
    """Return a row of markers between the panels, with a legend: labels overlap on a phone."""
    by_label: dict[str, list[str]] = {}
    for event in events:
        by_label.setdefault(event.label, []).append(_minute(event, zone))
    return [_row(label, at) for label, at in by_label.items()]


def _row(label: str, at: list[str]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label,
        "x": at,
        "y": [0.5] * len(at),
        "yaxis": "y3",
        "marker": {
            "symbol": _SYMBOLS.get(label, "diamond"),
            "size": 8,
            "color": chart_theme.NEUTRAL,
        },
        "hovertemplate": "%{x|%-d %b, %H:%M}<extra>" + label + "</extra>",
    }


def _minute(event: EventMark, zone: tzinfo) -> str:
    return f"{event.at.astimezone(zone):%Y-%m-%d %H:%M}"
