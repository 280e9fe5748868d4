"""Notifications: the user's channels, what comes by which and when, and the delivery log."""

import streamlit as st

from app.account import profile
from app.components import cards
from app.data import notifications as data
from app.notifications import channels as parts
from app.notifications import choices, log

# Load
channels = data.list_channels()
modes = data.list_modes()
settings = data.get_delivery_settings()

# Render
with st.container(width=profile.WIDTH):
    cards.show_page_header("Notifications", "How alerts reach you outside of the app")
    parts.show_channels(channels)
    choices.show_modes(channels, modes)
    choices.show_rule_modes(channels)
    choices.show_settings(settings)
    log.show_log()
