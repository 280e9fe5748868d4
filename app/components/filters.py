"""Filter controls of lists: search, options, "Clear filters".

All choices are in the URL. A changed filter shows the list's first page.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TypeVar

import streamlit as st

from app import keys
from app.components.pagination import reset_page

Choice = TypeVar("Choice")


def choose_search(label: str, key: str, placeholder: str, width: int, page: str) -> str:
    """Show a search field; return its text. `page`: the list's page parameter."""
    typed = st.text_input(
        label,
        key=key,
        type="search",
        placeholder=placeholder,
        label_visibility="collapsed",
        width=width,
        max_chars=200,
        bind="query-params",
        on_change=reset_page,
        args=(page,),
    )
    return typed or ""


def choose_options(
    label: str,
    key: str,
    options: Mapping[Choice, str],
    page: str,
    *,
    is_labelled: bool = False,
) -> tuple[Choice, ...]:
    """Show options as pills; return the chosen ones. `page`: the list's page parameter."""
    if not options:
        return ()
    chosen = st.pills(
        label,
        list(options),
        selection_mode="multi",
        format_func=options.__getitem__,
        key=key,
        label_visibility="visible" if is_labelled else "collapsed",
        bind="query-params",
        on_change=reset_page,
        args=(page,),
    )
    return tuple(chosen)


def label_with_count(label: str, controls: Iterable[str]) -> str:
    """Return the label of a closed popover with the number of choices in it."""
    chosen = sum(map(_count_chosen, controls))
    return f"{label} · {chosen}" if chosen else label


def _count_chosen(key: str) -> int:
    """Return how many options a control has chosen, also before it is first shown."""
    if key in st.session_state:
        return len(st.session_state[key])
    return len(st.query_params.get_all(key))


def show_clear_button(search: str | None, controls: Iterable[str], page: str) -> None:
    """Show the button that clears the search, if the list has one, and every other filter."""
    st.button(
        "Clear filters",
        icon=":material/close:",
        key=keys.CLEAR,
        on_click=partial(_clear, search, tuple(controls), page),
    )


def _clear(search: str | None, controls: Iterable[str], page: str) -> None:
    if search is not None:
        st.session_state[search] = ""
    for key in controls:
        if key in st.session_state:
            st.session_state[key] = []
        else:  # in the URL alone
            st.query_params.pop(key, None)
    reset_page(page)
