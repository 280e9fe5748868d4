"""The edge where an error of a page ends: a sentence for the person, the trace for the log."""

import logging
from secrets import token_hex

import streamlit as st

from core import wording
from core.errors import AmazcopeError

log = logging.getLogger(__name__)


def tell(error: Exception) -> bool:
    """Show an error, log it with its trace, and return True: it has been told.

    An error raised on purpose says itself what to do; of any other only its
    number is shown, under which the log keeps the rest.
    """
    number = token_hex(4)
    log.error("Page error %s", number, exc_info=error)
    if isinstance(error, AmazcopeError):
        st.error(wording.escape_markdown(str(error)), icon=":material/error:")
        st.caption(f"Error {number}")
    else:
        st.error(
            f"This page could not be shown. Try again; if it happens again, look for "
            f"**{number}** in the log of the web process.",
            icon=":material/error:",
        )
    return True
