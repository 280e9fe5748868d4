"""Whose list is shown: one's own, or the team's. The choice lives in the URL."""

import streamlit as st

from app.data import principal
from core.accounts.access.permissions import Permission
from core.tracking.list_filter import Whose

KEY = "list"
# Streamlit writes labels, not values, into the address: a changed label breaks sent links.
LABELS = {Whose.MINE: "Mine", Whose.TEAM: "Team"}


def usual() -> Whose:
    """Return the list that somebody starts with: sellers with theirs, the others with all."""
    who = principal()
    is_seller = who.may(Permission.TRACK) and not who.may(Permission.TEAM)
    return Whose.MINE if is_seller else Whose.TEAM


def pick() -> Whose:
    """Let the person choose; who only reads has no list of their own to choose."""
    if not principal().may(Permission.TRACK):
        return Whose.TEAM
    chosen = st.segmented_control(
        "Whose list",
        list(LABELS.values()),
        default=LABELS[usual()],
        required=True,
        key=KEY,
        label_visibility="collapsed",
        bind="query-params",
    )
    return next(whose for whose, label in LABELS.items() if label == chosen)


def may_change(whose: Whose) -> bool:
    """Return whether the person may change what a list holds."""
    return principal().may(Permission.TEAM if whose is Whose.TEAM else Permission.TRACK)
