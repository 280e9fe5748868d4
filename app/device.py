"""The user's device, as far as the browser reports it."""

import streamlit as st


def is_phone() -> bool:
    """Return whether the browser reports a phone; a narrow window is not one."""
    headers = st.context.headers
    return headers.get("Sec-Ch-Ua-Mobile") == "?1" or "Mobi" in str(headers.get("User-Agent", ""))
