"""A product's picture, or a quiet square of the same size."""

from html import escape
from typing import Final

import streamlit as st

# Product pictures have a white ground: in dark mode, they keep it as a small card.
_BOX: Final = (
    "display:block;width:{width}px;height:{width}px;border-radius:6px;box-sizing:border-box;"
    "border:1px solid light-dark(#e3e8e7,#3a4644);"
)
_PICTURE: Final = _BOX + "background:#fff;object-fit:contain"
_EMPTY: Final = _BOX + "background:light-dark(#f3f6f5,#222b2a)"


def show_thumbnail(address: str | None, alt: str, width: int) -> None:
    """Show a picture in a square of `width` px; without one, an empty square.

    `alt` "": the text beside it names the product already.
    """
    st.html(format_thumbnail(address, alt, width), width=width)


def format_thumbnail(address: str | None, alt: str, width: int) -> str:
    """Return the HTML of `show_thumbnail`."""
    if address is None:
        return f'<div style="{_EMPTY.format(width=width)}" aria-hidden="true"></div>'
    return (
        f'<img src="{escape(address)}" alt="{escape(alt)}" width="{width}" height="{width}" '
        f'loading="lazy" decoding="async" style="{_PICTURE.format(width=width)}">'
    )
