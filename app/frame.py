"""What stands beside every page: who is signed in, the demo's mark, the way out."""

import streamlit as st

from app import data, leaving
from core import wording
from core.accounts.rules import Acting

_LEAVING = "_leaving"


def sidebar(who: Acting) -> None:
    """Show who is signed in and how to sign out, below the navigation."""
    with st.sidebar:
        if st.session_state.get(_LEAVING):
            leaving.end()
            return
        with st.popover(wording.escape_markdown(who.name), icon=":material/account_circle:"):
            st.caption(f"Signed in as {who.role.value}")
            st.button("Sign out", icon=":material/logout:", on_click=_leave)
        if data.has_demo():
            st.caption("Demo market · invented products")


def _leave() -> None:
    st.session_state[_LEAVING] = True
