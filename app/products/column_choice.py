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
    remembered = columns.choose_columns(data.read_columns())
    usual = [each.name for each in remembered if each in columns.CHOOSABLE]
    chosen: list[str] = st.session_state.get(_KEY, usual)
    if device.is_phone():
        return columns.choose_columns(tuple(chosen))
    with st.popover("Columns", icon=":material/view_column:"):
        names = st.pills(
            "Columns",
            [column.name for column in columns.CHOOSABLE],
            # The browser makes what is in a popover when it opens: from the default, even if
            # the value was set before.
            default=chosen,
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
