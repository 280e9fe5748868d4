"""The silences of a team: what is silenced, by whom, why, until when, and the button to end one."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from app.commands import alerts as commands
from app.commands.products import run_with_toast
from app.data import get_principal
from app.data.alerts import SilenceRow
from core.accounts.access.permissions import Permission
from core.alerts.incidents.labels import describe_silence
from core.text.escaping import escape_markdown
from core.text.numbers import format_counted
from core.text.times import format_moment, format_span


def format_subtitle(rows: Sequence[SilenceRow]) -> str:
    """Return how many silences apply, and how many end within a day."""
    now = datetime.now(UTC)
    soon = sum(each.silence.ends_soon(now) for each in rows)
    also = f" · {format_counted(soon, 'silence')} ending within a day" if soon else ""
    return f"{format_counted(len(rows), 'silence')} now{also}"


def show_silences(rows: Sequence[SilenceRow]) -> None:
    """Show what is silenced now."""
    if not rows:
        st.info(
            "Nothing is silenced. “Silence” beside an alert keeps alerts of its product, rule or "
            "marketplace from being sent for a time.",
            icon=":material/notifications_active:",
        )
    for row in rows:
        _show_silence(row)


def _show_silence(row: SilenceRow) -> None:
    silence, now, zone = row.silence, datetime.now(UTC), get_principal().time_zone
    what = describe_silence(silence.kind, row.product, row.rule, silence.marketplace)
    until = format_moment(silence.ends_at, zone)
    left = format_span(silence.ends_at - now)
    badge = f" :orange-badge[ends in {left}]" if silence.ends_soon(now) else ""
    by = escape_markdown(silence.created_by or "a former user")
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", key=f"silence_{silence.id}"
    ):
        with st.container(gap=None):
            st.markdown(f"**{escape_markdown(what)}**{badge}")
            st.markdown(f"Until {until} · {escape_markdown(silence.reason)}")
            st.caption(f"By {by}, {format_moment(silence.begins_at, zone)}")
        if get_principal().may(Permission.TRACK):
            st.button(
                "End now",
                icon=":material/notifications_active:",
                key=f"end_silence_{silence.id}",
                on_click=run_with_toast,
                args=(commands.end_silence, silence.id),
            )
