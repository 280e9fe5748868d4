"""Profile: name, preferences, security and API tokens of the user."""

import streamlit as st

from app.account import profile, security, tokens
from app.components import cards
from app.data import accounts

# Load
own = accounts.get_own_profile()

# Render
with st.container(width=profile.WIDTH):
    cards.show_page_header("Account", "Manage your account and preferences")

    # Choose
    part = profile.choose_part()

    if part == "Security":
        security.show_security(own)
    elif part == "API tokens":
        tokens.show_own_tokens()
    else:
        profile.show_preferences(own)
