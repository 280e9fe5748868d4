"""What users do with alerts: acknowledge, snooze, assign, comment, resolve, silence."""

from collections.abc import Callable, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import streamlit as st

from app.alerts import choice
from app.alerts.choice import OpenAlert
from app.commands import alerts as commands
from app.commands.products import run_in_dialog, run_with_toast
from app.components import fragments
from app.data import alerts, get_principal
from core.accounts.access.permissions import Permission
from core.alerts.incidents.incident_filter import Handling, IncidentKind
from core.alerts.incidents.queries import IncidentRow
from core.alerts.incidents.service import LONGEST_COMMENT, LONGEST_RESOLUTION
from core.alerts.incidents.silences import LONGEST_REASON, SilenceRequest
from core.catalog.marketplaces import get_marketplace
from core.text.escaping import shorten
from core.text.numbers import format_count, format_counted

SNOOZES: Final = (1, 3, 7, 30)  # days
SILENCES: Final = (1, 7, 30, 90)  # days
_LONGEST_NAME: Final = 40


def may_handle(rows: Sequence[IncidentRow]) -> bool:
    """Return whether the user may acknowledge or snooze any of the incidents."""
    return get_principal().may(Permission.TRACK) and any(row.state.is_open for row in rows)


# Several


def show_read_button() -> None:
    """Show the button that marks all alerts as read that are unread now."""
    st.button(
        "Mark all as read",
        icon=":material/mark_email_read:",
        key="mark_all_read",
        on_click=run_with_toast,
        args=(commands.mark_all_read, datetime.now(UTC)),
    )


def show_action_bar(
    rows: Sequence[IncidentRow], ticked: Sequence[IncidentRow], unread: Set[int] = frozenset()
) -> None:
    """Show what can be done with the ticked incidents."""
    if not may_handle(rows):
        return
    if not ticked:
        st.caption("Tick alerts to handle several together.", width="content")
        return
    show_actions(ticked, unread)


def show_actions(ticked: Sequence[IncidentRow], unread: Set[int] = frozenset()) -> None:
    """Show the actions for several incidents."""
    now, ids = datetime.now(UTC), [row.id for row in ticked]
    handled = {row.get_handling(now) for row in ticked}
    number = format_count(len(ids))
    st.markdown(f"**{number} ticked**", width="content")
    _show_button(f"Acknowledge {number}", "done_all", commands.acknowledge_alerts, ids)
    with st.popover(f"Snooze {number}", icon=":material/snooze:"):
        for days in SNOOZES:
            label = format_counted(days, "day")
            _show_button(f"All for {label}", "snooze", commands.snooze_alerts, ids, days)
    if not unread.isdisjoint(ids):
        _show_button("Mark as read", "mark_email_read", commands.mark_read, ids)
    if any(row.acknowledged_at is not None for row in ticked):
        _show_button("Undo acknowledgements", "undo", commands.unacknowledge_alerts, ids)
    if Handling.SNOOZED in handled:
        _show_button("End snoozes", "alarm", commands.end_snooze, ids)


def _show_button(label: str, icon: str, command: Any, ids: list[int], *more: int) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"do_{label}_{ids[0]}",
        on_click=run_with_toast,
        args=(command, ids, *more),
    )


# One


def show_buttons(opened: OpenAlert) -> None:
    """Show what can be done with the open incident. After most of it the next one opens."""
    row, now = opened.row, datetime.now(UTC)
    if not get_principal().may(Permission.TRACK):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if row.state.is_open:
            _show_handling(opened, row.get_handling(now))
        if st.button("Comment", icon=":material/comment:", key="comment_alert"):
            show_comment(row)
        if st.button("Silence", icon=":material/notifications_off:", key="silence_alert"):
            show_silence(row)


def _show_handling(opened: OpenAlert, handling: Handling) -> None:
    row, following = opened.row, opened.find_neighbour(1)
    if handling is Handling.RESOLVED:
        _do("Reopen", "undo", commands.reopen_alerts, [row.id])
        return
    if row.acknowledged_at is None:
        st.button(
            "Acknowledge",
            type="primary",
            icon=":material/check:",
            key="acknowledge_alert",
            shortcut="A",
            on_click=_handle,
            args=(following, commands.acknowledge_alerts, [row.id]),
        )
    else:
        _do("Undo acknowledgement", "undo", commands.unacknowledge_alerts, [row.id])
    if handling is Handling.SNOOZED:
        _do("End snooze", "alarm", commands.end_snooze, [row.id])
    else:
        with st.popover("Snooze", icon=":material/snooze:"):
            for days in SNOOZES:
                st.button(
                    f"For {format_counted(days, 'day')}",
                    key=f"snooze_alert_{days}",
                    on_click=_handle,
                    args=(following, commands.snooze_alerts, [row.id], days),
                )
    if st.button("Assign", icon=":material/person_add:", key="assign_alert"):
        show_assignment(row)
    if st.button("Resolve", icon=":material/task_alt:", key="resolve_alert"):
        show_resolution(row, following)


