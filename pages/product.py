"""Product: one product's price, rank and rating over time."""

import streamlit as st

from app.components import product_link
from app.components.cards import show_nothing_in_period
from app.data import history as data
from app.product import detail, summary, tabs

# Choose
link = product_link.find_product_link()
if link is None:
    detail.show_search()
    st.stop()

head = data.find_product_summary(link.marketplace, link.asin)
if head is None:
    detail.show_not_found(link)
    st.stop()

detail.show_header(head)
days = detail.show_controls(head)
period_name = product_link.PERIOD_NAMES[days]

# Load and shape
period = data.read_period(head, days, period_name)

# Render
detail.show_figures(head, period, period_name)
if period is None:
    detail.show_nothing_yet(head)
    st.stop()
if not period.statistics.observations:
    show_nothing_in_period(period_name)
    st.stop()
detail.show_chart(period)
summary.show_summary(head, period)
tabs.show_tabs(head, period)
