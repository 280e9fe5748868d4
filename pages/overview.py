"""Overview: what changed since yesterday, worst first."""

import streamlit as st

from app import cards, changes, pickers, tables, whose
from app.data import lists
from core.tracking.list_filter import State

if not lists.follows_anything():
    cards.page_header("Overview")
    cards.nothing_tracked()
    st.stop()

header = st.container()

# Choose
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    mine_or_team = whose.pick()
    roles = pickers.whose()

# Load
fresh = lists.freshness(mine_or_team)
attention = lists.changes(State.ATTENTION, roles, mine_or_team)
opportunities = lists.changes(State.OPPORTUNITY, roles, mine_or_team)

# Render
with header:
    places = len(lists.marketplaces(mine_or_team))
    cards.page_header("Since yesterday", changes.subtitle(fresh, places))
tables.demo_banner()
changes.figures(attention, opportunities, lists.doubtful(mine_or_team), fresh)
left, right = st.columns(2)
with left:
    changes.change_list(
        "Need attention",
        attention,
        changes.not_compared(fresh) or "Nothing got worse beyond your thresholds since yesterday.",
        State.ATTENTION,
    )
with right:
    changes.change_list(
        "Opportunities",
        opportunities,
        changes.not_compared(fresh)
        or "No rank of yours improved beyond your threshold, and no competitor ran out.",
        State.OPPORTUNITY,
    )
