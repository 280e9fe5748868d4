"""Product: one product's price, rank and rating over time."""

import streamlit as st

from app import product_choice, product_parts
from app.cards import nothing_in_period
from app.data import history as data

# Choose
choice = product_choice.product()
if choice is None:
    product_parts.picker()
    st.stop()

head = data.product_head(choice.marketplace, choice.asin)
if head is None:
    product_parts.not_found(choice)
    st.stop()

product_parts.header(head)
days = product_parts.controls(head)
in_words = product_choice.IN_WORDS[days]

# Load and shape
period = data.period(head, days)

# Render
product_parts.figures(head, period, in_words)
if period is None:
    product_parts.nothing_yet(head)
    st.stop()
if not period.statistics.looks:
    nothing_in_period(in_words)
    st.stop()
product_parts.charts(period)
product_parts.statistics(head, period, in_words)
product_parts.more(head, period)
