"""Filters, order and pages of the product list. All choices are in the URL."""

import streamlit as st

from app import keys
from app.components import filters, pagination
from core.tracking.list_filter import (
    COUNT_CAP,
    ListFilter,
    ListScope,
    Sort,
    SortBy,
    State,
)
from core.tracking.rules import Role

ROLE = "role"
_OPTIONS = (keys.MARKET, ROLE, keys.STATE, keys.TAG)

# Streamlit writes labels, not values, into the URL: a changed label breaks saved links.
ROLES = {Role.OWN: "Own", Role.COMPETITOR: "Competitors", Role.WATCHED: "Watched"}
STATES = {
    State.ATTENTION: "Needs attention",
    State.OPPORTUNITY: "Opportunity",
    State.IN_STOCK: "In stock",
    State.OUT_OF_STOCK: "Out of stock",
    State.SUPPRESSED: "Buy Box suppressed",
    State.GONE: "Page gone",
    State.UNKNOWN: "Unknown",
    State.FLAGGED: "Doubtful",
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
    keys.NEWEST_CHECKED: Sort(SortBy.OBSERVED_AT, True),
    "Oldest look": Sort(SortBy.OBSERVED_AT),
}


def choose_list_filter(marketplaces: list[str], tags: list[str], whose: ListScope) -> ListFilter:
    """Show search and filters in one row; return what is chosen."""
    search = filters.choose_search("Search", keys.SEARCH, "Title, brand or ASIN", 280, keys.PAGE)
    codes = {code: code for code in marketplaces}
    chosen_places = filters.choose_options("Marketplaces", keys.MARKET, codes, keys.PAGE)
    roles = filters.choose_options("Roles", ROLE, ROLES, keys.PAGE)
    label = filters.label_with_count("State and tags", (keys.STATE, keys.TAG))
    with st.popover(label, icon=":material/tune:"):
        states = filters.choose_options("State", keys.STATE, STATES, keys.PAGE, is_labelled=True)
        chosen_tags = _choose_tags(tags)
    return ListFilter(search, chosen_places, roles, states, chosen_tags, whose)


def _choose_tags(options: list[str]) -> tuple[str, ...]:
    if not options:
        return ()
    chosen = st.multiselect(
        "Tags",
        options,
        key=keys.TAG,
        placeholder="Any tag",
        bind="query-params",
        on_change=pagination.reset_page,
        args=(keys.PAGE,),
    )
    return tuple(str(tag) for tag in chosen)


def show_clear_button(list_filter: ListFilter) -> None:
    """Show "Clear filters" when a filter is set."""
    if not list_filter.is_empty:
        filters.show_clear_button(keys.SEARCH, _OPTIONS, keys.PAGE)


def choose_sort() -> Sort:
    """Show the order of the list; return what is chosen."""
    name = st.selectbox(
        "Sort by",
        list(SORTS),
        key=keys.SORT,
        label_visibility="collapsed",
        width=230,
        bind="query-params",
        on_change=pagination.reset_page,
        args=(keys.PAGE,),
    )
    return SORTS[name]


def get_page() -> int:
    """Return the requested page of the list; it may not exist."""
    return pagination.get_page(keys.PAGE)


def show_pages(total: int, size: int) -> None:
    """Show the page control of the list; it ends where exact counts end."""
    pagination.show_pages(pagination.count_pages(min(total, COUNT_CAP), size), keys.PAGE)
    if total > COUNT_CAP:
        st.caption("Pages end at 10,000 products. Narrow the list to see the others.")
