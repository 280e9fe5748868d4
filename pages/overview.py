"""Overview: what changed since yesterday, worst first."""

import streamlit as st

from app.components import cards, list_scope
from app.data import products
from app.products import filters, overview, table
from core.tracking.list_filter import State

if not products.follows_anything():
    cards.page_header("Overview")
    cards.nothing_tracked()
    st.stop()

header = st.container()

# Choose
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    mine_or_team = list_scope.choose_list_scope()
    roles = filters.whose()

# Load
fresh = products.freshness(mine_or_team)
attention = products.changes(State.ATTENTION, roles, mine_or_team)
opportunities = products.changes(State.OPPORTUNITY, roles, mine_or_team)

# Render
with header:
    places = len(products.marketplaces(mine_or_team))
    cards.page_header("Since yesterday", overview.subtitle(fresh, places))
table.demo_banner()
overview.figures(attention, opportunities, products.doubtful(mine_or_team), fresh)
left, right = st.columns(2)
with left:
    overview.change_list(
        "Need attention",
        attention,
        overview.not_compared(fresh) or "Nothing got worse beyond your thresholds since yesterday.",
        State.ATTENTION,
    )
with right:
    overview.change_list(
        "Opportunities",
        opportunities,
        overview.not_compared(fresh)
        or "No rank of yours improved beyond your threshold, and no competitor ran out.",
        State.OPPORTUNITY,
    )
