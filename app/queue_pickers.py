"""What a person chooses for the review queue. All of it lives in the URL."""

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

from app import keys
from core.suggestions import suggestion_words
from core.suggestions.lists import QueueFilter
from core.suggestions.rules import SuggestionState

Choice = TypeVar("Choice")

# Streamlit writes labels, not values, into the address: a changed label breaks sent links.
_ALL = "All"
_STATUSES: dict[str, SuggestionState | None] = {
    **{label: state for state, label in suggestion_words.STATES.items()},
    _ALL: None,
}
_PICKED = (keys.KIND, keys.PRIORITY, keys.ADVISOR)


def restore_queue() -> None:
    """Show the queue as it was left, when the browser's way back leads to it."""
    if keys.ID in st.query_params:
        st.query_params.pop(keys.ID, None)
        st.rerun()


def queue_filter() -> QueueFilter:
    """Show the filters; return what was chosen."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        status = st.segmented_control(
            "Status",
            list(_STATUSES),
            default=suggestion_words.STATES[SuggestionState.PENDING],
            required=True,
            key=keys.STATUS,
            label_visibility="collapsed",
            bind="query-params",
            on_change=_first_page,
        )
        words = st.text_input(
            "Product",
            key=keys.ABOUT,
            type="search",
            placeholder="Product: title, brand or ASIN",
            label_visibility="collapsed",
            width=260,
            max_chars=200,
            bind="query-params",
            on_change=_first_page,
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        kinds = _pills("Kinds", keys.KIND, suggestion_words.KINDS)
        with st.popover(_more_label(), icon=":material/tune:"):
            priorities = _pills("Priority", keys.PRIORITY, suggestion_words.PRIORITIES)
            advisors = _pills("Advisor", keys.ADVISOR, suggestion_words.ADVISORS)
    return QueueFilter(_STATUSES[status], kinds, priorities, advisors, words or "")


def _pills(label: str, key: str, options: Mapping[Choice, str]) -> tuple[Choice, ...]:
    chosen = st.pills(
        label,
        list(options),
        selection_mode="multi",
        format_func=options.__getitem__,
        key=key,
        label_visibility="collapsed" if key == keys.KIND else "visible",
        bind="query-params",
        on_change=_first_page,
    )
    return tuple(chosen)


def _more_label() -> str:
    chosen = sum(map(_chosen, (keys.PRIORITY, keys.ADVISOR)))
    return f"Priority and advisor · {chosen}" if chosen else "Priority and advisor"


def _chosen(key: str) -> int:
    """Return how many choices a picker has, also before it is shown for the first time."""
    if key in st.session_state:
        return len(st.session_state[key])
    return len(st.query_params.get_all(key))


def clear_button(asked: QueueFilter) -> None:
    """Offer to take away what narrows the queue; nothing where nothing does."""
    if asked.is_narrow:
        st.button("Clear filters", icon=":material/close:", key=keys.CLEAR, on_click=_clear)


def _clear() -> None:
    st.session_state[keys.ABOUT] = ""
    for name in _PICKED:
        st.session_state[name] = []
    _first_page()


def _first_page() -> None:
    """A narrower queue begins at its first page."""
    if keys.QUEUE_PAGE in st.session_state:
        st.session_state[keys.QUEUE_PAGE] = 1


def page_asked() -> int:
    """Return the page that is asked for, before the pages can be counted."""
    chosen = st.session_state.get(keys.QUEUE_PAGE) or st.query_params.get(keys.QUEUE_PAGE, "1")
    text = str(chosen)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def pages(number: int) -> None:
    """Show the pages of the queue, where there is more than one."""
    if number > 1:
        st.pagination(number, key=keys.QUEUE_PAGE, bind="query-params")
