"""Which columns of the product list a user sees. Remembered for the user."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from app import device
from app.commands import views as commands
from app.data import views as data
from app.products import columns
from app.products.columns import ListColumn

_KEY: Final = "product_columns"


def choose_columns() -> list[ListColumn]:
    """Show the columns to choose from; return the shown ones in their order. Phones have none."""
    if _KEY not in st.session_state:
        chosen = columns.choose_columns(data.read_columns())
        st.session_state[_KEY] = [each.name for each in chosen if each in columns.CHOOSABLE]
    if device.is_phone():
        return columns.choose_columns(tuple(st.session_state[_KEY]))
    with st.popover("Columns", icon=":material/view_column:"):
        names = st.pills(
            "Columns",
            [column.name for column in columns.CHOOSABLE],
            selection_mode="multi",
            format_func=_label,
            key=_KEY,
            on_change=_remember,
            help="Remembered for you. Without any, the usual ones are shown.",
        )
    return columns.choose_columns(tuple(names))


def _label(name: str) -> str:
    return columns.format_label(columns.find_column(name), "change")


def set_columns(names: Sequence[str]) -> None:
    """Show these columns until the user chooses others; for callbacks."""
    st.session_state[_KEY] = [each.name for each in columns.CHOOSABLE if each.name in names]


def _remember() -> None:
    commands.set_columns(st.session_state[_KEY])
