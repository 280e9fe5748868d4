"""Audit: all changes with their users, newest first; for administrators."""

import streamlit as st

from app.admin import audit
from app.components import cards, log_table
from app.data import accounts

# Load: for administrators only; each read checks the permission
members = accounts.list_members()
kinds = accounts.list_event_kinds()

# Choose
header = st.container()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    what = audit.choose_kind(kinds)
    who = audit.choose_person(members)

# Load
found = accounts.list_audit_events(what, who, log_table.get_cursor(audit.LOG))

# Render
with header, cards.show_page_header("Audit log", "Append-only log of all changes"):
    audit.show_download_button(what, who)
audit.show_events(found)
