"""Suggestions: the review queue, highest priority first."""

import streamlit as st

from app.components import cards
from app.data import products
from app.data import suggestions as data
from app.suggestions import model_status, queue, queue_filters, request_advice

if not products.tracks_anything():
    cards.show_page_header("Suggestions")
    cards.show_nothing_tracked()
    st.stop()

header = st.container()
request_advice.show_progress()

# Choose
queue_filters.restore_queue()
queue_filter = queue_filters.choose_queue_filter()

# Load
found = data.read_queue(queue_filter, queue_filters.get_page())

# Render
with header, cards.show_page_header("Suggestions", queue.format_subtitle(found, queue_filter)):
    request_advice.show_settings()
    if found.counts.states:
        request_advice.show_button_for_all("ask_all")
if not found.rows:
    queue.show_empty_queue(queue_filter, found.counts)
    model_status.show_line()
    st.stop()
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    queue.show_counts(found.counts)
    queue_filters.show_clear_button(queue_filter)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    queue.show_action_bar(found.rows)
queue.show_queue(found.rows)
queue_filters.show_pages(found.counts.total, data.PAGE_SIZE)
model_status.show_line()
