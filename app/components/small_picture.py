"""A small drawing, such as the line of a figure. `st.image` searches the disk for its address."""

from html import escape
from typing import Literal

import streamlit as st


def show_drawing(drawing: str, alt: str, width: int | Literal["stretch"]) -> None:
    """Show a drawing of `core.small_lines`, `width` px wide or as wide as there is room."""
    style = "width:100%" if width == "stretch" else f"width:{width}px"
    source = f'src="{escape(drawing)}" alt="{escape(alt)}"'
    st.html(f'<img {source} style="display:block;{style}">', width=width)
