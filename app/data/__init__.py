"""Cached reads: the only place where Streamlit's cache meets the database.

One module per screen or subject. A cached function takes plain values, among them
the data versions of the products it reads, and returns DataFrames or frozen
dataclasses, never ORM rows.
"""

import streamlit as st

from app.auth.session import get_display, get_principal
from core.database import availability
from core.database.session import read_scope
from core.demo import seed

__all__ = ["get_display", "get_principal", "has_demo", "is_read_only"]


@st.cache_data(ttl=30, show_spinner=False)
def has_demo() -> bool:
    """Return whether the demo's products are stored."""
    with read_scope() as session:
        return seed.has_demo(session)


@st.cache_data(ttl=10, show_spinner=False)
def is_read_only() -> bool:
    """Return whether the database accepts no changes, as of ten seconds ago at most."""
    return availability.is_read_only()
