"""A suggestion's actions: before and after, state, checks, decision buttons."""

import streamlit as st

from app.commands import products, suggestions
from app.components import diffs
from app.data import get_principal
from app.data.suggestions import SuggestionDetails
from app.suggestions import dialogs, policies
from core.accounts.access.permissions import Permission
from core.suggestions.changes.registry import get_spec
from core.suggestions.changes.spec import Editor
from core.suggestions.review import diff, labels
from core.suggestions.review.views import ActionView
from core.suggestions.rules import ActionState, SuggestionState
from core.text.escaping import escape_markdown
from core.text.times import format_moment

_CAN_BE_UNDONE = {ActionState.APPLIED, ActionState.VERIFIED, ActionState.UNSEEN}
_TO_DECIDE = {ActionState.PENDING, ActionState.FAILED}
_COLORS = {
    ActionState.PENDING: "blue",
    ActionState.APPROVED: "blue",
    ActionState.APPLIED: "blue",
    ActionState.VERIFIED: "green",
    ActionState.UNSEEN: "orange",
    ActionState.STALE: "orange",
    ActionState.FAILED: "red",
}


def show_actions(details: SuggestionDetails) -> None:
    """Show every action: before and after, its state, checks, buttons."""
    several = sum(each.state is ActionState.PENDING for each in details.view.actions) > 1
    for action in details.view.actions:
        with st.container(border=True):
            _show_action(details, action, with_buttons=several)


def _show_action(details: SuggestionDetails, action: ActionView, *, with_buttons: bool) -> None:
    row = details.view.row
    name = labels.CHANGES[action.change]
    color = _COLORS.get(action.state, "gray")
    badge = f":{color}-badge[{labels.action_state_label(action.change, action.state)}]"
    st.markdown(f"**{name}: before and after** {badge}")
    parts = diff.diff_parts(action.change, action.current, action.new_values, row.marketplace)
    for part in parts:
        label = "" if len(parts) == 1 else f":gray[{part.name}:] "
        st.markdown(label + (diffs.format_diff(part.pieces) or ":gray[nothing]"))
    if sizes := diff.format_sizes(action.change, parts):
        st.caption(sizes)
    if action.reason:
        st.markdown(f":gray[{escape_markdown(action.reason)}]")
    _show_edit(action, row.marketplace)
    if action.state in _TO_DECIDE:
        policies.show_policy_check(details, action, action.new_values)
    _show_decision(action)
    _show_buttons(details, action, with_buttons=with_buttons)


def _show_edit(action: ActionView, marketplace: str) -> None:
    """Show the proposed values where a manager approved edited ones."""
    if action.edited is None:
        return
    proposed = diff.diff_parts(action.change, action.proposed, action.edited, marketplace)
    lines = [diffs.format_diff(part.pieces) for part in proposed if not part.is_same]
    st.markdown(":gray[:material/edit: Edited, from what was proposed:]  \n" + "  \n".join(lines))


def _show_decision(action: ActionView) -> None:
    """Show who decided, when and why, and a problem since then."""
    if action.decided_at is not None:
        zone = get_principal().time_zone
        verb = "Declined" if action.state is ActionState.DECLINED else "Approved"
        by = escape_markdown(action.decided_by or "a former user")
        why = "" if not action.decision_reason else f": “{action.decision_reason}”"
        st.markdown(
            f"{verb} by {by}, {format_moment(action.decided_at, zone)}{escape_markdown(why)}"
        )
    if action.seen_at is not None and action.state is ActionState.VERIFIED:
        seen = format_moment(action.seen_at, get_principal().time_zone)
        st.markdown(f":material/visibility: Seen on the page by the check of {seen}")
    if action.trouble:
        st.warning(escape_markdown(action.trouble), icon=":material/sync_problem:")


def _show_buttons(details: SuggestionDetails, action: ActionView, *, with_buttons: bool) -> None:
    if not get_principal().may(Permission.TEAM):
        return
    is_open = details.view.row.state is SuggestionState.PENDING
    with st.container(horizontal=True, gap="small"):
        if action.state is ActionState.PENDING and is_open and with_buttons:
            show_decision_buttons(details, action)
        elif action.state is ActionState.FAILED:
            st.button(
                "Try again",
                icon=":material/replay:",
                key=f"again_{action.id}",
                on_click=products.run_with_toast,
                args=(suggestions.approve_action, action.id),
            )
        if action.state in (ActionState.FAILED, ActionState.STALE) and st.button(
            "Decline", icon=":material/close:", key=f"decline_{action.id}"
        ):
            dialogs.show_decline(action)
        if action.state in _CAN_BE_UNDONE:
            st.button(
                "Undo",
                icon=":material/undo:",
                key=f"undo_{action.id}",
                on_click=products.run_with_toast,
                args=(suggestions.undo_action, action.id),
            )


def show_decision_buttons(
    details: SuggestionDetails, action: ActionView, *, is_head: bool = False
) -> None:
    """Show "Decline", "Edit" and "Approve" of a pending action."""
    if st.button("Decline", icon=":material/close:", key=f"decline_{action.id}"):
        dialogs.show_decline(action)
    can_be_edited = get_spec(action.change).editor is not Editor.NONE
    if can_be_edited and st.button("Edit", icon=":material/edit:", key=f"edit_{action.id}"):
        dialogs.show_edit(details, action)
    st.button(
        "Approve",
        type="primary" if is_head else "secondary",
        icon=":material/check:",
        key=f"approve_{action.id}",
        on_click=products.run_with_toast,
        args=(suggestions.approve_action, action.id),
    )
