"""What a person chooses for the review queue. All of it lives in the URL."""

from collections.abc import Mapping

import streamlit as st

from app import keys
from app.components import filters
from app.components.filters import Choice
from core.suggestions.queue_filter import QueueFilter
from core.suggestions.review import labels
from core.suggestions.rules import SuggestionState

# Streamlit writes labels, not values, into the address: a link with an unknown label opens the
# pending ones, as those with the earlier label "Waiting" have to.
_ALL = "All"
_STATUSES: dict[str, SuggestionState | None] = {
    **{label: state for state, label in labels.STATES.items()},
    _ALL: None,
}
_PICKED = (keys.KIND, keys.PRIORITY, keys.ADVISOR)


def restore_queue() -> None:
    """Show the queue as it was left, when the browser's way back leads to it."""
    if keys.ID in st.query_params:
        st.query_params.pop(keys.ID, None)
        st.rerun()


def choose_queue_filter() -> QueueFilter:
    """Show the filters; return what was chosen."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        status = st.segmented_control(
            "Status",
            list(_STATUSES),
            default=labels.STATES[SuggestionState.PENDING],
            required=True,
            key=keys.STATUS,
            label_visibility="collapsed",
            bind="query-params",
            on_change=filters.reset_page,
            args=(keys.QUEUE_PAGE,),
        )
        words = filters.choose_search(
            "Product", keys.ABOUT, "Product: title, brand or ASIN", 260, keys.QUEUE_PAGE
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        kinds = filters.choose_options("Kinds", keys.KIND, labels.KINDS, keys.QUEUE_PAGE)
        hidden = filters.label_with_count("Priority and advisor", (keys.PRIORITY, keys.ADVISOR))
        with st.popover(hidden, icon=":material/tune:"):
            priorities = _labelled("Priority", keys.PRIORITY, labels.PRIORITIES)
            advisors = _labelled("Advisor", keys.ADVISOR, labels.ADVISORS)
    return QueueFilter(_STATUSES[status], kinds, priorities, advisors, words)


def _labelled(label: str, key: str, options: Mapping[Choice, str]) -> tuple[Choice, ...]:
    return filters.choose_options(label, key, options, keys.QUEUE_PAGE, is_labelled=True)


def show_clear_button(asked: QueueFilter) -> None:
    """Offer to take away what narrows the queue; nothing where nothing does."""
    if asked.is_narrow:
        filters.show_clear_button(keys.ABOUT, _PICKED, keys.QUEUE_PAGE)


def get_page() -> int:
    """Return the page that is asked for, before the pages can be counted."""
    return filters.get_page(keys.QUEUE_PAGE)


def show_pages(number: int) -> None:
    """Show the pages of the queue, where there is more than one."""
    filters.show_pages(number, keys.QUEUE_PAGE)
