"""Products: every followed product, to search, sort, narrow and act on."""

import streamlit as st

from app.components import cards, list_scope
from app.data import products
from app.products import filters, list_text, table

if not products.follows_anything():
    cards.page_header("Products")
    cards.nothing_tracked()
    st.stop()

header = st.container()

# Choose
filters.restore_list()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    mine_or_team = list_scope.choose_list_scope()
    places, tags = products.marketplaces(mine_or_team), products.tags(mine_or_team)
    asked = filters.list_filter(places, tags, mine_or_team)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    bar = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")
    sort = filters.sort()

# Load
found = products.products(asked, sort, filters.page_asked())

# Render
with header, cards.page_header("Products", list_text.size_of_list(found, asked, sort)):
    cards.add_button()
if found.rows.empty:
    with bar:
        filters.clear_button(asked)
    list_text.nothing_found(asked)
    st.stop()
if list_scope.may_change(mine_or_team):
    with bar:
        table.action_bar(found.rows, mine_or_team)
table.product_table(found.rows)
filters.pages(found.total, products.page_size())
