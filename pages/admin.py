"""Team: members, invitations, the team's tokens and settings."""

import streamlit as st

from app.admin import own_sellers, people
from app.components import cards
from app.data import accounts

# Load: for administrators only; each read checks the permission
members = accounts.list_members()

# Render
with st.container(width=people.WIDTH):
    cards.show_page_header("Team", people.build_subtitle(members))

    # Choose
    part = people.choose_part()

    if part == "Invitations":
        people.show_invitations(members)
    elif part == "API tokens":
        people.show_team_tokens()
    elif part == "Team":
        people.show_team_settings(accounts.get_team_settings())
        own_sellers.show_own_sellers(accounts.list_own_sellers(), accounts.list_seen_sellers())
    else:
        people.show_people(members)
