"""Cached reads: the only place where Streamlit's cache meets the database.

One module per screen's questions. A cached function takes plain values, among
them the data versions of the products it reads, and returns DataFrames or frozen
dataclasses, never rows of the ORM.
"""

import streamlit as st

from core.accounts.rules import Acting
from core.accounts.service import acting_owner
from core.db import read_scope
from core.demo import load


@st.cache_data(ttl=60, show_spinner=False)
def acting() -> Acting:
    """Return who acts: the local owner, until there is sign-in."""
    with read_scope() as session:
        return acting_owner(session)


@st.cache_data(ttl=30, show_spinner=False)
def has_demo() -> bool:
    """Return whether invented products are among the products."""
    with read_scope() as session:
        return load.has_demo(session)
