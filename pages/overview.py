"""Overview: what is wrong, what moved, and how own products do against competitors."""

import streamlit as st

from app import device
from app.components import cards, product_link
from app.data import overview as data
from app.data import products
from app.overview import charts, choices, figures, first_steps, issues, moves, panels
from app.products import table
from core.tracking.list_filter import ListScope

product_link.restore_list()
has_products = products.tracks_anything()
if not has_products or data.find_last_check(ListScope.TEAM) is None:
    cards.show_page_header("Overview")
    first_steps.show_first_steps(data.read_first_steps(has_products))
    st.stop()

# Choose
with cards.show_page_header("Overview"):
    choice = choices.choose()

# Load
checked_at = data.find_last_check(choice.scope)
found = data.read_overview(choice)

# Render
st.caption(figures.format_subtitle(found, checked_at))
st.html(panels.STYLE)
table.show_demo_banner()
figures.show_figures(found, choice)
left, right = st.columns([1, 1.08])
with left:
    issues.show_issues(found, issues.explain_no_issues(found, choice, checked_at))
with right:
    charts.show_indexes(found)
left, right = st.columns([1, 1.08])
with left:
    moves.show_moves(found, choice) if device.is_phone() else charts.show_movers(choice)
with right:
    charts.show_movers(choice) if device.is_phone() else moves.show_moves(found, choice)
charts.show_heat_map(found, choice)
panels.show_frozen_button(choice)
