"""Connections: Apify, the model and the mail server; for administrators."""

import streamlit as st

from app.admin import connections as parts
from app.admin import people
from app.components import cards
from app.data import health

# Load: for administrators only; the read checks the permission
found = health.list_connections()

# Render
with st.container(width=people.WIDTH):
    cards.show_page_header("Connections", parts.SUBTITLE)
    for connection in found:
        parts.show_connection(connection)
