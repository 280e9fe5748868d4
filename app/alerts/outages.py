"""Blocked sources on the Alerts screen, for administrators: they mute alerts of products."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from app import keys
from app.commands import alerts as commands
from app.commands.products import run_with_toast
from core.alerts.incidents.source_outages import OutageIncident
from core.text.escaping import escape_markdown
from core.text.times import format_age


def show_outages(outages: Sequence[OutageIncident]) -> None:
    """Show each blocked source with what it does, and a button to acknowledge it."""
    for outage in outages:
        _show_outage(outage, datetime.now(UTC))


def _show_outage(outage: OutageIncident, now: datetime) -> None:
    icon = ":material/cloud_off:" if outage.ended_at is None else ":material/cloud_done:"
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", key=f"outage_{outage.id}"
    ):
        with st.container(gap=None):
            st.markdown(f"{icon} {escape_markdown(outage.describe(now))}")
            if outage.acknowledged_at is not None:
                by = "" if outage.acknowledged_by is None else f" by {outage.acknowledged_by}"
                age = format_age(outage.acknowledged_at, now)
                st.caption(escape_markdown(f"Acknowledged{by}, {age}"))
        st.page_link(f"../pages/{keys.HEALTH}.py", label="Data health")
        if outage.acknowledged_at is None and outage.ended_at is None:
            st.button(
                "Acknowledge",
                icon=":material/check:",
                key=f"acknowledge_outage_{outage.id}",
                on_click=run_with_toast,
                args=(commands.acknowledge_outage, outage.id),
            )
