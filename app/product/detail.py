"""What the Product screen shows of a product without data, or without a product."""

from datetime import UTC, datetime

import streamlit as st

from app import keys
from app.components import cards
from app.components.product_link import ProductLink
from app.data import health
from app.data import products as lists
from app.imports import upload
from core.history.current import missing_values
from core.history.product_summary import ProductSummary
from core.text.escaping import escape_markdown, shorten
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from core.upkeep.health import WITHOUT_A_KEY

LONGEST_TITLE = 80
MOST_FOUND = 12


def show_nothing_yet(head: ProductSummary) -> None:
    """Show why a stored product has no observation yet, and what comes next."""
    reason = missing_values.never_observed_text(head.fetching, datetime.now(UTC))
    st.info(
        f"{reason.capitalize()}. Price, rank and ratings appear here with the first check.",
        icon=":material/hourglass_empty:",
    )
    if not head.is_demo and not health.is_apify_connected():
        st.warning(WITHOUT_A_KEY, icon=":material/key_off:")


def show_not_found(link: ProductLink) -> None:
    """Show that the URL's product isn't stored, with "Add it" and the search."""
    cards.show_page_header("Product")
    asin = escape_markdown(link.asin)
    marketplace = escape_markdown(link.marketplace)
    st.info(f"{asin} in {marketplace} is not tracked here.", icon=":material/search_off:")
    if link.url:
        upload.show_add_button(link.url)
    _show_search_field()


def show_search() -> None:
    """Show the product search, for a URL without a product."""
    cards.show_page_header("Product", "Choose the product whose history you want to see.")
    if not lists.tracks_anything():
        cards.show_nothing_tracked()
        return
    _show_search_field()


def _show_search_field() -> None:
    words = st.text_input(
        "Find a product", key="find", type="search", placeholder="Title, brand or ASIN", width=480
    )
    # Of the team: every user may see the products that others track.
    list_filter = ListFilter(search=words, scope=ListScope.TEAM)
    found = lists.find_products(list_filter, Sort(SortBy.TITLE), 1)
    if found.rows.empty:
        st.caption("No tracked product matches. Try fewer words, or an ASIN.")
        return
    for row in found.rows.head(MOST_FOUND).to_dict("records"):
        title = escape_markdown(shorten(row["title"] or row["asin"], LONGEST_TITLE))
        st.page_link(
            f"../pages/{keys.PRODUCT}.py",
            label=f"{title} :gray[{row['marketplace']} · {row['asin']}]",
            icon=":material/monitoring:",
            query_params={keys.MARKETPLACE: row["marketplace"], keys.ASIN: row["asin"]},
        )
