"""Alert rules: what each watches, what it did lately, and switching it on and off."""

import streamlit as st

from app.alerts import rule_dialogs, rules
from app.components import cards
from app.data import alerts, get_principal
from core.accounts.access.permissions import Permission

# Load
rows = alerts.list_rules()

# Render
with (
    cards.show_page_header("Alert rules", rules.format_subtitle(rows)),
):
    if get_principal().may(Permission.TEAM) and st.button(
        "New rule", type="primary", icon=":material/add_alert:", key="new_rule"
    ):
        rule_dialogs.show_new_rule()
rules.show_rules(rows)
