"""The open issues of the Overview: what is wrong, since when, and the next step."""

from datetime import datetime
from typing import Final

import streamlit as st

from app import device, keys
from app.components.small_picture import show_drawing
from app.data import get_principal, images
from app.data.overview import Overview, OverviewChoice
from app.overview import panels
from core.alerts.incidents.incident_filter import COUNTED
from core.alerts.incidents.labels import describe_next_step, find_handling
from core.alerts.incidents.queries import IncidentRow
from core.alerts.rules.rule import Severity
from core.history.periods.charts import draw_rank_line
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import format_capped_count, format_rank
from core.text.times import format_age
from core.tracking.rules import Role

THUMBNAIL: Final = 44  # px
LINE_SIZE: Final = (84, 28)  # px
_SIGNS: Final = {
    Severity.CRITICAL: (":material/error:", "red"),
    Severity.WARNING: (":material/warning:", "orange"),
    Severity.INFO: (":material/info:", "gray"),
}


def show_issues(found: Overview, nothing: str) -> None:
    """Show the worst open issues, and a link to all. `nothing`: the sentence without any."""
    rows = found.issues.rows
    with st.container(border=True, height="stretch", gap="small"):
        caption = "" if device.is_phone() or not rows else "worst first · line: BSR in 30 days"
        beside = panels.show_heading("issues", "Open issues", caption=caption)
        if not rows:
            st.caption(nothing)
            return
        label = f"All {format_capped_count(found.issues.total, COUNTED)}"
        panels.show_more_link(beside, keys.ALERTS, label)
        addresses = images.find_thumbnails([row.product_id for row in rows])
        for row in rows:
            _show_issue(row, found, addresses.get(row.product_id))


def explain_no_issues(found: Overview, choice: OverviewChoice, checked_at: datetime | None) -> str:
    """Return why no issue is open: no such product, no check yet, or all is well."""
    if not found.figures.products:
        return "No such product is in this list. Choose other products or another marketplace."
    if Role.OWN not in (choice.roles or tuple(Role)):
        return "Built-in alerts are for own products. Choose Own products to see their issues."
    if not choice.roles and not found.has_own_products:
        return (
            "No product is marked as your own yet. Set the role of yours to Own in the settings "
            "of a product: built-in alerts are for own products."
        )
    if not found.figures.observed:
        return "Nothing was checked yet, so nothing is known to be wrong."
    return f"No open issues. Last check {format_age(checked_at, found.as_of)}."


def _show_issue(row: IncidentRow, found: Overview, address: str | None) -> None:
    icon, color = _SIGNS[row.severity]
    zone = get_principal().time_zone
    what = escape_markdown(row.describe(zone, found.as_of))
    handled = find_handling(row.get_handled(found.as_of), found.as_of, zone)
    beside = "" if handled is None else f" · {escape_markdown(handled)}"
    text = f":{color}[{icon} {what}]  \n:small[:gray[{describe_next_step(row.kind)}{beside}]]"
    product = {"marketplace": row.marketplace, "asin": row.asin, "title": row.title}
    shown = panels.show_product_row(f"issue_{row.id}", product, text, address, THUMBNAIL)
    ranks = found.rank_lines.get(row.product_id, [])
    drawing = None if device.is_phone() else draw_rank_line(ranks, *LINE_SIZE)
    if drawing is not None:
        with shown:
            show_drawing(drawing, _describe_ranks(row, ranks), LINE_SIZE[0])


def _describe_ranks(row: IncidentRow, ranks: list[float | None]) -> str:
    known = [rank for rank in ranks if rank is not None]
    ends = f"{format_rank(known[0])} to {format_rank(known[-1])}"
    return f"BSR of {shorten(row.title or row.asin, panels.LONGEST_TITLE)} in 30 days: {ends}"
