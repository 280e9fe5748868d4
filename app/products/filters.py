"""What a person chooses for a list: search, filters, order, page. All of it lives in the URL."""

import streamlit as st

from app import keys
from app.components import filters
from core.tracking.list_filter import (
    COUNT_CAP,
    ListFilter,
    ListScope,
    Sort,
    SortBy,
    State,
    page_count,
)
from core.tracking.rules import Role

ROLE = "role"
WHOSE = "whose"
_PICKED = (keys.MARKET, ROLE, keys.STATE, keys.TAG)

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
    for name in (keys.ASIN, keys.MARKETPLACE):
        st.query_params.pop(name, None)
    st.rerun()


def choose_list_filter(marketplaces: list[str], tags: list[str], whose: ListScope) -> ListFilter:
    """Show search and filters in one row; return what was chosen."""
    words = filters.choose_search("Search", keys.SEARCH, "Title, brand or ASIN", 280, keys.PAGE)
    codes = {code: code for code in marketplaces}
    chosen = filters.choose_options("Marketplaces", keys.MARKET, codes, keys.PAGE)
    roles = filters.choose_options("Roles", ROLE, ROLES, keys.PAGE)
    hidden = filters.label_with_count("State and tags", (keys.STATE, keys.TAG))
    with st.popover(hidden, icon=":material/tune:"):
        states = filters.choose_options("State", keys.STATE, STATES, keys.PAGE, is_labelled=True)
        chosen_tags = _tags(tags)
    return ListFilter(words, chosen, roles, states, chosen_tags, whose)


def _tags(options: list[str]) -> tuple[str, ...]:
    if not options:
        return ()
    chosen = st.multiselect(
        "Tags",
        options,
        key=keys.TAG,
        placeholder="Any tag",
        bind="query-params",
        on_change=filters.reset_page,
        args=(keys.PAGE,),
    )
    return tuple(str(tag) for tag in chosen)


def show_clear_button(asked: ListFilter) -> None:
    """Offer to take away what narrows a list; nothing where nothing does."""
    if not asked.is_empty:
        filters.show_clear_button(keys.SEARCH, _PICKED, keys.PAGE)


def choose_sort() -> Sort:
    """Show the order of the list; return what was chosen."""
    name = st.selectbox(
        "Sort by",
        list(SORTS),
        key=keys.SORT,
        label_visibility="collapsed",
        width=230,
        bind="query-params",
        on_change=filters.reset_page,
        args=(keys.PAGE,),
    )
    return SORTS[name]


def get_page() -> int:
    """Return the page that is asked for, before the pages can be counted."""
    return filters.get_page(keys.PAGE)


def show_pages(total: int, size: int) -> None:
    """Show the pages of a list, where there is more than one."""
    filters.show_pages(page_count(total, size), keys.PAGE)
    if total > COUNT_CAP:
        st.caption("Pages end at 10,000 products. Narrow the list to see the others.")


def choose_roles() -> tuple[Role, ...]:
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
