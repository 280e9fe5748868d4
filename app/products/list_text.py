"""The sentences around lists: how many, in what order, and what it means when there is none."""

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
    SortBy.OBSERVED_AT: "by last look",
}


def format_list_size(found: ListPage, asked: ListFilter, sort: Sort) -> str:
    """Say how many products there are and in which order: "12 products match · by price"."""
    noun = "product" if found.total == 1 else "products"
    matching = "" if asked.is_empty else " match" if found.total != 1 else " matches"
    parts = [f"{format_capped_count(found.total)} {noun}{matching}", _ORDERS[sort.by]]
    if sort.by is SortBy.PRICE and found.rows["marketplace"].nunique() > 1:
        parts.append("currencies are not converted: choose one marketplace to compare")
    return " · ".join(parts)


def show_nothing_found(asked: ListFilter) -> None:
    """The list is empty, though products are followed: by its filters, or by whose it is."""
    if asked.is_empty:
        st.info(
            "You follow no product yourself yet. Choose Team above to see what the others "
            "follow, or add products of your own.",
            icon=":material/person_search:",
        )
        return
    st.info(
        "No product matches. Take away a filter or a search word.", icon=":material/search_off:"
    )
