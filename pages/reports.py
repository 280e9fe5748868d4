"""Reports: what changed, what is open and what it cost, by day and week; kept."""

import streamlit as st

from app.components import cards
from app.data import reports as data
from app.reports import controls, feed_popover, file_check, report_view

# Choose
with cards.show_page_header("Reports", "What changed by day and week, kept as it was"):
    controls.show_make_popover()
    controls.show_subscription_popover()
    file_check.show_check_popover()
    feed_popover.show_feed_popover()
listed = data.list_reports()
with st.container(horizontal=True, vertical_alignment="center"):
    chosen = controls.choose_report(listed)
    if chosen is not None:
        controls.show_frozen_button(chosen)
if chosen is None:
    controls.show_no_reports()
    st.stop()

# Load
report = data.open_report(chosen)

# Render
report_view.show_report(report)
