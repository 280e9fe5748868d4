"""Products: every tracked product, with search, filters, order, views and bulk actions."""

import streamlit as st

from app import device
from app.components import cards, change_period, product_link
from app.data import images, products
from app.products import (
    column_choice,
    export_menu,
    filters,
    list_text,
    phone_cards,
    selection,
    table,
    views,
)
from core.tracking.views.rules import ViewDefinition

if not products.tracks_anything():
    cards.show_page_header("Products")
    cards.show_nothing_tracked()
    st.stop()

product_link.restore_list()
header = st.container(horizontal=True, vertical_alignment="center", gap="small")
controls = st.container(horizontal=True, vertical_alignment="center", gap="small")
chosen_filters = st.container()

# Choose
with controls:
    shown_views = st.container(horizontal=True, vertical_alignment="center", width="content")
    st.space("stretch")
    period = change_period.choose_change_period()
with header:
    st.title("Products", anchor=False, width="content")
    search = filters.choose_search()
    st.space("stretch")
    list_filter = filters.choose_list_filter(search, period.days)
    shown = column_choice.choose_columns()
with controls:
    sort = filters.choose_sort(list_filter, period.days)
    size = st.empty()

# Load
found = products.find_products(list_filter, sort, filters.get_page())
thumbnails = images.find_thumbnails(found.rows["product_id"].tolist())

# Render
definition = ViewDefinition(list_filter, sort, tuple(column.name for column in shown))
with shown_views:
    views.show_views(definition)
with header:
    export_menu.show_export(definition, found.total)
    cards.show_add_button()
size.caption(list_text.format_list_size(found), width="content")
with chosen_filters:
    filters.show_chosen(list_filter)
list_text.show_order_refused(list_filter)
if found.rows.empty:
    list_text.show_nothing_found(list_filter)
    st.stop()
if not device.is_phone():
    table.show_products(found.rows, thumbnails, period, shown)
phone_cards.show_narrow(found.rows, thumbnails, period)
st.caption(list_text.format_place(found, sort, period))
filters.show_pages(found.total, products.get_page_size())
selection.show_selection_bar(table.list_selected(found.rows), list_filter.scope)
