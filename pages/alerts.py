"""Alerts: open issues, unread ones or all of a period, with one of them in full."""

import streamlit as st

from app import device
from app.alerts import actions, choice, detail, filters, incidents, outages, silences, summary
from app.alerts.filters import View
from app.components import cards, list_scope, product_link
from app.data import alerts, get_principal, images, products
from core.accounts.access.permissions import Permission

filters.open_rules_of_old_links()
header = st.container()

# Choose
product_link.restore_list()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    view = filters.choose_view()
    scope = list_scope.choose_list_scope() if view is not View.SILENCES else None
    days = filters.choose_days() if view is View.HISTORY else None

if scope is None:
    silenced = alerts.list_silences()
    with header:
        cards.show_page_header("Alerts", silences.format_subtitle(silenced))
    silences.show_silences(silenced)
    st.stop()

if get_principal().may(Permission.ADMIN):
    outages.show_outages(alerts.list_outages(days or 0))
if not products.tracks_anything():
    with header:
        cards.show_page_header("Alerts")
    cards.show_nothing_tracked()
    st.stop()

with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    chosen = filters.choose_incident_filter(products.list_marketplaces(scope), scope)
    filters.show_clear_button(chosen)

# Load
fresh = products.read_freshness(scope)
found = summary.find_alerts(view, chosen, days, filters.get_page())
subtitle = summary.format_subtitle(view, found, days, fresh)
opened = choice.choose_alert(found.rows, incidents.find_clicked(found.rows))
unread = alerts.find_unread_of(choice.list_shown(found.rows, opened))
choice.mark_as_read(opened, unread)

# Render
with header:
    cards.show_page_header("Alerts", subtitle)
if opened is not None and device.is_phone():
    detail.show_alert(opened)
    st.stop()
summary.show_summary(view, chosen, found, days, fresh)
if opened is None and not found.rows:
    st.stop()
if device.is_phone():
    incidents.show_cards(found.rows, unread)
    filters.show_pages(found.total, alerts.PAGE_SIZE)
    st.stop()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    actions.show_action_bar(found.rows, incidents.list_ticked(found.rows), unread)
left, right = st.columns([6, 5], gap="small")
with left:
    incidents.show_incidents(
        found.rows, images.find_thumbnails([row.product_id for row in found.rows]), unread
    )
    filters.show_pages(found.total, alerts.PAGE_SIZE)
if opened is not None:
    with right:
        detail.show_alert(opened)
