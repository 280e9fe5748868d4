"""What to do before the first data: a checklist instead of an empty Overview."""

import streamlit as st

from app import keys
from app.data import overview as data
from app.data.overview import FirstSteps

_DONE, _OPEN = ":material/check_circle:", ":material/radio_button_unchecked:"


def show_first_steps(steps: FirstSteps) -> None:
    """Show what is done and what is to do, each with the page where it is done."""
    is_admin = data.may_invite()
    with st.container(border=True):
        st.header("First steps", anchor=False)
        st.caption("No product has data yet, so nothing is known to be well or wrong.")
        _show_step(
            steps.is_connected,
            "Connect Apify",
            "Its actors read Amazon's pages: enter the token of an Apify account."
            if is_admin
            else "An administrator enters the token of an Apify account.",
            keys.CONNECTIONS if is_admin else None,
        )
        _show_step(
            steps.has_products,
            "Add products",
            "Paste links or ASINs, or upload a list or a Keepa export.",
            keys.ADD,
        )
        _show_step(
            False,
            "Wait for the first data",
            "The first check follows within minutes. Data health shows how it goes.",
            keys.HEALTH,
        )
        _show_step(
            steps.has_team,
            "Invite your team",
            "Sellers see charts, managers decide suggestions."
            if is_admin
            else "An administrator can invite others.",
            keys.ADMIN if is_admin else None,
        )


def _show_step(is_done: bool, label: str, about: str, page: str | None) -> None:
    with st.container(gap=None):
        icon = _DONE if is_done else _OPEN
        if is_done or page is None:
            st.markdown(f"{icon} **{label}**{': done' if is_done else ''}")
        else:
            st.page_link(f"../pages/{page}.py", label=f"**{label}**", icon=icon)
        st.caption(about)
