"""What the address of a page says: read here, made harmless, whatever it holds."""

import re

import streamlit as st

LONGEST = 500  # characters; no link of ours carries more in one parameter
_DIGITS = re.compile(r"[0-9]{1,18}")  # of the largest bigint there are nineteen
# NUL and halves of surrogate pairs exist in Python's text, not in PostgreSQL's.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def read_text(name: str) -> str | None:
    """Return a parameter's text, None where the address has none or an empty one.

    Signs that can't be stored become "�", so that nothing is found by them.
    """
    asked = st.query_params.get(name)
    return _UNSTORABLE.sub("\ufffd", asked[:LONGEST]) if asked else None


def read_number(name: str) -> int | None:
    """Return a parameter's whole number, None where it has none or none that ids can be."""
    asked = st.query_params.get(name) or ""
    return int(asked) if _DIGITS.fullmatch(asked) else None
