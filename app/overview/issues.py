"""The open issues of the Overview: what is wrong, since when, and the next step."""

from typing import Final

import streamlit as st

from app import device, keys
from app.components import product_link, thumbnail
from app.data import get_principal, images
from app.data.overview import Overview, OverviewChoice
from core.alerts.incidents.incident_filter import COUNTED
from core.alerts.incidents.labels import describe_next_step
from core.alerts.incidents.queries import IncidentRow
from core.alerts.rules.rule import Severity
from core.history.periods.charts import draw_rank_line
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import format_capped_count, format_rank
from core.text.times import format_age
from core.tracking.lists.freshness import Freshness
from core.tracking.rules import Role

LONGEST_TITLE: Final = 60
THUMBNAIL: Final = 44  # px
LINE_SIZE: Final = (84, 28)  # px
_SIGNS: Final = {
    Severity.CRITICAL: (":material/error:", "red"),
    Severity.WARNING: (":material/warning:", "orange"),
    Severity.INFO: (":material/info:", "gray"),
}


def show_issues(found: Overview, nothing: str) -> None:
    """Show the worst open issues, and a link to all. `nothing`: the sentence without any."""
    with st.container(border=True, height="stretch", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("Open issues", anchor=False, width="content")
            if found.issues.rows and not device.is_phone():
                st.caption("worst first · line: BSR in 30 days", width="content")
            st.space("stretch")
            if found.issues.total:
                st.page_link(
                    f"../pages/{keys.ALERTS}.py",
                    label=f"All {format_capped_count(found.issues.total, COUNTED)}",
                    icon=":material/arrow_forward:",
                )
        if not found.issues.rows:
            st.caption(nothing)
        addresses = images.find_thumbnails([row.product_id for row in found.issues.rows])
        for row in found.issues.rows:
            _show_issue(row, found, addresses.get(row.product_id))


def explain_no_issues(found: Overview, choice: OverviewChoice, fresh: Freshness) -> str:
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
    return f"No open issues. Last check {format_age(fresh.last_observed_at, found.as_of)}."


def _show_issue(row: IncidentRow, found: Overview, address: str | None) -> None:
    title = row.title or row.asin
    icon, color = _SIGNS[row.severity]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        thumbnail.show_thumbnail(address, "", THUMBNAIL)
        with st.container(gap=None):
            st.page_link(
                f"../pages/{keys.PRODUCT}.py",
                label=f"**{escape_markdown(shorten(title, LONGEST_TITLE))}** "
                f":gray[· {row.marketplace}]",
                query_params=product_link.product_parameters(row.marketplace, row.asin),
            )
            what = escape_markdown(row.describe(get_principal().time_zone, found.as_of))
            st.markdown(f":{color}[{icon} {what}]  \n:small[:gray[{describe_next_step(row.kind)}]]")
        if not device.is_phone():
            _show_rank_line(found.rank_lines.get(row.product_id, []), title)


def _show_rank_line(ranks: list[float | None], title: str) -> None:
    drawing = draw_rank_line(ranks, *LINE_SIZE)
    if drawing is None:
        return
    known = [rank for rank in ranks if rank is not None]
    ends = f"{format_rank(known[0])} to {format_rank(known[-1])}"
    alt = f"BSR of {shorten(title, LONGEST_TITLE)} in 30 days: {ends}"
    st.image(drawing, width=LINE_SIZE[0], alt=alt)