def _do(label: str, icon: str, command: Any, *given: object) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"{label}_alert",
        on_click=run_with_toast,
        args=(command, *given),
    )


def _handle(following: int | None, command: Callable[..., str], *given: object) -> None:
    """Run a command on the open alert, and open the one that follows, if any does."""
    run_with_toast(command, *given)
    if following is not None:
        choice.open_alert(following)


@fragments.dialog("Assign", icon=":material/person_add:")
def show_assignment(row: IncidentRow) -> None:
    """Ask to whom an alert is assigned."""
    names = {each.person_id: each.name for each in alerts.list_assignees()}
    chosen = st.selectbox(
        "To",
        [None, *names],
        index=0 if row.assigned_id not in names else 1 + list(names).index(row.assigned_id),
        format_func=lambda number: "No one" if number is None else names[number],
        key="assignee",
    )
    if st.button("Save", type="primary", icon=":material/check:", key="save_assignee"):
        run_in_dialog(
            commands.assign_alerts, [row.id], chosen, "no one" if chosen is None else names[chosen]
        )


@fragments.dialog("Comment", icon=":material/comment:")
def show_comment(row: IncidentRow) -> None:
    """Ask for a comment on an alert."""
    body = st.text_area("What your team should know", max_chars=LONGEST_COMMENT, key="comment")
    if st.button("Add", type="primary", icon=":material/check:", key="save_comment"):
        run_in_dialog(commands.comment_alert, row.id, body)


@fragments.dialog("Mark as resolved", icon=":material/task_alt:")
def show_resolution(row: IncidentRow, following: int | None) -> None:
    """Ask why an alert is resolved."""
    st.caption(
        "It leaves the open issues. The data still decide when it has ended: "
        "only then can the rule alert again."
    )
    reason = st.text_input("Why", max_chars=LONGEST_RESOLUTION, key="resolution")
    if st.button("Mark as resolved", type="primary", icon=":material/check:", key="save_resolved"):
        if following is not None:
            choice.open_alert(following)
        run_in_dialog(commands.resolve_alerts, [row.id], reason)


@fragments.dialog("Silence", icon=":material/notifications_off:")
def show_silence(row: IncidentRow) -> None:
    """Ask what to silence, until when and why."""
    st.caption("Silenced alerts stay in the list, marked as silenced, and are sent to no one.")
    scopes = _list_scopes(row)
    scope = st.selectbox("Silence", list(scopes), key="silence_scope")
    days = st.segmented_control(
        "For",
        SILENCES,
        default=SILENCES[1],
        required=True,
        format_func=lambda number: format_counted(number, "day"),
        key="silence_days",
    )
    reason = st.text_input("Why", max_chars=LONGEST_REASON, key="silence_reason")
    if st.button("Silence", type="primary", icon=":material/check:", key="save_silence"):
        ends_at = datetime.now(UTC) + timedelta(days=days)
        run_in_dialog(commands.add_silence, SilenceRequest(reason, ends_at, **scopes[scope]))


def _list_scopes(row: IncidentRow) -> dict[str, dict[str, Any]]:
    """Return what the user may silence that this alert is part of, by its label."""
    name = shorten(row.name_rule(), _LONGEST_NAME)
    scopes: dict[str, dict[str, Any]] = {
        f"“{name}” of this product": {"product_id": row.product_id, "rule_id": row.rule_id},
        "All alerts of this product": {"product_id": row.product_id},
    }
    if get_principal().may(Permission.TRACK_TEAM):
        place = get_marketplace(row.marketplace).name
        is_built_in = row.kind is not IncidentKind.TEAM_RULE
        all_of_it: dict[str, Any] = {"kind": row.kind} if is_built_in else {"rule_id": row.rule_id}
        scopes |= {
            f"“{name}” of all products": all_of_it,
            f"“{name}” in {place}": all_of_it | {"marketplace": row.marketplace},
            f"All alerts in {place}": {"marketplace": row.marketplace},
        }
    return scopes
