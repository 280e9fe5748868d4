"""Cached reads: the only place where Streamlit's cache meets the database.

One module per screen's questions. A cached function takes plain values, among
them the data versions of the products it reads, and returns DataFrames or frozen
dataclasses, never rows of the ORM.
"""

import streamlit as st

from app.auth import session as signed_in
from core.accounts.access.permissions import Principal
from core.accounts.access.sessions import DisplayPreferences
from core.database import availability
from core.database.session import read_scope
from core.demo import seed


def principal() -> Principal:
    """Return who is signed in. Raises SignedOutError for nobody."""
    return signed_in.principal()


def display() -> DisplayPreferences:
    """Return how whoever is signed in wants to see pages. Raises SignedOutError for nobody."""
    return signed_in.get_display()


@st.cache_data(ttl=30, show_spinner=False)
def has_demo() -> bool:
    """Return whether invented products are among the products."""
    with read_scope() as session:
        return seed.has_demo(session)


@st.cache_data(ttl=10, show_spinner=False)
def is_read_only() -> bool:
    """Return whether the database accepts no changes, as of ten seconds ago at most."""
    return availability.is_read_only()
