"""Reads of saved views and of the columns that a user chose."""

from typing import Final

import streamlit as st

from app.data import get_principal
from app.data.cache import cached_read
from app.data.products import get_cache_token
from core.accounts.access.permissions import Principal
from core.database.session import read_scope
from core.tracking.views import queries
from core.tracking.views.rules import SavedView

_COLUMNS: Final = "_product_columns"


def list_views() -> list[SavedView]:
    """Return the views that the user may choose, as of ten seconds ago at most."""
    return _list_views(get_principal(), get_cache_token())


@cached_read(seconds=10, entries=500)
def _list_views(who: Principal, token: str) -> list[SavedView]:
    del token
    with read_scope() as session:
        return queries.list_views(session, who)


def read_columns() -> tuple[str, ...]:
    """Return the columns that the user chose, none for the usual ones; read once a session."""
    if _COLUMNS not in st.session_state:
        with read_scope() as session:
            st.session_state[_COLUMNS] = queries.read_columns(session, get_principal())
    columns: tuple[str, ...] = st.session_state[_COLUMNS]
    return columns


def clear_columns() -> None:
    """Make this session read the columns again."""
    st.session_state.pop(_COLUMNS, None)
