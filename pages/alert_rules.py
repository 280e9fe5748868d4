"""Alert rules: what each watches and what it did lately, or the editor of one of them."""

import streamlit as st

from app.alert_rules import editor, rule_list
from app.components import cards
from app.data import alerts, get_principal
from core.accounts.access.permissions import Permission

# Load
rows = alerts.list_rules()

# Choose
asked = editor.find_asked(rows)

# Render
if asked is not None:
    editor.show_editor(None if isinstance(asked, str) else asked)
    st.stop()
with cards.show_page_header("Alert rules", rule_list.format_subtitle(rows)):
    if get_principal().may(Permission.TEAM):
        st.button(
            "New rule",
            type="primary",
            icon=":material/add_alert:",
            key="new_rule",
            on_click=editor.open_editor,
            args=(editor.NEW,),
        )
rule_list.show_rules(rows)
