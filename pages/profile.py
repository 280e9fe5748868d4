"""Profile: how a person is called, sees things and gets in, and their API tokens."""

import streamlit as st

from app import cards, profile_parts, security_parts, token_parts
from app.data import accounts

# Load
own = accounts.own_profile()

# Render
with st.container(width=profile_parts.WIDTH):
    cards.page_header("Profile", "What is kept of you, and how you get in.")

    # Choose
    part = profile_parts.part()

    if part == "Security":
        security_parts.security(own)
    elif part == "API tokens":
        token_parts.own_tokens()
    else:
        profile_parts.you(own)
