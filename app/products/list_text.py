"""Text around the product list: its size and order, and why it is empty."""

import streamlit as st

from app.components.change_period import PERIOD_NAMES
from app.products import filters
from core.history.periods.change_period import ChangePeriod
from core.text.numbers import format_capped_count, format_count
from core.tracking.list_filter import ListFilter, Sort, SortBy
from core.tracking.lists.queries import ListPage

MIXED = (
    "Prices in different currencies aren't compared: sorted by priority. "
    "Filter by one marketplace to sort by price, or sort by price change."
)


def format_list_size(found: ListPage) -> str:
    """Return the list's size: "12 products"."""
    noun = "product" if found.total == 1 else "products"
    return f"{format_capped_count(found.total)} {noun}"


def format_place(found: ListPage, sort: Sort, period: ChangePeriod) -> str:
    """Return which part of the list is shown, and its order."""
    first = found.skipped + 1
    last = first + len(found.rows) - 1
    of = f"{format_count(first)}–{format_count(last)} of {format_capped_count(found.total)}"
    order = filters.find_sort_label(sort)
    is_change = sort.by in (SortBy.PRICE_CHANGE, SortBy.RANK_CHANGE)
    return f"{of} · {order}{f', {PERIOD_NAMES[period]}' if is_change else ''}"


def show_order_refused(list_filter: ListFilter) -> None:
    """Show why the list is not by price, where that was asked for."""
    if filters.is_price_chosen() and filters.has_several_currencies(list_filter):
        st.caption(f":material/info: {MIXED}")


def show_nothing_found(list_filter: ListFilter) -> None:
    """Show why the list is empty: its filters, or the list scope."""
    if list_filter.is_empty:
        st.info(
            "You track no product yourself yet. Choose All products in the filters to see those "
            "that others track, or add products of your own.",
            icon=":material/person_search:",
        )
        return
    st.info("No products match your filters.", icon=":material/search_off:")
