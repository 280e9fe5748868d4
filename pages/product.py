"""Product: one product's price, Buy Box, rank and rating over time."""

import streamlit as st

from app.components import product_link
from app.components.cards import show_nothing_in_period
from app.data import history as data
from app.product import chart_card, detail, figures, header, summary
from app.product_tabs import tabs

# Choose
link = product_link.find_product_link()
if link is None:
    detail.show_search()
    st.stop()

head = data.find_product_summary(link.marketplace, link.asin)
if head is None:
    detail.show_not_found(link)
    st.stop()

header.show_header(head)
figure_row = st.container()
card = st.container(border=True, gap="small")
with card:
    chosen, choice = chart_card.choose_content(head)

# Load and shape
period = data.read_period(head, chosen, choice)

# Render
with figure_row:
    figures.show_figures(head, period, chosen.name)
if period is None:
    detail.show_nothing_yet(head)
    st.stop()
if not period.statistics.observations:
    show_nothing_in_period(chosen.name)
    st.stop()
with card:
    chart_card.show_chart(head, period)
summary.show_summary(head, period)
tabs.show_tabs(head, period)
