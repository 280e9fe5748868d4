"""The edge where an error of a page ends: a sentence for the person, the trace for the log."""

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
"""What a verb may raise that a person is told where it was asked for; see `get_message`."""


def show_error(error: Exception) -> bool:
    """Show an error, log it with its trace, and return True: it has been told.

    An error raised on purpose says itself what to do, and so does an outage of the
    database; of any other only its number is shown, under which the log keeps the rest.
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
    """Log an error of what runs beside a page, and return what to say of it."""
    number = token_hex(4)
    log.error("Error beside a page %s", number, exc_info=error)
    return find_message(error) or (
        f"This could not be made. Try again; if it happens again, look for {number} in the log "
        "of the web process."
    )


def find_message(error: Exception) -> str | None:
    """Return what to show of an error, as Markdown; None when nobody foresaw it."""
    if isinstance(error, AmazcopeError):
        sentence: str | None = str(error)
    else:
        sentence = _UNSTORABLE if _is_unstorable(error) else outages.describe_outage(error)
    return None if sentence is None else escape_markdown(sentence)


def _is_unstorable(error: Exception) -> bool:
    """Return whether a text was given that PostgreSQL can't hold."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, UnicodeEncodeError):
        return cause.reason == "surrogates not allowed"
    return isinstance(cause, psycopg.DataError) and "NUL" in str(cause)


def get_message(error: Exception) -> str:
    """Return what to show of an EXPECTED error, as Markdown. Raises one that is no outage."""
    sentence = find_message(error)
    if sentence is None:
        raise error
    if not isinstance(error, AmazcopeError):
        log.warning("Nothing was changed: %s", error)
    return sentence
