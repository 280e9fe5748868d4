"""Suggestion: one proposal with its evidence, to decide, and what became of it."""

import streamlit as st

from app import suggestion_choice, suggestion_evidence, suggestion_parts
from app.data import suggestions as data

# Choose
asked = suggestion_choice.suggestion()

# Load
about = None if asked is None else data.find(asked)

# Render
if about is None:
    suggestion_choice.not_there(asked)
    st.stop()
suggestion_parts.header(about)
left, right = st.columns([5, 4])
with left:
    suggestion_parts.changes(about)
    suggestion_parts.change_set(about)
    suggestion_evidence.chart(about.view)
    suggestion_parts.preview(about)
with right:
    suggestion_evidence.why(about.view)
    suggestion_parts.time_line(about)
    suggestion_parts.earlier(about.earlier)
