"""Charts of Data health: checks by hour, freshness, cost by day. Rows → plotly dict. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from core import chart_theme
from core.chart_theme import plain_axis, plain_layout
from core.text.numbers import format_count, format_counted, format_dollars
from core.upkeep.check_counts import CheckHour, CostDay, FreshCount

Figure = dict[str, Any]
HEIGHT: Final = 230  # px
_BAR: Final = "#00000699"  # neutral: nothing is better or worse about it
_HATCHED: Final = {"shape": "/", "fillmode": "replace", "fgcolor": chart_theme.TEXT, "size": 5}


def draw_hours(hours: Sequence[CheckHour], time_zone: str) -> Figure:
    """Return the checks of each hour, stacked by how they ended. Times are of the zone."""
    zone = ZoneInfo(time_zone)
    times = [each.begins_at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") for each in hours]
    parts: list[tuple[str, list[int], dict[str, Any]]] = [
        ("Answered", [each.answered for each in hours], {"color": _BAR}),
        ("Failed", [each.failed for each in hours], {"color": chart_theme.WORSE}),
        ("Blocked", [each.blocked for each in hours], {"color": _BAR, "pattern": _HATCHED}),
    ]
    bars = [
        {
            "type": "bar",
            "name": name,
            "x": times,
            "y": values,
            "xperiod": 3_600_000,
            "xperiodalignment": "middle",
            "marker": marker | {"line": {"width": 0}},
            "hovertemplate": f"{name}: %{{y:,}}<extra></extra>",
        }
        for name, values, marker in parts
    ]
    axis = chart_theme.time_axis("y") | {"nticks": 6, "fixedrange": True}
    axis |= {"hoverformat": "%-d %b, %H:%M", "range": [times[0], _end_of(hours, zone)]}
    return {
        "data": bars,
        "layout": plain_layout(
            HEIGHT,
            barmode="stack",
            bargap=0.15,
            showlegend=True,
            xaxis=axis,
            yaxis=plain_axis(rangemode="tozero", tickformat=",d", **_whole_ticks(hours)),
        ),
    }


def _end_of(hours: Sequence[CheckHour], zone: ZoneInfo) -> str:
    end = hours[-1].begins_at.astimezone(zone)
    return end.strftime("%Y-%m-%dT%H:59")


def _whole_ticks(hours: Sequence[CheckHour]) -> dict[str, Any]:
    """Return a range and steps that show no half of a check."""
    most = max(each.total for each in hours)
    return {"range": [0, max(most, 1) * 1.05]} | ({"dtick": 1} if most < 5 else {"nticks": 5})


def describe_hours(hours: Sequence[CheckHour]) -> str:
    """Return the finding of the checks by hour in words."""
    total = sum(each.total for each in hours)
    if not total:
        return "No check in the last 24 hours."
    failed, blocked = sum(each.failed for each in hours), sum(each.blocked for each in hours)
    most = max(each.total for each in hours)
    return (
        f"Checks per hour: {format_count(total)} in 24 hours, at most {format_count(most)} an "
        f"hour. {format_count(failed)} failed, {format_count(blocked)} were blocked."
    )


def draw_freshness(counts: Sequence[FreshCount]) -> Figure:
    """Return the products by the age of their last check; what is overdue is red."""
    names = [each.span for each in counts]
    shared = {"type": "bar", "orientation": "h", "y": names}
    on_time = shared | {
        "name": "On schedule",
        "x": [each.products - each.overdue for each in counts],
        "marker": {"color": _BAR},
        "hovertemplate": "On schedule: %{x:,}<extra></extra>",
    }
    overdue = shared | {
        "name": "Overdue",
        "x": [each.overdue for each in counts],
        "marker": {"color": chart_theme.WORSE},
        "hovertemplate": "Overdue: %{x:,}<extra></extra>",
    }
    notes = [
        {
            "x": each.products,
            "y": each.span,
            "text": format_count(each.products),
            "xanchor": "left",
            "xshift": 4,
            "showarrow": False,
            "font": chart_theme.FONT,
        }
        for each in counts
    ]
    most = max((each.products for each in counts), default=0)
    return {
        "data": [on_time, overdue],
        "layout": plain_layout(
            HEIGHT,
            barmode="stack",
            bargap=0.35,
            hovermode="closest",
            showlegend=any(each.overdue for each in counts),
            annotations=notes,
            xaxis=plain_axis(visible=False, range=[0, max(most, 1) * 1.3]),
            yaxis=plain_axis(autorange="reversed", showgrid=False),
        ),
    }


def describe_freshness(counts: Sequence[FreshCount]) -> str:
    """Return the finding of the products by freshness in words."""
    parts = [f"{each.span} {format_count(each.products)}" for each in counts if each.products]
    overdue = sum(each.overdue for each in counts)
    late = f" {format_counted(overdue, 'product')} overdue." if overdue else ""
    return f"Last checked: {', '.join(parts) or 'no product is scheduled'}.{late}"


def draw_costs(days: Sequence[CostDay], limit: Decimal) -> Figure:
    """Return what each day of the month cost as steps, with the limit of a day as a line."""
    dates = [each.day.isoformat() for each in days]
    costs = [float(each.dollars) for each in days]
    month_end = days[0].day.replace(day=28).isoformat()
    top = max([float(limit), *costs]) * 1.25 or 1.0
    line = {
        "type": "scatter",
        "mode": "lines" if len(days) > 1 else "markers",
        "x": dates,
        "y": costs,
        "line": {"shape": "hvh", "color": chart_theme.TEXT, "width": 2},
        "fill": "tozeroy",
        "fillcolor": chart_theme.fade_color(chart_theme.TEXT),
        "hovertemplate": "%{x|%-d %b}: $%{y:.2f}<extra></extra>",
    }
    rule = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": float(limit),
        "y1": float(limit),
        "line": {"color": chart_theme.WORSE, "width": 1.5, "dash": "dash"},
    }
    name = {
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "y": float(limit),
        "yanchor": "bottom",
        "text": f"limit {format_dollars(limit)} a day",
        "showarrow": False,
        "font": chart_theme.FONT | {"color": chart_theme.WORSE},
    }
    axis = chart_theme.time_axis("y") | {"nticks": 4, "fixedrange": True}
    axis |= {"range": [dates[0], max(dates[-1], month_end)]}
    return {
        "data": [line],
        "layout": plain_layout(
            HEIGHT,
            hovermode="closest",
            shapes=[rule],
            annotations=[name],
            xaxis=axis,
            yaxis=plain_axis(range=[0, top], tickprefix="$", nticks=4),
        ),
    }


def describe_costs(days: Sequence[CostDay], limit: Decimal) -> str:
    """Return the finding of the costs in words."""
    total = sum((each.dollars for each in days), Decimal(0))
    highest = max(each.dollars for each in days)
    return (
        f"Cost this month: {format_dollars(total)}, at most {format_dollars(highest)} a day of "
        f"{format_dollars(limit)}; today {format_dollars(days[-1].dollars)}."
    )
