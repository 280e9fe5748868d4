"""Where an error of a page ends: a message for the user, the traceback for the log."""

import logging
from secrets import token_hex

import psycopg
import streamlit as st
from sqlalchemy.exc import DBAPIError

from core.database import outages
from core.errors import AmazcopeError
from core.text.escaping import escape_markdown

log = logging.getLogger(__name__)

_UNSTORABLE = (
    "A text holds a character that can't be stored (NUL, or half of a pair). Nothing was "
    "changed. Leave the character out."
)
EXPECTED_ERRORS = (AmazcopeError, *outages.ERRORS, UnicodeEncodeError)
"""What a command may raise for the user to read beside its button; see `get_message`."""


def show_error(error: Exception) -> bool:
    """Show an error, log it with its traceback, and return True: it is handled.

    An AmazcopeError and a database outage have a message for the user. Of any other error
    only its number is shown; the log has the rest under this number.
    """
    number = token_hex(4)
    log.error("Page error %s", number, exc_info=error)
    sentence = find_message(error)
    if sentence is not None:
        st.error(sentence, icon=":material/error:")
        st.caption(f"Error {number}")
    else:
        st.error(
            f"This page could not be shown. Try again; if it happens again, look for "
            f"**{number}** in the log of the web process.",
            icon=":material/error:",
        )
    return True


def log_and_describe(error: Exception) -> str:
    """Log an error outside a page's run, and return its message for the user."""
    number = token_hex(4)
    log.error("Error beside a page %s", number, exc_info=error)
    return find_message(error) or (
        f"This could not be created. Try again; if it happens again, look for {number} in the log "
        "of the web process."
    )


def find_message(error: Exception) -> str | None:
    """Return an error's message for the user as Markdown, None for an unexpected error."""
    if isinstance(error, AmazcopeError):
        sentence: str | None = str(error)
    else:
        sentence = _UNSTORABLE if _is_unstorable(error) else outages.describe_outage(error)
    return None if sentence is None else escape_markdown(sentence)


def _is_unstorable(error: Exception) -> bool:
    """Return whether the error is a text that PostgreSQL can't store."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, UnicodeEncodeError):
        return cause.reason == "surrogates not allowed"
    return isinstance(cause, psycopg.DataError) and "NUL" in str(cause)


def get_message(error: Exception) -> str:
    """Return the message of one of EXPECTED_ERRORS as Markdown. Re-raises an unexpected error."""
    sentence = find_message(error)
    if sentence is None:
        raise error
    if not isinstance(error, AmazcopeError):
        log.warning("Nothing was changed: %s", error)
    return sentence
