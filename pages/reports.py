"""Reports: what changed, what is open and what it cost, by day and week; kept."""

import streamlit as st

from app.components import cards
from app.data import reports as data
from app.reports import controls, report_view

# Choose
with cards.show_page_header("Reports", "What changed by day and week, kept as it was"):
    controls.show_make_popover()
    controls.show_subscription_popover()
listed = data.list_reports()
chosen = controls.choose_report(listed)
if chosen is None:
    controls.show_no_reports()
    st.stop()

# Load
report = data.open_report(chosen)

# Render
report_view.show_report(report)
