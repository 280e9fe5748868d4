"""Products: every followed product, to search, sort, narrow and act on."""

import streamlit as st

from app import cards, keys, pickers, tables, wording_of_lists
from app.data import lists

if not lists.follows_anything():
    cards.page_header("Products")
    cards.nothing_tracked()
    st.stop()

header = st.container()

# Choose
pickers.restore_list()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    asked = pickers.list_filter(lists.marketplaces(), lists.tags())
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    bar = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")
    sort = pickers.sort()

# Load
found = lists.products(asked, sort, pickers.page_asked())

# Render
with header, cards.page_header("Products", wording_of_lists.size_of_list(found, asked, sort)):
    if st.button("Add products", type="primary", icon=":material/add:"):
        st.switch_page(f"../pages/{keys.ADD}.py")
if found.rows.empty:
    wording_of_lists.nothing_found()
    st.stop()
with bar:
    tables.action_bar(found.rows)
tables.product_table(found.rows)
pickers.pages(found.total, lists.page_size())
