"""Filters, order and pages of the product list. All choices are in the URL."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import streamlit as st

from app import device, keys
from app.components import filters, list_scope, pagination
from app.data import products
from app.web import url_parameters
from core.catalog.marketplaces import MARKETPLACES
from core.text.escaping import escape_markdown, shorten
from core.tracking.list_filter import COUNT_CAP, ListFilter, Sort, SortBy, State
from core.tracking.rules import Role

ROLE: Final = "role"
_OPTIONS: Final = (keys.MARKET, ROLE, keys.STATE, keys.TAG)

# Streamlit writes labels, not values, into the URL: a changed label breaks saved links.
ROLES: Final = {Role.OWN: "Own", Role.COMPETITOR: "Competitors", Role.WATCHED: "Tracked"}
RANK_WORSE: Final = "BSR worse"  # a state, over the chosen period
STATES: Final[dict[State | str, str]] = {
    State.ATTENTION: "Needs attention",
    State.OPPORTUNITY: "Opportunity",
    State.BUY_BOX_LOST: "Buy Box lost",
    RANK_WORSE: RANK_WORSE,
    State.IN_STOCK: "In stock",
    State.OUT_OF_STOCK: "Out of stock",
    State.SUPPRESSED: "Buy Box suppressed",
    State.GONE: "Removed",
    State.UNKNOWN: "Not reported",
    State.FLAGGED: "Flagged",
    State.PAUSED: "Paused",
}
SORTS: Final = {
    "Priority": Sort(),
    "BSR change, worst first": Sort(SortBy.RANK_CHANGE, True),
    "BSR change, best first": Sort(SortBy.RANK_CHANGE),
    "Price change, rises first": Sort(SortBy.PRICE_CHANGE, True),
    "Price change, falls first": Sort(SortBy.PRICE_CHANGE),
    "BSR, best first": Sort(SortBy.RANK),
    "BSR, worst first": Sort(SortBy.RANK, True),
    "Price, lowest first": Sort(SortBy.PRICE),
    "Price, highest first": Sort(SortBy.PRICE, True),
    "Rating, highest first": Sort(SortBy.RATING, True),
    "Rating, lowest first": Sort(SortBy.RATING),
    "Ratings, most first": Sort(SortBy.RATINGS_COUNT, True),
    "Ratings, fewest first": Sort(SortBy.RATINGS_COUNT),
    "Buy Box share, lowest first": Sort(SortBy.SELLER_SHARE),
    "Buy Box share, highest first": Sort(SortBy.SELLER_SHARE, True),
    "Buy Box seller, A to Z": Sort(SortBy.SELLER),
    "Buy Box seller, Z to A": Sort(SortBy.SELLER, True),
    "Status, worst first": Sort(SortBy.AVAILABILITY, True),
    "Status, best first": Sort(SortBy.AVAILABILITY),
    "Product, A to Z": Sort(SortBy.TITLE),
    "Product, Z to A": Sort(SortBy.TITLE, True),
    "Marketplace, A to Z": Sort(SortBy.MARKETPLACE),
    "Marketplace, Z to A": Sort(SortBy.MARKETPLACE, True),
    "Tags, A to Z": Sort(SortBy.TAGS),
    "Tags, Z to A": Sort(SortBy.TAGS, True),
    "Role, own first": Sort(SortBy.ROLE),
    "Role, tracked first": Sort(SortBy.ROLE, True),
    "ASIN, A to Z": Sort(SortBy.ASIN),
    "ASIN, Z to A": Sort(SortBy.ASIN, True),
    keys.NEWEST_CHECKED: Sort(SortBy.OBSERVED_AT, True),
    "Last checked, oldest first": Sort(SortBy.OBSERVED_AT),
}


def choose_search() -> str:
    """Show the search field; return its text."""
    width = 230 if device.is_phone() else 300  # beside the title
    return filters.choose_search("Search", keys.SEARCH, "Title, brand or ASIN", width, keys.PAGE)


def choose_list_filter(search: str, days: int) -> ListFilter:
    """Show all filters in one popover; return what is chosen. `days`: of the period."""
    label = filters.label_with_count("Filters", _OPTIONS)
    with st.popover(label, icon=":material/filter_list:"):
        scope = list_scope.choose_list_scope()
        codes = {code: code for code in products.list_marketplaces(scope)}
        choose = partial(filters.choose_options, page=keys.PAGE, is_labelled=True)
        places = choose("Marketplace", keys.MARKET, codes)
        roles = choose("Role", ROLE, ROLES)
        states = choose("Status", keys.STATE, STATES)
        tags = _choose_tags(products.list_tags(scope))
    return ListFilter(
        search,
        places,
        roles,
        tuple(state for state in states if isinstance(state, State)),
        tags,
        scope,
        rank_worse_days=days if RANK_WORSE in states else None,
        import_id=url_parameters.read_number(keys.IMPORT),
    )


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


def show_chosen(list_filter: ListFilter) -> None:
    """Show each chosen filter as a button that removes it, and one that removes all."""
    chosen: list[tuple[str, Any, str]] = [
        *((keys.MARKET, code, code) for code in list_filter.marketplaces),
        *((ROLE, role, ROLES[role]) for role in list_filter.roles),
        *((keys.STATE, state, STATES[state]) for state in list_filter.states),
        *((keys.TAG, tag, tag) for tag in list_filter.tags),
    ]
    if list_filter.rank_worse_days is not None:
        chosen.append((keys.STATE, RANK_WORSE, RANK_WORSE))
    if list_filter.import_id is not None:
        chosen.append((keys.IMPORT, list_filter.import_id, f"Import {list_filter.import_id}"))
    if not chosen and not list_filter.search:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for key, value, label in chosen[:_MOST_SHOWN]:
            st.button(
                escape_markdown(shorten(label, 40)),
                icon=":material/close:",
                key=f"without_{key}_{value}",
                help="Remove this filter",
                type="tertiary",
                on_click=_remove,
                args=(key, value),
            )
        filters.show_clear_button(keys.SEARCH, (*_OPTIONS, keys.IMPORT), keys.PAGE)


_MOST_SHOWN: Final = 12


def _remove(key: str, value: Any) -> None:
    if key == keys.IMPORT:
        st.query_params.pop(key, None)
    else:
        st.session_state[key] = [each for each in st.session_state[key] if each != value]
    pagination.reset_page(keys.PAGE)


def set_filter(list_filter: ListFilter) -> None:
    """Choose these filters, of those that the list has; for `on_click`."""
    scope = list_filter.scope
    known = {
        keys.MARKET: products.list_marketplaces(scope),
        keys.TAG: products.list_tags(scope),
    }
    states: list[Any] = list(list_filter.states)
    if list_filter.rank_worse_days is not None:
        states.append(RANK_WORSE)
    chosen: dict[str, list[Any]] = {
        keys.MARKET: [code for code in list_filter.marketplaces if code in known[keys.MARKET]],
        ROLE: list(list_filter.roles),
        keys.STATE: states,
        keys.TAG: [tag for tag in list_filter.tags if tag in known[keys.TAG]],
    }
    st.session_state[keys.SEARCH] = list_filter.search
    for key, values in chosen.items():
        if values or key in st.session_state:
            st.session_state[key] = values
    if list_filter.import_id is None:
        st.query_params.pop(keys.IMPORT, None)
    else:
        st.query_params[keys.IMPORT] = str(list_filter.import_id)
    list_scope.set_list_scope(scope)
    pagination.reset_page(keys.PAGE)


def choose_sort(list_filter: ListFilter, days: int) -> Sort:
    """Show the order of the list; return what is chosen, with the days of a change.

    Amounts in different currencies have no order: then the list stays by priority.
    """
    name = st.selectbox(
        "Sort the whole list",
        list(SORTS),
        key=keys.SORT,
        label_visibility="collapsed",
        width=160 if device.is_phone() else 210,
        bind="query-params",
        on_change=pagination.reset_page,
        args=(keys.PAGE,),
        help="Sorts the whole list, not only this page. A click on a column's header does the "
        "same, a second one turns the order round.",
    )
    sort = replace(SORTS[name], days=days)
    if sort.by is SortBy.PRICE and has_several_currencies(list_filter):
        return Sort()
    return sort


def is_price_chosen() -> bool:
    """Return whether the list was asked for by price."""
    return SORTS.get(str(st.session_state.get(keys.SORT)), Sort()).by is SortBy.PRICE


def has_several_currencies(list_filter: ListFilter) -> bool:
    """Return whether the filtered list may have prices in more than one currency."""
    places: Sequence[str] = list_filter.marketplaces
    places = places or products.list_marketplaces(list_filter.scope)
    return len({MARKETPLACES[code].currency for code in places if code in MARKETPLACES}) > 1


def sort_by(by: SortBy) -> None:
    """Sort the list by a column, by the same column the other way round; for callbacks."""
    labels = [label for label, sort in SORTS.items() if sort.by is by]
    chosen = st.session_state.get(keys.SORT)
    place = (labels.index(chosen) + 1) % len(labels) if chosen in labels else 0
    set_sort(labels[place])


def set_sort(label: str) -> None:
    """Choose an order; for callbacks."""
    st.session_state[keys.SORT] = label
    pagination.reset_page(keys.PAGE)


def find_sort_label(sort: Sort) -> str:
    """Return the label of an order."""
    alike = (label for label, each in SORTS.items() if replace(sort, days=each.days) == each)
    return next(alike, next(iter(SORTS)))


def get_page() -> int:
    """Return the requested page of the list; it may not exist."""
    return pagination.get_page(keys.PAGE)


def show_pages(total: int, size: int) -> None:
    """Show the page control of the list; it ends where exact counts end."""
    pagination.show_pages(pagination.count_pages(min(total, COUNT_CAP), size), keys.PAGE)
    if total > COUNT_CAP:
        st.caption("Showing the first 10,000. Refine your filters. The export has all.")
