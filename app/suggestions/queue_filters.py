"""Filters of the review queue. All choices are in the URL."""

from collections.abc import Mapping

import streamlit as st

from app import keys
from app.components import filters, pagination
from app.components.filters import Choice
from core.suggestions.queue_filter import QueueFilter
from core.suggestions.review import labels
from core.suggestions.rules import SuggestionState

# Streamlit writes labels, not values, into the URL. A link with an unknown label, such as the
# earlier "Waiting", opens the pending suggestions.
_ALL = "All"
_STATUSES: dict[str, SuggestionState | None] = {
    **{label: state for state, label in labels.STATES.items()},
    _ALL: None,
}
_OPTIONS = (keys.KIND, keys.PRIORITY, keys.ADVISOR)


def restore_queue() -> None:
    """Show the queue with its last filters when the browser goes back to it."""
    if keys.ID in st.query_params:
        st.query_params.pop(keys.ID, None)
        st.rerun()


def choose_queue_filter() -> QueueFilter:
    """Show the filters; return what is chosen."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        status = st.segmented_control(
            "Status",
            list(_STATUSES),
            default=labels.STATES[SuggestionState.PENDING],
            required=True,
            key=keys.STATUS,
            label_visibility="collapsed",
            bind="query-params",
            on_change=pagination.reset_page,
            args=(keys.QUEUE_PAGE,),
        )
        search = filters.choose_search(
            "Product", keys.ABOUT, "Product: title, brand or ASIN", 260, keys.QUEUE_PAGE
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        kinds = filters.choose_options("Kinds", keys.KIND, labels.KINDS, keys.QUEUE_PAGE)
        label = filters.label_with_count("Priority and advisor", (keys.PRIORITY, keys.ADVISOR))
        with st.popover(label, icon=":material/tune:"):
            priorities = _choose_labelled("Priority", keys.PRIORITY, labels.PRIORITIES)
            advisors = _choose_labelled("Advisor", keys.ADVISOR, labels.ADVISORS)
    return QueueFilter(_STATUSES[status], kinds, priorities, advisors, search)


def _choose_labelled(label: str, key: str, options: Mapping[Choice, str]) -> tuple[Choice, ...]:
    return filters.choose_options(label, key, options, keys.QUEUE_PAGE, is_labelled=True)


def show_clear_button(queue_filter: QueueFilter) -> None:
    """Show "Clear filters" when a filter is set."""
    if queue_filter.is_narrow:
        filters.show_clear_button(keys.ABOUT, _OPTIONS, keys.QUEUE_PAGE)


def get_page() -> int:
    """Return the requested page of the queue; it may not exist."""
    return pagination.get_page(keys.QUEUE_PAGE)


def show_pages(total: int, size: int) -> None:
    """Show the page control of the queue."""
    pagination.show_pages(pagination.count_pages(total, size), keys.QUEUE_PAGE)
