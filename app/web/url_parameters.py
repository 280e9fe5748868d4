"""URL parameters of a page, read safely whatever they contain."""

import re

import streamlit as st

LONGEST = 500  # characters; no link of the app has more in one parameter
_DIGITS = re.compile(r"[0-9]{1,18}")  # of the largest bigint there are nineteen
# NUL and halves of surrogate pairs exist in Python's text, not in PostgreSQL's.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def read_text(name: str) -> str | None:
    """Return a parameter's text, None when it is missing or empty.

    Characters that can't be stored become "�".
    """
    text = st.query_params.get(name)
    return _UNSTORABLE.sub("\ufffd", text[:LONGEST]) if text else None


def read_number(name: str) -> int | None:
    """Return a parameter's whole number, None unless it is one that an id can have."""
    text = st.query_params.get(name) or ""
    return int(text) if _DIGITS.fullmatch(text) else None
