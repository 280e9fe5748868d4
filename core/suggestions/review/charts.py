"""Evidence → traces on the chart of price and rank. No arithmetic; dicts for plotly."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from core import chart_theme
from core.chart_theme import MoneyStyle
from core.suggestions.rules import Evidence

Trace = dict[str, Any]

_GROUP = "Evidence"
_RANK_HOVER = "#%{y:,.0f}"


def draw_evidence(
    evidence: Sequence[Evidence], product_id: int, money: MoneyStyle, zone: tzinfo
) -> list[Trace]:
    """Return the traces of the evidence that is a price or a rank from an observation.

    A figure from one observation is a square, one from several a dashed line from the
    first to the last. Figures of competitors have the competitors' colour.
    """
    drawn = [each for each in evidence if is_drawn(each)]
    traces = [_trace(each, product_id, money, zone) for each in drawn]
    for trace in traces[:1]:
        trace["showlegend"] = True
    return traces


def is_drawn(evidence: Evidence) -> bool:
    """Return whether a figure is drawn: an amount or a rank that comes from observations."""
    is_number = not isinstance(evidence.value, str | bool)
    is_on_axis = evidence.unit == "rank" or evidence.unit.endswith(" minor")
    return is_number and is_on_axis and bool(evidence.snapshots)


def _trace(evidence: Evidence, product_id: int, money: MoneyStyle, zone: tzinfo) -> Trace:
    is_rank = evidence.unit == "rank"
    times = sorted(key.captured_at for key in evidence.snapshots)
    ends = times if len(times) == 1 else [times[0], times[-1]]
    value = float(evidence.value) / (1 if is_rank else money.divisor)
    is_own = all(key.product_id == product_id for key in evidence.snapshots)
    own = chart_theme.RANK if is_rank else chart_theme.PRICE
    color = own if is_own else chart_theme.COMPETITORS[0]
    name = chart_theme.escape_for_plotly(evidence.figure)
    return {
        "type": "scatter",
        "mode": "markers" if len(ends) == 1 else "lines+markers",
        "name": _GROUP,
        "legendgroup": _GROUP,
        "showlegend": False,
        "x": [_format_time(at, zone) for at in ends],
        "y": [value] * len(ends),
        "yaxis": "y2" if is_rank else "y",
        "marker": {"symbol": "square", "size": 9, "color": color},
        "line": {"color": color, "width": 1.5, "dash": "dash"},
        "cliponaxis": False,
        "hovertemplate": f"{_RANK_HOVER if is_rank else money.hover}<extra>{name}</extra>",
    }


def draw_proposed_price(price: int, between: Sequence[str], money: MoneyStyle) -> Trace:
    """Return a line at the proposed price (minor units) over the whole period."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Proposed price",
        "x": list(between),
        "y": [price / money.divisor] * len(between),
        "line": {"color": chart_theme.PRICE, "width": 1.5, "dash": "dot"},
        "hovertemplate": f"{money.hover}<extra>Proposed price</extra>",
    }


def _format_time(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"


def widen_price_range(layout: dict[str, Any], traces: Sequence[Trace]) -> None:
    """Widen the fixed price range of a layout so that all traces fit."""
    limits = layout.get("yaxis", {}).get("range")
    values = [value for trace in traces if trace.get("yaxis", "y") == "y" for value in trace["y"]]
    if limits and values:
        low, high = min(limits[0], *values), max(limits[1], *values)
        layout["yaxis"]["range"] = [low, high]
