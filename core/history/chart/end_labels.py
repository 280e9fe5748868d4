"""Labels at a line's lowest and highest value, and texts of an axis of amounts."""

from collections.abc import Sequence
from datetime import date, tzinfo
from typing import Any

import numpy as np

from core import chart_theme
from core.catalog.money import format_price
from core.chart_theme import MoneyStyle
from core.history.chart.content import ChartContent
from core.history.chart.traces import format_times
from core.history.timeline.series import Line
from core.history.timeline.timeline import Stretch
from core.text.numbers import format_rank
from core.text.times import format_day, format_day_of_year


def tick_texts(ticks: Sequence[int], money: MoneyStyle, marketplace: str) -> list[str]:
    """Return amounts in minor units as an axis has them: without cents if none has any."""
    texts = [format_price(tick, marketplace) for tick in ticks]
    if money.decimals and all(tick % money.divisor == 0 for tick in ticks):
        ending = money.separators[0] + "0" * money.decimals
        texts = ["".join(text.rsplit(ending, 1)) for text in texts]
    return texts


def price_labels(
    line: Line, shown: Stretch, zone: tzinfo, content: ChartContent
) -> list[dict[str, Any]]:
    """Return the labels of the highest and the lowest price; none if all are equal."""
    places = _find_ends(line)
    if places is None:
        return []
    low, high = places
    divisor, market = content.money.divisor, content.marketplace
    found = []
    for name, place, side in (("high", high, 1), ("low", low, -1)):
        text = f"{name} {format_price(line.values[place], market)}"
        y = float(line.values[place]) / divisor
        found.append(_label(line, place, text, y, side, "y", chart_theme.PRICE, shown, zone))
    return found


def rank_labels(
    line: Line, shown: Stretch, zone: tzinfo, content: ChartContent
) -> list[dict[str, Any]]:
    """Return the labels of the best and the worst rank; none if all are equal."""
    places = _find_ends(line)
    if places is None:
        return []
    del content
    found = []
    for name, place, side in (("best", places[0], 1), ("worst", places[1], -1)):
        text = f"{name} {format_rank(line.values[place])}"
        y = float(np.log10(line.values[place]))
        found.append(_label(line, place, text, y, side, "y2", chart_theme.RANK, shown, zone))
    return found


def _format_day(day: date, shown: Stretch) -> str:
    is_long = shown[1] - shown[0] > np.timedelta64(366, "D")
    return format_day(day) if is_long else format_day_of_year(day)


def _find_ends(line: Line) -> tuple[int, int] | None:
    """Return the places of the lowest and the highest value, None if they don't differ."""
    if line.is_empty:
        return None
    low, high = int(np.nanargmin(line.values)), int(np.nanargmax(line.values))
    return None if line.values[low] == line.values[high] else (low, high)


def _label(
    line: Line,
    place: int,
    text: str,
    y: float,
    side: int,
    axis: str,
    color: str,
    shown: Stretch,
    zone: tzinfo,
) -> dict[str, Any]:
    """Return a label above (`side` 1) or below a point, towards the chart's middle."""
    at = line.times[place]
    written = str(format_times(line.times[place : place + 1], zone)[0])
    is_left = at - shown[0] < (shown[1] - shown[0]) / 2
    return {
        "x": written,
        "y": y,
        "xref": "x",
        "yref": axis,
        "text": f"{text} · {_format_day(date.fromisoformat(written[:10]), shown)}",
        "showarrow": False,
        "xanchor": "left" if is_left else "right",
        "yanchor": "bottom" if side > 0 else "top",
        "yshift": 2 * side,
        "font": {"size": 12, "color": color},
        "bgcolor": f"{chart_theme.GROUND}b8",
        "borderpad": 1,
    }
