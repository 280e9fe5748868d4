"""The popover with the user's Atom feed: create its address, shown once, and revoke it."""

import streamlit as st

from app.commands import reports as commands
from app.commands.account import run_with_toast
from app.data import get_principal
from app.data import reports as data
from core.text.times import format_moment


def show_feed_popover() -> None:
    """Show whether there is a feed, and what the user may do with it."""
    with st.popover("Feed", icon=":material/rss_feed:"):
        st.caption(
            "Your alerts of two weeks and your reports for a feed reader (Atom). All who have the "
            "address can read them: it is shown once, and you can revoke it."
        )
        if commands.FEED in st.session_state:
            st.code(st.session_state[commands.FEED], language=None, wrap_lines=True)
        made_at = data.find_feed_time()
        if made_at is not None:
            st.caption(f"Created {format_moment(made_at, get_principal().time_zone)}")
        with st.container(horizontal=True):
            st.button(
                "Create address" if made_at is None else "Replace address",
                key="create_feed",
                on_click=run_with_toast,
                args=(commands.create_feed,),
            )
            if made_at is not None:
                st.button(
                    "Revoke",
                    key="revoke_feed",
                    on_click=run_with_toast,
                    args=(commands.revoke_feed,),
                )
