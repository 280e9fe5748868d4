"""Product: one product's price, rank and rating over time."""

import streamlit as st

from app.components import product_link
from app.components.cards import nothing_in_period
from app.data import history as data
from app.products import detail

# Choose
choice = product_link.product()
if choice is None:
    detail.picker()
    st.stop()

head = data.product_head(choice.marketplace, choice.asin)
if head is None:
    detail.not_found(choice)
    st.stop()

detail.header(head)
days = detail.controls(head)
in_words = product_link.IN_WORDS[days]

# Load and shape
period = data.period(head, days)

# Render
detail.figures(head, period, in_words)
if period is None:
    detail.nothing_yet(head)
    st.stop()
if not period.statistics.looks:
    nothing_in_period(in_words)
    st.stop()
detail.charts(period)
detail.statistics(head, period, in_words)
detail.more(head, period)
