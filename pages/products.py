"""Products: every tracked product, with search, filters, order and bulk actions."""

import streamlit as st

from app.components import cards, list_scope, product_link
from app.data import products
from app.products import filters, list_text, table

if not products.tracks_anything():
    cards.show_page_header("Products")
    cards.show_nothing_tracked()
    st.stop()

header = st.container()

# Choose
product_link.restore_list()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    scope = list_scope.choose_list_scope()
    places, tags = products.list_marketplaces(scope), products.list_tags(scope)
    list_filter = filters.choose_list_filter(places, tags, scope)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    bar = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")
    sort = filters.choose_sort()

# Load
found = products.find_products(list_filter, sort, filters.get_page())

# Render
with (
    header,
    cards.show_page_header("Products", list_text.format_list_size(found, list_filter, sort)),
):
    cards.show_add_button()
if found.rows.empty:
    with bar:
        filters.show_clear_button(list_filter)
    list_text.show_nothing_found(list_filter)
    st.stop()
if list_scope.may_change(scope):
    with bar:
        table.show_action_bar(found.rows, scope)
table.show_products(found.rows)
filters.show_pages(found.total, products.get_page_size())
