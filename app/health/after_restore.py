"""What waits since a backup was restored, with the button by which an administrator continues."""

import streamlit as st

from app.commands import admin, products
from app.data import get_principal, health
from core.backup.labels import describe_pause, describe_paused_work, describe_token
from core.text.escaping import escape_markdown


def show_restored() -> None:
    """Show what begins when the pause ends, and the tokens in force; nothing without a pause."""
    found = health.read_restore()
    if found is None:
        return
    pause, work = found
    with st.container(border=True, gap="small", key="restored"):
        st.header("Restored from a backup", anchor=False)
        st.markdown(escape_markdown(describe_pause(pause, get_principal().time_zone)))
        st.markdown("\n".join(f"- {escape_markdown(each)}" for each in describe_paused_work(work)))
        if work.tokens:
            st.markdown("These API tokens act again, also those revoked since the backup:")
            lines = (f"- {escape_markdown(describe_token(each))}" for each in work.tokens)
            st.markdown("\n".join(lines))
        st.button(
            "Continue",
            type="primary",
            icon=":material/play_arrow:",
            key="end_restore_pause",
            on_click=_continue,
        )


def _continue() -> None:
    products.run_with_toast(admin.end_restore_pause)
    health.clear_health()
