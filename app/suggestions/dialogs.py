"""Dialogs of the review: reasons for declining, confirmation, edited values."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.commands import products, suggestions
from app.components import diffs, fragments
from app.data.suggestions import SuggestionDetails
from app.suggestions import policies
from app.web import error_boundary
from core.catalog.marketplaces import get_marketplace
from core.errors import InvalidInputError
from core.suggestions.changes.registry import get_spec
from core.suggestions.changes.spec import Editor
from core.suggestions.changes.values import LONGEST_TEXT
from core.suggestions.review import diff, labels
from core.suggestions.review.views import ActionView, SuggestionView
from core.suggestions.rules import Change
from core.text.escaping import escape_markdown
from core.text.times import format_cadence
from core.tracking.rules import Cadence

LONGEST_REASON = 2000  # characters
_CADENCES = [cadence.value for cadence in Cadence]


@fragments.dialog("Decline", icon=":material/close:")
def show_decline(action: ActionView) -> None:
    """Ask for the reason for declining an action."""
    st.caption(f"{labels.CHANGES[action.change]} · sellers see the reason")
    _show_decline_form(suggestions.decline_action, action.id)


@fragments.dialog("Decline all", icon=":material/close:")
def show_decline_all(view: SuggestionView) -> None:
    """Ask for the reason for declining all pending actions of a suggestion."""
    pending = len(view.row.waiting)
    st.caption(f"All {pending} pending changes are declined · sellers see the reason")
    _show_decline_form(suggestions.decline_suggestion, view.row.id)


@fragments.dialog("Decline suggestions", icon=":material/close:")
def show_decline_many(suggestion_ids: Sequence[int]) -> None:
    """Ask for the reason for declining the selected suggestions."""
    st.caption(f"{len(suggestion_ids)} suggestions about tracking · sellers see the reason")
    _show_decline_form(suggestions.decline_tracking, suggestion_ids)


def _show_decline_form(command: Callable[..., str], target: object) -> None:
    with st.form("decline_form", border=False):
        reason = st.text_area(
            "Reason",
            max_chars=LONGEST_REASON,
            placeholder="What would have to be different?",
            key="decline_reason",
        )
        is_sent = st.form_submit_button("Decline", type="primary", icon=":material/close:")
    if not is_sent:
        return
    if not reason.strip():
        st.error(
            "Give a reason. The same suggestion then returns only with new evidence.",
            icon=":material/error:",
        )
        return
    products.run_with_toast(command, target, reason.strip())
    st.rerun()


@fragments.dialog("Approve all", icon=":material/check:")
def show_approve_all(view: SuggestionView) -> None:
    """Ask for confirmation and an optional reason before approving all pending actions."""
    names = [labels.CHANGES[each.change] for each in view.row.waiting]
    st.markdown(f"**{len(names)} changes** are approved as they stand: {', '.join(names)}.")
    reason = st.text_input("Reason (optional)", max_chars=LONGEST_REASON, key="approve_reason")
    if st.button("Approve all", type="primary", icon=":material/check:", key="do_approve_all"):
        products.run_with_toast(suggestions.approve_suggestion, view.row.id, reason.strip())
        st.rerun()


@fragments.dialog("Edit and approve", width="large", icon=":material/edit:")
def show_edit(details: SuggestionDetails, action: ActionView) -> None:
    """Show the form that edits and approves a proposed value; both values are stored."""
    marketplace = details.view.row.marketplace
    written = get_spec(action.change).format_for_edit(action.new_values, marketplace)
    text = _edit_field(action.change, written, marketplace)
    reason = st.text_input("Reason (optional)", max_chars=LONGEST_REASON, key="edit_reason")
    try:
        new_values = get_spec(action.change).parse_edit(text, marketplace)
    except InvalidInputError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    parts = diff.diff_parts(action.change, action.current, new_values, marketplace)
    st.caption("Before and after")
    for part in parts:
        st.markdown(f":gray[{part.name}:] {diffs.format_diff(part.pieces)}")
    if sizes := diff.format_sizes(action.change, parts):
        st.caption(sizes)
    policies.show_policy_check(details, action, new_values)
    if st.button("Approve this", type="primary", icon=":material/check:", key="approve_edit"):
        _approve(action, new_values, reason.strip())


def _approve(action: ActionView, new_values: dict[str, object], reason: str) -> None:
    edited = None if new_values == dict(action.proposed) else new_values
    try:
        message = suggestions.approve_action(action.id, edited, reason)
    except error_boundary.EXPECTED_ERRORS as error:  # the dialog stays open with what was typed
        st.error(error_boundary.get_message(error), icon=":material/error:")
        return
    products.run_with_toast(lambda: message)
    st.rerun()


def _edit_field(change: Change, written: str, marketplace: str) -> str:
    name, editor = labels.CHANGES[change], get_spec(change).editor
    match editor:
        case Editor.AMOUNT:
            currency = get_marketplace(marketplace).currency
            return st.text_input(f"{name} ({currency})", written, key="edit_value")
        case Editor.CADENCE:
            place = _CADENCES.index(written) if written in _CADENCES else 0
            chosen = st.selectbox(
                name, _CADENCES, place, format_func=format_cadence, key="edit_value"
            )
            return chosen or written
        case Editor.LINES | Editor.LONG_TEXT:
            label = f"{name}, one a line" if editor is Editor.LINES else name
            return st.text_area(
                label, written, height=200, max_chars=LONGEST_TEXT, key="edit_value"
            )
    longest = LONGEST_TEXT if editor is Editor.TEXT else None
    return st.text_input(name, written, max_chars=longest, key="edit_value")
