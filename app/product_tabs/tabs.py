"""The tabs of the Product screen. The open one is in the address; closed ones read nothing."""

from collections.abc import Callable

import streamlit as st

from app import keys
from app.data.product.period import PeriodView
from app.product_tabs import (
    analysis_tab,
    buy_box_tab,
    competitors_tab,
    deals_tab,
    history_tab,
    listing_tab,
    source_tab,
    suggestions_tab,
)
from core.history.product_summary import ProductSummary

BUY_BOX, LISTING, COMPETITORS = "Buy Box", "Listing", "Competitors"
SUGGESTIONS, DEALS, ANALYSIS = "Suggestions", "Deals", "Analysis"
HISTORY, SOURCES = "History", keys.DATA_SOURCE

TABS: dict[str, Callable[[ProductSummary, PeriodView], None]] = {
    BUY_BOX: buy_box_tab.show_buy_box,
    LISTING: listing_tab.show_listing,
    COMPETITORS: competitors_tab.show_competitors,
    SUGGESTIONS: suggestions_tab.show_suggestions,
    DEALS: deals_tab.show_deals,
    ANALYSIS: analysis_tab.show_analysis,
    HISTORY: history_tab.show_snapshots,
    SOURCES: source_tab.show_sources,
}


def show_tabs(head: ProductSummary, period: PeriodView) -> None:
    """Show the tabs; a tab is read when it is open."""
    tabs = st.tabs(list(TABS), key=keys.TAB, bind="query-params", on_change="rerun")
    for tab, show in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab:
                show(head, period)
