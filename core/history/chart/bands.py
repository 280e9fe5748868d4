"""Shaded times of a chart: deals, out of stock, Buy Box suppressed, no data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import numpy as np

from core import chart_theme
from core.history.chart.content import ChartContent, Deal, Series
from core.history.chart.lanes import Lane, Lanes
from core.history.chart.traces import Trace, format_times
from core.history.observation import Availability
from core.history.timeline.timeline import Stretch
from core.text.numbers import format_percent_change

_CELLS: Final = 240  # a narrower band than one of so many is drawn as wide as one
_LABEL_CELLS: Final = 12  # a deal's label needs so many


@dataclass(frozen=True, slots=True)
class Band:
    """One kind of shaded times."""

    name: str
    color: str
    stretches: Sequence[Stretch]


def list_bands(content: ChartContent) -> list[Band]:
    """Return the bands of a content that have any time, in the order of the legend."""
    timeline = content.timeline
    timed = content.deals if Series.DEALS in content.shown else ()
    deals = [(each.since, each.until) for each in timed]
    states = {
        "Out of stock": (
            chart_theme.WORSE + "30",
            (Availability.UNAVAILABLE, Availability.NO_OFFERS),
        ),
        "Listing removed": (chart_theme.WORSE + "5c", (Availability.GONE,)),
        "Buy Box suppressed": (chart_theme.NEUTRAL + "4d", (Availability.BUY_BOX_SUPPRESSED,)),
    }
    bands = [Band("Deal", chart_theme.RATING + "38", deals)]
    runs = timeline.find_states()
    bands += [
        Band(name, color, [(start, end) for start, end, state in runs if state in chosen])
        for name, (color, chosen) in states.items()
    ]
    bands.append(Band("No data", chart_theme.NEUTRAL + "1f", timeline.find_holes()))
    return [band for band in bands if band.stretches]


def band_shapes(
    bands: Sequence[Band], shown: Stretch, lanes: Lanes, zone: tzinfo
) -> list[dict[str, Any]]:
    """Return rectangles behind the lanes from price to rank."""
    return [
        _shape(band.color, start, end, lanes)
        for band in bands
        for start, end in _written(widen_stretches(band.stretches, shown), zone)
    ]


def _written(stretches: Sequence[Stretch], zone: tzinfo) -> list[list[str]]:
    flat = np.array(stretches, dtype="M8[us]").reshape(-1)
    written: list[list[str]] = format_times(flat, zone).reshape(-1, 2).tolist()
    return written


def _shape(color: str, start: str, end: str, lanes: Lanes) -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": start,
        "x1": end,
        "y0": lanes.domains[Lane.RANK][0],
        "y1": lanes.domains[Lane.PRICE][1],
        "fillcolor": color,
        "line": {"width": 0},
        "layer": "below",
    }


def widen_stretches(stretches: Sequence[Stretch], shown: Stretch) -> list[Stretch]:
    """Return stretches inside the shown time, each wide enough to be visible.

    Those that touch are joined, so that their number is limited whatever happened.
    """
    first, last = shown
    cell = (last - first) / _CELLS
    found: list[Stretch] = []
    for start, end in stretches:
        if end < first or start > last:
            continue
        start, end = max(start, first), min(max(end, start + cell), last)
        start = min(start, last - cell)
        if found and start - found[-1][1] < cell / 2:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def band_legend(bands: Sequence[Band]) -> list[Trace]:
    """Return a square in the legend for each kind of band."""
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": band.name,
            "x": [None],
            "y": [None],
            "marker": {
                "symbol": "square",
                "size": 12,
                "color": band.color,
                "line": {"width": 1, "color": chart_theme.NEUTRAL},
            },
            "hoverinfo": "skip",
            "showlegend": True,
        }
        for band in bands
    ]


def deal_labels(
    deals: Sequence[Deal], shown: Stretch, lanes: Lanes, zone: tzinfo
) -> list[dict[str, Any]]:
    """Return "−29 %" above the price lane for each deal that has room for it."""
    cell = (shown[1] - shown[0]) / _CELLS
    labels, last_end = [], shown[0]
    for deal in deals:
        start, end = max(deal.since, shown[0]), min(deal.until, shown[1])
        middle = start + (end - start) / 2
        if end <= start or np.isnan(deal.usual) or deal.price >= deal.usual:
            continue
        if middle - last_end < _LABEL_CELLS / 2 * cell:
            continue
        last_end = middle + _LABEL_CELLS / 2 * cell
        labels.append(
            {
                "xref": "x",
                "yref": "paper",
                "x": format_times(np.array([middle]), zone)[0],
                "y": lanes.domains[Lane.PRICE][1],
                "yanchor": "bottom",
                "text": format_percent_change(deal.usual, deal.price),
                "showarrow": False,
                "font": {"size": 12, "color": chart_theme.RATING},
            }
        )
    return labels
