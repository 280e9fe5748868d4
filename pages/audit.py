"""Audit: who did what to what, newest first; for administrators."""

import streamlit as st

from app import audit_parts, cards, logs
from app.data import accounts

# Load: for administrators alone, which each of these asks itself
members = accounts.members()
kinds = accounts.kinds_of_events()

# Choose
header = st.container()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    what = audit_parts.kind(kinds)
    who = audit_parts.person(members)

# Load
found = accounts.audit_events(what, who, logs.before(audit_parts.LOG))

# Render
with header, cards.page_header("Audit", "Who did what to what, newest first. It is only added to."):
    audit_parts.file_button(what, who)
audit_parts.events(found)
