"""The blocks of the Product screen beside header, chart and tabs: cards, search."""

from datetime import UTC, datetime

import streamlit as st

from app import keys
from app.components import cards
from app.components.product_link import ProductLink
from app.data import get_principal, health
from app.data import products as lists
from app.data.history import PeriodView
from app.imports import upload
from app.product import dialogs
from app.product.cards import CurrentFigure, current_figures
from core.history.current import missing_values
from core.history.product_summary import ProductSummary
from core.text.escaping import escape_markdown, shorten
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from core.upkeep.health import WITHOUT_A_KEY

LONGEST_TITLE = 80
MOST_FOUND = 12
CARD_WIDTH = 150  # px; two fit beside each other on a phone


def show_figures(head: ProductSummary, period: PeriodView | None, period_name: str) -> None:
    """Show the current figures; each opens its data source."""
    zone = get_principal().time_zone
    figures = current_figures(head, period, period_name, datetime.now(UTC), zone)
    with st.grid(len(figures), min_column_width=CARD_WIDTH):
        for figure in figures:
            _show_figure(head, figure)


def _show_figure(head: ProductSummary, figure: CurrentFigure) -> None:
    with st.container(gap=None, height="stretch"):
        cards.show_metric(figure.card)
        if st.button(
            figure.age or "never seen",
            type="tertiary",
            icon=":material/history:",
            key=f"source_{figure.column}",
            help="Data source" if figure.age else None,
            disabled=not figure.age,
        ):
            dialogs.show_provenance_dialog(head, figure.column, figure.card.label)


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
