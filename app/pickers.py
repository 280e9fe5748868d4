"""What a person chooses for a list: search, filters, order, page. All of it lives in the URL."""

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

from app import keys
from app.product_choice import MARKETPLACE
from core.tracking.lists import COUNT_CAP, ListFilter, Sort, SortBy, State, Whose, page_count
from core.tracking.rules import Role

ROLE = "role"
WHOSE = "whose"

Choice = TypeVar("Choice", bound=str)

# Streamlit writes labels, not values, into the address: a changed label breaks sent links.
ROLES = {Role.OWN: "Own", Role.COMPETITOR: "Competitors", Role.WATCHED: "Watched"}
ALL = "All"
STATES = {
    State.ATTENTION: "Needs attention",
    State.OPPORTUNITY: "Opportunity",
    State.IN_STOCK: "In stock",
    State.OUT_OF_STOCK: "Out of stock",
    State.SUPPRESSED: "Buy Box suppressed",
    State.GONE: "Page gone",
    State.UNKNOWN: "Unknown",
    State.DOUBTFUL: "Doubtful",
    State.PAUSED: "Paused",
}
SORTS = {
    "What needs attention": Sort(),
    "Title": Sort(SortBy.TITLE),
    "Best rank": Sort(SortBy.RANK),
    "Worst rank": Sort(SortBy.RANK, True),
    "Lowest price": Sort(SortBy.PRICE),
    "Highest price": Sort(SortBy.PRICE, True),
    "Best rating": Sort(SortBy.RATING, True),
    "Worst rating": Sort(SortBy.RATING),
    "Most ratings": Sort(SortBy.RATINGS_COUNT, True),
    "Newest look": Sort(SortBy.LAST_LOOK, True),
    "Oldest look": Sort(SortBy.LAST_LOOK),
}


def restore_list() -> None:
    """Show the list as it was left, when the browser's way back leads to it.

    Streamlit puts an address of its own making between list and product: the
    list's, with the product's parameters instead of the filters. Going back, it
    takes the filters from there; in any other run it remembers them.
    """
    if keys.ASIN not in st.query_params:
        return
    for name in (keys.ASIN, MARKETPLACE):
        st.query_params.pop(name, None)
    st.rerun()


def list_filter(marketplaces: list[str], tags: list[str], whose: Whose) -> ListFilter:
    """Show search and filters in one row; return what was chosen."""
    search = st.text_input(
        "Search",
        key=keys.SEARCH,
        type="search",
        placeholder="Title, brand or ASIN",
        label_visibility="collapsed",
        width=280,
        max_chars=200,
        bind="query-params",
        on_change=_first_page,
    )
    chosen = _pills("Marketplaces", keys.MARKET, {code: code for code in marketplaces})
    roles = _pills("Roles", ROLE, ROLES)
    with st.popover(_more_label(), icon=":material/tune:"):
        states = _pills("State", keys.STATE, STATES, is_labelled=True)
        chosen_tags = _tags(tags)
    return ListFilter(search or "", chosen, roles, states, chosen_tags, whose)


def _pills(
    label: str, key: str, options: Mapping[Choice, str], *, is_labelled: bool = False
) -> tuple[Choice, ...]:
    """Show choices as pills; return those that are chosen."""
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
        on_change=_first_page,
    )
    return tuple(chosen)


def _tags(options: list[str]) -> tuple[str, ...]:
    if not options:
        return ()
    chosen = st.multiselect(
        "Tags",
        options,
        key=keys.TAG,
        placeholder="Any tag",
        bind="query-params",
        on_change=_first_page,
    )
    return tuple(str(tag) for tag in chosen)


def _more_label() -> str:
    chosen = _chosen(keys.STATE) + _chosen(keys.TAG)
    return f"State and tags · {chosen}" if chosen else "State and tags"


def _chosen(key: str) -> int:
    """Return how many choices a picker has, also before it is shown for the first time."""
    if key in st.session_state:
        return len(st.session_state[key])
    return len(st.query_params.get_all(key))


def clear_button(asked: ListFilter) -> None:
    """Offer to take away what narrows a list; nothing where nothing does."""
    if not asked.is_empty:
        st.button("Clear filters", icon=":material/close:", key=keys.CLEAR, on_click=clear)


def clear() -> None:
    """Take away the search and every filter; for `on_click`."""
    st.session_state[keys.SEARCH] = ""
    for name in (keys.MARKET, ROLE, keys.STATE, keys.TAG):
        if name in st.session_state:
            st.session_state[name] = []
    _first_page()


def _first_page() -> None:
    """A narrower list begins at its first page."""
    if keys.PAGE in st.session_state:
        st.session_state[keys.PAGE] = 1


def sort() -> Sort:
    """Show the order of the list; return what was chosen."""
    name = st.selectbox(
        "Sort by",
        list(SORTS),
        key=keys.SORT,
        label_visibility="collapsed",
        width=230,
        bind="query-params",
        on_change=_first_page,
    )
    return SORTS[name]


def page_asked() -> int:
    """Return the page that is asked for, before the pages can be counted."""
    chosen = st.session_state.get(keys.PAGE) or st.query_params.get(keys.PAGE, "1")
    text = str(chosen)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def pages(total: int, size: int) -> None:
    """Show the pages of a list, where there is more than one."""
    number = page_count(total, size)
    if number > 1:
        # In a row of its own: in a horizontal container it shows the current page only.
        st.pagination(number, key=keys.PAGE, bind="query-params")
    if total > COUNT_CAP:
        st.caption("Pages end at 10,000 products. Narrow the list to see the others.")


def whose() -> tuple[Role, ...]:
    """Show whose products the overview is about; return the roles, empty for all."""
    labels = [ROLES[Role.OWN], ROLES[Role.COMPETITOR], ALL]
    chosen = st.segmented_control(
        "Whose products",
        labels,
        default=ALL,
        required=True,
        key=WHOSE,
        label_visibility="collapsed",
        bind="query-params",
    )
    return tuple(role for role, label in ROLES.items() if label == chosen)
