"""Turning pages of a long log: older and newer, by the number of the last one shown."""

from collections.abc import Sequence
from typing import Protocol

import streamlit as st


def before(log: str) -> int | None:
    """Return the number before which a log is shown, None for the newest."""
    pages: list[int] = st.session_state.get(_key(log), [])
    return pages[-1] if pages else None


def newest(log: str) -> None:
    """Go back to the newest page; for `on_change` of what narrows the log."""
    st.session_state.pop(_key(log), None)


class Numbered(Protocol):
    """A line of a log."""

    @property
    def id(self) -> int:
        """Its number: a newer line has a higher one."""
        ...


def buttons(log: str, found: Sequence[Numbered], size: int) -> None:
    """Offer newer and older pages; a line more than `size` was found where there are older ones."""
    last_shown = found[size - 1].id if len(found) > size else None
    with st.container(horizontal=True, horizontal_alignment="right"):
        if before(log) is not None:
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
