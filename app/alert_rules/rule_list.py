"""The rules of the team: what each watches, what it did, switching it on and off."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from app.alert_rules import deletion, editor
from app.commands import alerts as commands
from app.commands.products import run_with_toast
from app.data import get_principal
from core.accounts.access.permissions import Permission
from core.alerts.incidents.rule_overview import LATELY, RuleRow
from core.alerts.rules.builtin import THRESHOLD_CODES
from core.text.escaping import escape_markdown
from core.text.numbers import format_count, format_counted
from core.text.times import format_age


def format_subtitle(rows: Sequence[RuleRow]) -> str:
    """Return how many rules there are, and how many are on."""
    are_on = sum(row.stored.is_on for row in rows)
    return f"{format_counted(len(rows), 'rule')} · {format_count(are_on)} on"


def show_rules(rows: Sequence[RuleRow]) -> None:
    """Show the rules in three parts: built-in ones, thresholds, the team's own."""
    own = [row for row in rows if row.stored.code is None]
    thresholds = [row for row in rows if row.stored.code in THRESHOLD_CODES]
    built_in = [row for row in rows if row not in own and row not in thresholds]
    for heading, about, some in (
        ("Built-in", "What Open issues lists: each lasts until it is solved.", built_in),
        ("Thresholds", "A product's own threshold, set in its settings, wins.", thresholds),
        ("Rules of the team", "", own),
    ):
        st.header(heading, anchor=False)
        if about:
            st.caption(about)
        for row in some:
            _show_rule(row)
    if not own:
        st.caption("None yet. “New rule” begins from a template.")


def format_activity(row: RuleRow, now: datetime) -> str:
    """Return what a rule did lately: "3 alerts in 30 days · last 2 h ago · 1 open"."""
    activity = row.activity
    parts = [f"{format_counted(activity.fired, 'alert')} in {format_count(LATELY.days)} days"]
    if activity.last_fired_at is not None:
        parts.append(f"last {format_age(activity.last_fired_at, now)}")
    if activity.open:
        older = f", {format_count(activity.older)} from before the rule" if activity.older else ""
        parts.append(f"{format_count(activity.open)} open{older}")
    if row.made_by is not None:
        parts.append(f"by {row.made_by}")
    return " · ".join(parts)


def _show_rule(row: RuleRow) -> None:
    stored = row.stored
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.markdown(f"**{escape_markdown(row.format_name())}**")
            st.markdown(escape_markdown(row.format_sentence()))
            st.caption(escape_markdown(format_activity(row, datetime.now(UTC))))
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if get_principal().may(Permission.TEAM):
                _show_controls(row)
            else:
                _show_edit(row)
                st.badge("On" if stored.is_on else "Off", color="green" if stored.is_on else "gray")


def _show_edit(row: RuleRow) -> None:
    may_change = get_principal().may(Permission.TEAM)
    st.button(
        "Edit" if may_change else "Try",
        icon=":material/edit:" if may_change else ":material/query_stats:",
        key=f"edit_rule_{row.stored.rule_id}",
        on_click=editor.open_editor,
        args=(row.stored.rule_id,),
    )


def _show_controls(row: RuleRow) -> None:
    stored = row.stored
    _show_edit(row)
    if stored.code is None and st.button(
        "Delete", icon=":material/delete:", key=f"delete_rule_{stored.rule_id}"
    ):
        deletion.show_deletion(row)
    st.toggle(
        "On",
        stored.is_on,
        key=f"switch_rule_{stored.rule_id}_{stored.version}",
        on_change=run_with_toast,
        args=(commands.switch_rule, stored.rule_id, not stored.is_on),
    )
