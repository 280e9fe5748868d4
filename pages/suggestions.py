"""Suggestions: what is proposed, worth most first, to decide or to look up."""

import streamlit as st

from app.components import cards
from app.data import products
from app.data import suggestions as data
from app.suggestions import model_status, queue, queue_filters, request_advice

if not products.follows_anything():
    cards.page_header("Suggestions")
    cards.nothing_tracked()
    st.stop()

header = st.container()
request_advice.progress()

# Choose
queue_filters.restore_queue()
asked = queue_filters.queue_filter()

# Load
found = data.queue(asked, queue_filters.page_asked())

# Render
with header, cards.page_header("Suggestions", queue.subtitle(found, asked)):
    request_advice.settings()
    if found.counts.states:
        request_advice.button_for_all("ask_all")
if not found.rows:
    queue.nothing(asked, found.counts)
    model_status.line()
    st.stop()
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    queue.counts(found.counts)
    queue_filters.clear_button(asked)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    queue.action_bar(found.rows)
queue.table(found.rows)
queue_filters.pages(data.pages(found))
model_status.line()
