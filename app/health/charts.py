"""Charts of Data health: checks by hour, freshness, cost of the month."""

from typing import Any

import streamlit as st

from app.data import get_principal
from app.data.prebuilt_figure import PrebuiltFigure, pack_figure
from core.chart_theme import PLOTLY_CONFIG
from core.text.numbers import format_count, format_dollars
from core.upkeep import health_charts
from core.upkeep.health import Health

_WIDTHS = (4.6, 2.7, 2.7)


def show_charts(health: Health) -> None:
    """Show the three charts side by side, below each other on a phone."""
    for column, show in zip(
        st.columns(_WIDTHS), (_show_hours, _show_freshness, _show_costs), strict=True
    ):
        with column.container(border=True, height="stretch", gap="xsmall"):
            show(health)


def _show_hours(health: Health) -> None:
    st.header("Checks per hour", anchor=False)
    checks = health.checks
    if not checks.total:
        st.caption("No check in the last 24 hours. Checks begin when products are due.")
        return
    st.caption(f"{format_count(checks.total)} in 24 h, {format_count(checks.failed)} failed")
    figure = health_charts.draw_hours(health.hours, get_principal().time_zone)
    _draw(figure, health_charts.describe_hours(health.hours), "checks_by_hour")


def _show_freshness(health: Health) -> None:
    st.header("Freshness", anchor=False)
    if not any(each.products for each in health.freshness):
        st.caption("No product is checked regularly yet.")
        return
    st.caption("Products by the age of their last check")
    figure = health_charts.draw_freshness(health.freshness)
    _draw(figure, health_charts.describe_freshness(health.freshness), "freshness")


def _show_costs(health: Health) -> None:
    st.header("Cost this month", anchor=False)
    paid = next((each for each in health.providers if each.is_paid and each.cost_days), None)
    if paid is None:
        st.caption("No data source that costs money is in use.")
        return
    today, month = format_dollars(paid.dollars_today), format_dollars(paid.dollars_this_month)
    st.caption(f"{month}; today (UTC) {today}".replace("$", "\\$"))
    figure = health_charts.draw_costs(paid.cost_days, paid.dollars_per_day)
    _draw(figure, health_charts.describe_costs(paid.cost_days, paid.dollars_per_day), "costs")


def _draw(figure: dict[str, Any], alt: str, key: str) -> None:
    body = PrebuiltFigure(pack_figure(figure))
    # Streamlit can't read the height of a figure that was built before.
    st.plotly_chart(
        body,
        height=health_charts.HEIGHT,
        config=PLOTLY_CONFIG,
        theme="streamlit",
        alt=alt,
        key=key,
    )
