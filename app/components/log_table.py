"""Long logs: filters, the table, buttons to newer and older rows.

A page is found by the number of the last row of the page before it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import pandas as pd
import streamlit as st

from app.components import data_table

Choice = TypeVar("Choice")


def choose_filter(
    log: str, label: str, options: Mapping[Choice, str], key: str, everything: str, width: int = 220
) -> Choice | None:
    """Show a filter of a log; return the chosen option, None for everything."""
    return st.selectbox(
        label,
        list(options),
        index=None,
        placeholder=everything,
        format_func=options.__getitem__,
        key=key,
        label_visibility="collapsed",
        width=width,
        on_change=_show_newest,
        args=(log,),
    )


def show_log(rows: pd.DataFrame, columns: Mapping[str, Any], key: str) -> None:
    """Show a page of a log at full height."""
    data_table.show_table(
        rows,
        key,
        row_height=data_table.ROW_HEIGHT,
        height="content",
        column_config=columns,
        key=key,
    )


def get_cursor(log: str) -> int | None:
    """Return the number below which rows are shown, None for the newest page."""
    pages: list[int] = st.session_state.get(_key(log), [])
    return pages[-1] if pages else None


def _show_newest(log: str) -> None:
    st.session_state.pop(_key(log), None)


class NumberedRow(Protocol):
    """A row of a log."""

    @property
    def id(self) -> int:
        """The row's number; newer rows have higher ones."""
        ...


def show_page_buttons(log: str, found: Sequence[NumberedRow], size: int) -> None:
    """Show "Newer" and "Older". More than `size` rows found: there are older ones."""
    last_shown = found[size - 1].id if len(found) > size else None
    with st.container(horizontal=True, horizontal_alignment="right"):
        if get_cursor(log) is not None:
            st.button("Newer", icon=":material/arrow_back:", on_click=_show_newer, args=(log,))
        if last_shown is not None:
            st.button(
                "Older",
                icon=":material/arrow_forward:",
                on_click=_show_older,
                args=(log, last_shown),
            )


def _show_older(log: str, below: int) -> None:
    st.session_state[_key(log)] = [*st.session_state.get(_key(log), []), below]


def _show_newer(log: str) -> None:
    st.session_state[_key(log)] = st.session_state.get(_key(log), [])[:-1]


def _key(log: str) -> str:
    return f"_{log}_before"
