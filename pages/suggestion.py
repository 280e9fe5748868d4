"""Suggestion: one proposal with its evidence, to decide, and what became of it."""

import streamlit as st

from app.data import suggestions as data
from app.suggestions import detail, evidence, selection

# Choose
asked = selection.suggestion()

# Load
about = None if asked is None else data.find(asked)

# Render
if about is None:
    selection.not_there(asked)
    st.stop()
detail.header(about)
left, right = st.columns([5, 4])
with left:
    detail.changes(about)
    detail.change_set(about)
    evidence.chart(about.view)
    detail.preview(about)
with right:
    evidence.why(about.view)
    detail.time_line(about)
    detail.earlier(about.earlier)
