"""Suggestion: one proposal with its evidence, decisions and timeline."""

import streamlit as st

from app.data import suggestions as data
from app.suggestions import actions, change_set, evidence, header, preview, timeline

# Choose
suggestion_id = header.find_suggestion_id()

# Load
details = None if suggestion_id is None else data.find_suggestion(suggestion_id)

# Render
if details is None:
    header.show_not_found(suggestion_id)
    st.stop()
header.show_header(details)
left, right = st.columns([5, 4])
with left:
    actions.show_actions(details)
    change_set.show_change_set(details)
    evidence.show_chart(details.view)
    preview.show_preview(details)
with right:
    evidence.show_evidence(details.view)
    timeline.show_timeline(details)
    timeline.show_earlier(details.earlier)
