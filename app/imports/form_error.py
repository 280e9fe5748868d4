"""An error in a click on the import page: kept until the page is drawn again, then shown once."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.web import error_boundary

_ERROR = "_import_error"


@contextmanager
def keep_error() -> Iterator[None]:
    """Keep the message of an expected error instead of raising it."""
    try:
        yield
    except error_boundary.EXPECTED_ERRORS as error:
        st.session_state[_ERROR] = error_boundary.get_message(error)


def show_kept_error() -> None:
    """Show the message that was kept, once."""
    message = st.session_state.pop(_ERROR, None)
    if message:
        st.error(message, icon=":material/error:")
