"""Administration: who is in the team, who is to come, everybody's tokens, the team's settings."""

import streamlit as st

from app.admin import people
from app.components import cards
from app.data import accounts

# Load: for administrators alone, which each of these asks itself
members = accounts.members()

# Render
with st.container(width=people.WIDTH):
    cards.page_header("Administration", people.subtitle(members))

    # Choose
    part = people.part()

    if part == "Invitations":
        people.invitations(members)
    elif part == "API tokens":
        people.tokens()
    elif part == "Team":
        people.team(accounts.team_settings())
    else:
        people.people(members)
