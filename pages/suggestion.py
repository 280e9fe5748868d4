"""Suggestion: one proposal with its evidence, to decide, and what became of it."""

import streamlit as st

from app.data import suggestions as data
from app.suggestions import detail, evidence, selection

# Choose
asked = selection.find_suggestion_id()

# Load
about = None if asked is None else data.find_suggestion(asked)

# Render
if about is None:
    selection.show_not_found(asked)
    st.stop()
detail.show_header(about)
left, right = st.columns([5, 4])
with left:
    detail.show_actions(about)
    detail.show_change_set(about)
    evidence.show_chart(about.view)
    detail.show_preview(about)
with right:
    evidence.show_evidence(about.view)
    detail.show_timeline(about)
    detail.show_earlier(about.earlier)
