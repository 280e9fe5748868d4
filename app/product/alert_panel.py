"""The alerts of one product: the newest with links, and why the user was (not) notified."""

from datetime import UTC, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from app import keys
from app.components import delivery_explanation
from app.data import alerts, get_principal
from core.alerts.incidents.queries import IncidentRow
from core.history.product_summary import ProductSummary
from core.text.escaping import escape_markdown
from core.text.numbers import format_count
from core.text.times import format_age

SHOWN: Final = 5
OWN_ALERTS: Final = "own_alerts"
DAYS: Final = 90


def show_alerts(head: ProductSummary) -> None:
    """Show the product's newest alerts, and answer why the user was notified at a moment."""
    if head.tracking is None:
        return
    # Read when it is open: most visits are not about alerts.
    panel = st.expander(
        "Alerts of this product",
        icon=":material/notifications:",
        key=OWN_ALERTS,
        on_change="rerun",
    )
    if not panel.open:
        return
    with panel:
        rows = alerts.list_product_incidents(head.product_id, DAYS)
        if not rows:
            st.caption(f"No alert in {format_count(DAYS)} days.")
        for row in rows[:SHOWN]:
            _show_alert(row)
        if len(rows) > SHOWN:
            st.caption(f"The newest {SHOWN} are shown, the others on the page Alerts.")
        _ask_moment(head)


def _show_alert(row: IncidentRow) -> None:
    now, zone = datetime.now(UTC), get_principal().time_zone
    what = f"{row.name_rule()}: {row.describe(zone, now)}"
    st.page_link(
        f"../pages/{keys.ALERTS}.py",
        label=f"{escape_markdown(what)} :gray[· {format_age(row.opened_at, now)}]",
        icon=":material/notifications:",
        query_params={keys.ALERT: str(row.id)},
    )


def _ask_moment(head: ProductSummary) -> None:
    """Ask for a day and a time by the user's clock, and explain that moment."""
    zone = ZoneInfo(get_principal().time_zone)
    now = datetime.now(zone)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        day = st.date_input("Day", now.date(), max_value=now.date(), width=150, key="why_day")
        at = st.time_input("Time", time(now.hour, now.minute), width=130, key="why_time")
        is_asked = st.button(delivery_explanation.TITLE, icon=delivery_explanation.ICON, key="why")
    if is_asked:
        moment = min(datetime.combine(day, at, zone), now).astimezone(UTC)
        delivery_explanation.show_explanation(head.product_id, moment)
