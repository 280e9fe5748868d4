"""Product: one product's price, Buy Box, rank and rating over time."""

import streamlit as st

from app.components import product_link
from app.data.product.period import read_period
from app.data.product.summary import find_product_summary
from app.product import alert_panel, chart_card, detail, figures, header, summary
from app.product_tabs import tabs

# Choose
link = product_link.find_product_link()
if link is None:
    detail.show_search()
    st.stop()

head = find_product_summary(link.marketplace, link.asin)
if head is None:
    detail.show_not_found(link)
    st.stop()

header.show_header(head)
figure_row = st.container()
if head.history_key is None:
    with figure_row:
        figures.show_figures(head, None, "")
    detail.show_nothing_yet(head)
    st.stop()

card = st.container(border=True, gap="small")
with card:
    chosen, competitors = chart_card.choose_range_and_competitors(head)
    chart_card.show_chart(head, chosen, competitors)

# Load and shape: the chart has done it
period = read_period(head, chosen, chart_card.find_choice(competitors))

# Render
with figure_row:
    figures.show_figures(head, period, chosen.name)
if period is None:
    st.stop()
with card:
    chart_card.show_strip(head, period)
if not period.statistics.observations:
    st.stop()
summary.show_summary(head, period)
alert_panel.show_alerts(head)
tabs.show_tabs(head, period)
