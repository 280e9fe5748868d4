"""What the pages keep in memory, forgotten between tests."""

import streamlit as st

from app.data.cache import ALL_READS


def forget_all() -> None:
    """Make every page read anew."""
    st.cache_data.clear()
    for each in ALL_READS:
        each.forget()
