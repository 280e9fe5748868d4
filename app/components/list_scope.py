"""The list scope: the user's own products or the team's. The choice is in the URL."""

import streamlit as st

from app.data import get_principal
from core.accounts.access.permissions import Permission
from core.tracking.list_filter import ListScope, default_list_scope

KEY = "list"
# Streamlit writes labels, not values, into the URL: a changed label breaks saved links.
LABELS = {ListScope.MINE: "My products", ListScope.TEAM: "All products"}


def choose_list_scope() -> ListScope:
    """Show the list scopes; return the chosen one. Users who only read have no own list."""
    if not get_principal().may(Permission.TRACK):
        return ListScope.TEAM
    chosen = st.segmented_control(
        "Whose list",
        list(LABELS.values()),
        default=LABELS[default_list_scope(get_principal())],
        required=True,
        key=KEY,
        label_visibility="collapsed",
        bind="query-params",
    )
    return next(whose for whose, label in LABELS.items() if label == chosen)


def may_change(whose: ListScope) -> bool:
    """Return whether the user may change the products of a list scope."""
    return get_principal().may(Permission.TEAM if whose is ListScope.TEAM else Permission.TRACK)


def get_list_scope() -> ListScope:
    """Return the chosen list scope; for callbacks."""
    chosen = st.session_state.get(KEY)
    default = default_list_scope(get_principal())
    return next((whose for whose, label in LABELS.items() if label == chosen), default)


def set_list_scope(whose: ListScope) -> None:
    """Choose a list scope; for callbacks of pages that show them."""
    if get_principal().may(Permission.TRACK):
        st.session_state[KEY] = LABELS[whose]
