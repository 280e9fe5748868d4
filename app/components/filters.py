"""What the filters of lists share: choices as pills, how many are chosen, the page asked for.

All of it lives in the address. What narrows a list begins it at its first page.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TypeVar

import streamlit as st

from app import keys
from app.web import url_parameters

Choice = TypeVar("Choice")

_MOST_PAGES = 100_000  # beyond, the number is no page of any list


def choose_search(label: str, key: str, placeholder: str, width: int, page: str) -> str:
    """Show where words are typed to search for; return them."""
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
    """Show choices as pills, in their words; return those that are chosen."""
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


def label_with_count(label: str, pickers: Iterable[str]) -> str:
    """Return what stands on a closed popover: its label, and how many choices it hides."""
    chosen = sum(map(_chosen, pickers))
    return f"{label} · {chosen}" if chosen else label


def _chosen(key: str) -> int:
    """Return how many choices a picker has, also before it is shown for the first time."""
    if key in st.session_state:
        return len(st.session_state[key])
    return len(st.query_params.get_all(key))


def show_clear_button(words: str, pickers: Iterable[str], page: str) -> None:
    """Offer to take away the words and every choice that narrow a list."""
    st.button(
        "Clear filters",
        icon=":material/close:",
        key=keys.CLEAR,
        on_click=partial(_clear, words, tuple(pickers), page),
    )


def _clear(words: str, pickers: Iterable[str], page: str) -> None:
    st.session_state[words] = ""
    for key in pickers:
        if key in st.session_state:
            st.session_state[key] = []
    reset_page(page)


def reset_page(page: str) -> None:
    """Begin a list at its first page; for `on_change` of what narrows it."""
    if page in st.session_state:
        st.session_state[page] = 1


def get_page(page: str) -> int:
    """Return the page that is asked for, before the pages can be counted."""
    chosen: int | None = st.session_state.get(page) or url_parameters.read_number(page)
    return chosen if chosen and chosen < _MOST_PAGES else 1


def show_pages(number: int, page: str) -> None:
    """Show the pages of a list, where there is more than one."""
    if number > 1:
        # In a row of its own: in a horizontal container it shows the current page only.
        st.pagination(number, key=page, bind="query-params")
