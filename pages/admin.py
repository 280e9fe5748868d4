"""Administration: who is in the team, who is to come, everybody's tokens, the team's settings."""

import streamlit as st

from app import admin_parts, cards
from app.data import accounts

# Load: for administrators alone, which each of these asks itself
members = accounts.members()

# Render
with st.container(width=admin_parts.WIDTH):
    cards.page_header("Administration", admin_parts.subtitle(members))

    # Choose
    part = admin_parts.part()

    if part == "Invitations":
        admin_parts.invitations(members)
    elif part == "API tokens":
        admin_parts.tokens()
    elif part == "Team":
        admin_parts.team(accounts.team_settings())
    else:
        admin_parts.people(members)
