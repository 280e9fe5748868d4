"""What long logs share: choices that narrow one, its table, the way to older and newer lines.

Pages are turned by the number of the last line shown.
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
    """Show what a log can be narrowed to, in words; return the chosen one, None for everything."""
    return st.selectbox(
        label,
        list(options),
        index=None,
        placeholder=everything,
        format_func=options.__getitem__,
        key=key,
        label_visibility="collapsed",
        width=width,
        on_change=_newest,
        args=(log,),
    )


def show_log(rows: pd.DataFrame, columns: Mapping[str, Any], key: str) -> None:
    """Show lines of a log as high as they are."""
    data_table.show_table(
        rows,
        key,
        row_height=data_table.ROW_HEIGHT,
        height="content",
        column_config=columns,
        key=key,
    )


def get_cursor(log: str) -> int | None:
    """Return the number before which a log is shown, None for the newest."""
    pages: list[int] = st.session_state.get(_key(log), [])
    return pages[-1] if pages else None


def _newest(log: str) -> None:
    """Go back to the newest page: what narrows the log was changed."""
    st.session_state.pop(_key(log), None)


class Numbered(Protocol):
    """A line of a log."""

    @property
    def id(self) -> int:
        """Its number: a newer line has a higher one."""
        ...


def show_page_buttons(log: str, found: Sequence[Numbered], size: int) -> None:
    """Offer newer and older pages; a line more than `size` was found where there are older ones."""
    last_shown = found[size - 1].id if len(found) > size else None
    with st.container(horizontal=True, horizontal_alignment="right"):
        if get_cursor(log) is not None:
            st.button("Newer", icon=":material/arrow_back:", on_click=_newer, args=(log,))
        if last_shown is not None:
            st.button(
                "Older", icon=":material/arrow_forward:", on_click=_older, args=(log, last_shown)
            )


def _older(log: str, than: int) -> None:
    st.session_state[_key(log)] = [*st.session_state.get(_key(log), []), than]


def _newer(log: str) -> None:
    st.session_state[_key(log)] = st.session_state.get(_key(log), [])[:-1]


def _key(log: str) -> str:
    return f"_{log}_before"
