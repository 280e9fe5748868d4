"""Alerts: open issues, worst first, all incidents of a period, or the rules behind them."""

from datetime import UTC, datetime

import streamlit as st

from app.alerts import filters, incidents, outages, rule_dialogs, rules
from app.alerts.filters import View
from app.components import cards, list_scope, product_link
from app.data import alerts, get_principal, products
from core.accounts.access.permissions import Permission

header = st.container()

# Choose
product_link.restore_list()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    view = filters.choose_view()
    scope = list_scope.choose_list_scope() if view is not View.RULES else None
    days = filters.choose_days() if view is View.HISTORY else None

if scope is None:
    rows = alerts.list_rules()
    with header, cards.show_page_header("Alerts", rules.format_subtitle(rows)):
        if get_principal().may(Permission.TEAM) and st.button(
            "New rule", type="primary", icon=":material/add_alert:", key="new_rule"
        ):
            rule_dialogs.show_new_rule()
    rules.show_rules(rows)
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
page, fresh = filters.get_page(), products.read_freshness(scope)
if days is None:
    found = alerts.find_open_issues(chosen, page)
    subtitle = incidents.format_open_subtitle(found, fresh, datetime.now(UTC))
else:
    found = alerts.find_incidents(chosen, days, page)
    subtitle = incidents.format_history_subtitle(found, days)

# Render
with header:
    cards.show_page_header("Alerts", subtitle)
if not found.rows:
    if days is None:
        incidents.show_no_open_issues(chosen, products.count_own_products(scope), fresh)
    else:
        incidents.show_no_history(chosen, days)
    st.stop()
if days is None:
    incidents.show_counts(alerts.group_open_issues(chosen))
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    incidents.show_action_bar(found.rows)
incidents.show_incidents(found.rows)
filters.show_pages(found.total, alerts.PAGE_SIZE)
