"""What kind of screen somebody looks at, as far as the browser says."""

import streamlit as st


def is_phone() -> bool:
    """Return whether the browser says that it is a phone's; a narrow window is none."""
    headers = st.context.headers
    return headers.get("Sec-Ch-Ua-Mobile") == "?1" or "Mobi" in str(headers.get("User-Agent", ""))
