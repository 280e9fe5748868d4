"""Overview: what changed since yesterday, worst first."""

import streamlit as st

from app import cards, changes, pickers, tables
from app.data import lists
from core.tracking.lists import State

if not lists.follows_anything():
    cards.page_header("Overview")
    cards.nothing_tracked()
    st.stop()

# Load what the header says
fresh = lists.freshness()

# Choose
with cards.page_header("Since yesterday", changes.subtitle(fresh, len(lists.marketplaces()))):
    roles = pickers.whose()

# Load
attention = lists.changes(State.ATTENTION, roles)
opportunities = lists.changes(State.OPPORTUNITY, roles)

# Render
tables.demo_banner()
changes.figures(attention, opportunities, lists.doubtful(), fresh)
left, right = st.columns(2)
with left:
    changes.change_list(
        "Need attention", attention, "Nothing got worse since yesterday.", State.ATTENTION
    )
with right:
    changes.change_list(
        "Opportunities",
        opportunities,
        "No rank of yours improved, and no competitor ran out.",
        State.OPPORTUNITY,
    )
