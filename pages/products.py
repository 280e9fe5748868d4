"""Products: every followed product, to search, sort, narrow and act on."""

import streamlit as st

from app import cards, pickers, tables, whose, wording_of_lists
from app.data import lists

if not lists.follows_anything():
    cards.page_header("Products")
    cards.nothing_tracked()
    st.stop()

header = st.container()

# Choose
pickers.restore_list()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    mine_or_team = whose.pick()
    places, tags = lists.marketplaces(mine_or_team), lists.tags(mine_or_team)
    asked = pickers.list_filter(places, tags, mine_or_team)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    bar = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")
    sort = pickers.sort()

# Load
found = lists.products(asked, sort, pickers.page_asked())

# Render
with header, cards.page_header("Products", wording_of_lists.size_of_list(found, asked, sort)):
    cards.add_button()
if found.rows.empty:
    with bar:
        pickers.clear_button(asked)
    wording_of_lists.nothing_found(asked)
    st.stop()
if whose.may_change(mine_or_team):
    with bar:
        tables.action_bar(found.rows, mine_or_team)
tables.product_table(found.rows)
pickers.pages(found.total, lists.page_size())
