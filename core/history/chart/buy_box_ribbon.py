"""The Buy Box as a ribbon: one colour per seller, the team's own in the colour of its price."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import numpy as np

from core import chart_theme
from core.history.buy_box.holders import Holder, HolderState
from core.history.buy_box.periods import BuyBoxPeriod
from core.history.chart.lanes import Lane, Lanes
from core.history.chart.traces import Trace, format_times
from core.history.timeline.series import Times
from core.history.timeline.timeline import Stretch, to_array_time
from core.text.escaping import shorten

_CELLS: Final = 300  # of the shown time: the finest that a screen shows
_HOVER_CELLS: Final = 120
_NAMED: Final = 6  # sellers with a colour of their own, the team's included
_PHONE_NAMED: Final = 2  # in the heading
_LONGEST_NAME: Final = 18
_OTHERS: Final = "Other sellers"
_LABEL_CELLS_A_LETTER: Final = 3.2
_NO_ONE: Final = {
    HolderState.NONE: "no seller",
    HolderState.SUPPRESSED: "suppressed",
    HolderState.UNKNOWN: "seller not reported",
}
# Colours of other sellers; the team's own have that of its price.
_COLORS: Final = ("#000008", "#000009", "#000004", "#000005", "#000010", "#000007")


@dataclass(frozen=True, slots=True)
class _Cells:
    """Who held most of each cell of the shown time; -1: no seller or no data."""

    edges: Times
    holder: np.ndarray[Any, np.dtype[np.int64]]
    holders: Sequence[Holder]


def ribbon_traces(
    periods: Sequence[BuyBoxPeriod], shown: Stretch, zone: tzinfo
) -> tuple[list[Trace], Mapping[str, str]]:
    """Return the ribbon's bars and its hover, and the colour of each name in its heading."""
    cells = _make_cells(periods, shown)
    names = [_name(each) for each in cells.holders]
    colors = _choose_colors(cells)
    held = Counter(cells.holder[cells.holder >= 0].tolist())
    heading: dict[str, str] = {}
    traces = []
    for place, _ in held.most_common():
        heading.setdefault(names[place] if colors[place] else _OTHERS, _color(colors[place]))
    for name, color in heading.items():
        members = [place for place in held if (names[place] if colors[place] else _OTHERS) == name]
        traces.append(_bars(cells, members, name, color, zone))
    traces.append(_hover(periods, shown, zone))
    return traces, heading


def _color(chosen: str | None) -> str:
    return chosen or chart_theme.NEUTRAL


def _name(holder: Holder) -> str:
    name = chart_theme.escape_for_plotly(shorten(holder.label or "", _LONGEST_NAME))
    return f"{name} (own)" if holder.is_own else name


def _make_cells(periods: Sequence[BuyBoxPeriod], shown: Stretch) -> _Cells:
    first, last = shown
    step = (last - first) / _CELLS
    edges: Times = first + step * np.arange(_CELLS + 1)
    holders: dict[Holder, int] = {}
    best = np.zeros(_CELLS)
    holder = np.full(_CELLS, -1, dtype=np.int64)
    for each in periods:
        start, end = to_array_time(each.since), to_array_time(each.until)
        if end < first or start > last:
            continue
        place = -1
        if each.holder.state is HolderState.SELLER:
            place = holders.setdefault(each.holder, len(holders))
        low = int(np.clip((start - first) / step, 0, _CELLS - 1))
        high = int(np.clip((end - first) / step, 0, _CELLS - 1))
        part = slice(low, high + 1)
        overlap = (np.minimum(edges[1:][part], end) - np.maximum(edges[:-1][part], start)) / step
        wins = np.maximum(overlap, 1e-6) > best[part]
        holder[part][wins] = place
        best[part][wins] = overlap[wins]
    return _Cells(edges, holder, list(holders))


def _choose_colors(cells: _Cells) -> list[str | None]:
    """Return each holder's colour; None: one of the other sellers."""
    held = Counter(cells.holder[cells.holder >= 0].tolist())
    colors: list[str | None] = [None] * len(cells.holders)
    free = list(_COLORS)
    for place, _ in held.most_common():
        if cells.holders[place].is_own:
            colors[place] = chart_theme.PRICE
        elif free and len(_COLORS) - len(free) < _NAMED - 1:
            colors[place] = free.pop(0)
    return colors


def _bars(cells: _Cells, members: Sequence[int], name: str, color: str, zone: tzinfo) -> Trace:
    is_held = np.isin(cells.holder, members).astype(np.int8)
    turns = np.flatnonzero(np.diff(np.concatenate([[0], is_held, [0]])))
    starts, ends = cells.edges[turns[::2]], cells.edges[turns[1::2]]
    widths = ((ends - starts) / np.timedelta64(1, "ms")).astype(np.int64)
    room = np.asarray(turns[1::2] - turns[::2])
    label = name.removesuffix(" (own)")
    texts = [label if cells_ > _LABEL_CELLS_A_LETTER * len(label) else "" for cells_ in room]
    return {
        "type": "bar",
        "name": name,
        "x": format_times(starts, zone),
        "y": np.ones(len(starts), dtype=np.int8),
        "width": widths,
        "offset": 0,
        "text": texts,
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "constraintext": "none",
        "textfont": {"size": 11, "color": chart_theme.GROUND},
        "yaxis": Lane.BUY_BOX.value,
        "marker": {"color": color, "line": {"width": 1, "color": chart_theme.GROUND}},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _hover(periods: Sequence[BuyBoxPeriod], shown: Stretch, zone: tzinfo) -> Trace:
    """Return an unseen line whose hover names the seller at each of many moments."""
    step = (shown[1] - shown[0]) / _HOVER_CELLS
    moments: Times = shown[0] + step * np.arange(_HOVER_CELLS + 1)
    starts = np.array([to_array_time(each.since) for each in periods], dtype="M8[us]")
    ends = np.array([to_array_time(each.until) for each in periods], dtype="M8[us]")
    place = np.searchsorted(starts, moments, side="right") - 1
    covered = (place >= 0) & (moments <= ends[place])
    texts = [_describe(periods[at].holder) for at in place[covered]]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": format_times(moments[covered], zone),
        "y": np.full(int(covered.sum()), 0.5, dtype=np.float32),
        "text": texts,
        "yaxis": Lane.BUY_BOX.value,
        "line": {"width": 0, "color": "rgba(0,0,0,0)"},
        "name": "Buy Box",
        "hovertemplate": "%{text}<extra>Buy Box</extra>",
        "showlegend": False,
    }


def _describe(holder: Holder) -> str:
    return _name(holder) if holder.state is HolderState.SELLER else _NO_ONE[holder.state]


def ribbon_heading(colors: Mapping[str, str], lanes: Lanes, *, is_phone: bool) -> dict[str, Any]:
    """Return the line above the ribbon that names its colours."""
    named = list(colors.items())[: _PHONE_NAMED if is_phone else _NAMED + 1]
    parts = [f"<span style='color:{color}'>■</span> {name}" for name, color in named]
    if len(colors) > len(named):
        parts.append(f"and {len(colors) - len(named)} more")
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "xanchor": "left",
        "y": lanes.domains[Lane.BUY_BOX][1],
        "yanchor": "bottom",
        "text": "<b>Buy Box</b>  " + "  ".join(parts or ["no seller reported"]),
        "showarrow": False,
        "font": {"size": 12, "color": chart_theme.NEUTRAL},
    }
