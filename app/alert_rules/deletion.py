"""The dialog that asks before an alert rule is deleted."""

import streamlit as st

from app.commands import alerts as commands
from app.commands.products import run_with_toast
from app.components import fragments
from core.alerts.incidents.rule_overview import RuleRow
from core.text.escaping import escape_markdown


@fragments.dialog("Delete the rule?", icon=":material/delete:")
def show_deletion(row: RuleRow) -> None:
    """Ask before deleting a rule of the team's with its alerts."""
    st.markdown(f"**{escape_markdown(row.format_name())}**")
    st.write("Its alerts are deleted with it. To keep them, switch it off instead.")
    if st.button("Delete", type="primary", key="confirm_delete_rule"):
        run_with_toast(commands.delete_rule, row.stored.rule_id)
        st.rerun()
