"""Suggestions: what is proposed, worth most first, to decide or to look up."""

import streamlit as st

from app import ask_parts, cards, model_parts, queue_parts, queue_pickers
from app.data import lists
from app.data import suggestions as data

if not lists.follows_anything():
    cards.page_header("Suggestions")
    cards.nothing_tracked()
    st.stop()

header = st.container()
ask_parts.progress()

# Choose
queue_pickers.restore_queue()
asked = queue_pickers.queue_filter()

# Load
found = data.queue(asked, queue_pickers.page_asked())

# Render
with header, cards.page_header("Suggestions", queue_parts.subtitle(found, asked)):
    ask_parts.settings()
    if found.counts.states:
        ask_parts.button_for_all("ask_all")
if not found.rows:
    queue_parts.nothing(asked, found.counts)
    model_parts.line()
    st.stop()
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    queue_parts.counts(found.counts)
    queue_pickers.clear_button(asked)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    queue_parts.action_bar(found.rows)
queue_parts.table(found.rows)
queue_pickers.pages(data.pages(found))
model_parts.line()
