"""Text around the product list: its size and order, and why it is empty."""

import streamlit as st

from core.text.numbers import format_capped_count
from core.tracking.list_filter import ListFilter, Sort, SortBy
from core.tracking.lists.queries import ListPage

_ORDERS = {
    SortBy.ATTENTION: "what needs attention first",
    SortBy.TITLE: "by title",
    SortBy.PRICE: "by price",
    SortBy.RANK: "by rank",
    SortBy.RATING: "by rating",
    SortBy.RATINGS_COUNT: "by number of ratings",
    SortBy.OBSERVED_AT: "by last check",
}


def format_list_size(found: ListPage, list_filter: ListFilter, sort: Sort) -> str:
    """Return the list's size and order: "12 products match · by price"."""
    noun = "product" if found.total == 1 else "products"
    matching = "" if list_filter.is_empty else " match" if found.total != 1 else " matches"
    parts = [f"{format_capped_count(found.total)} {noun}{matching}", _ORDERS[sort.by]]
    if sort.by is SortBy.PRICE and found.rows["marketplace"].nunique() > 1:
        parts.append("currencies are not converted: choose one marketplace to compare")
    return " · ".join(parts)


def show_nothing_found(list_filter: ListFilter) -> None:
    """Show why the list is empty: its filters, or the list scope."""
    if list_filter.is_empty:
        st.info(
            "You track no product yourself yet. Choose Team above to see the products that "
            "others track, or add products of your own.",
            icon=":material/person_search:",
        )
        return
    st.info(
        "No product matches. Take away a filter or a search word.", icon=":material/search_off:"
    )
