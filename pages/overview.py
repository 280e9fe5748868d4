"""Overview: what changed since yesterday, worst first."""

import streamlit as st

from app.components import cards, list_scope
from app.data import products
from app.products import filters, overview, table
from core.tracking.list_filter import State

if not products.tracks_anything():
    cards.show_page_header("Overview")
    cards.show_nothing_tracked()
    st.stop()

header = st.container()

# Choose
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    scope = list_scope.choose_list_scope()
    roles = filters.choose_roles()

# Load
fresh = products.read_freshness(scope)
attention = products.find_changes(State.ATTENTION, roles, scope)
opportunities = products.find_changes(State.OPPORTUNITY, roles, scope)

# Render
with header:
    places = len(products.list_marketplaces(scope))
    cards.show_page_header("Since yesterday", overview.format_subtitle(fresh, places))
table.show_demo_banner()
overview.show_figures(attention, opportunities, products.count_flagged(scope), fresh)
left, right = st.columns(2)
with left:
    overview.show_changes(
        "Need attention",
        attention,
        overview.why_not_compared(fresh)
        or "Nothing got worse beyond your thresholds since yesterday.",
        State.ATTENTION,
    )
with right:
    overview.show_changes(
        "Opportunities",
        opportunities,
        overview.why_not_compared(fresh)
        or "No rank of yours improved beyond your threshold, and no competitor ran out.",
        State.OPPORTUNITY,
    )
