"""The bar at the bottom of the window: actions for the selected products."""

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from app import page_frame
from app.commands import products as actions
from app.components import fragments, list_scope
from app.products import compare, table
from core.text.numbers import format_count, format_counted
from core.tracking.list_filter import ListScope
from core.tracking.rules import LONGEST_TAG

_NEW_TAG: Final = "new_tag"
_FOR_WHOM = {ListScope.MINE: "you", ListScope.TEAM: "the team"}


def show_selection_bar(selected: Sequence[dict[str, Any]], whose: ListScope) -> None:
    """Show how many products are selected, and what the user may do with them."""
    if not selected:
        return
    ids = [int(row["product_id"]) for row in selected]
    with (
        st.bottom,
        st.container(
            key=page_frame.ACTIONS,
            border=True,
            horizontal=True,
            vertical_alignment="center",
            gap="small",
        ),
    ):
        st.markdown(f"**{format_count(len(ids))} selected**", width="content")
        st.button("Clear", key="clear_selection", type="tertiary", on_click=table.clear_selection)
        st.space("stretch")
        if len(ids) == 1 and st.button(
            "Open", icon=":material/open_in_new:", key="open_selected", shortcut="Alt+O"
        ):
            table.open_product(selected[0])
        compare.show_frozen_button(selected)
        if list_scope.may_change(whose):
            _show_actions(selected, ids, whose)


def _show_actions(selected: Sequence[dict[str, Any]], ids: list[int], whose: ListScope) -> None:
    _button("Check now", "refresh", actions.request_checks, ids)
    with st.popover("Tag", icon=":material/sell:"):
        st.text_input("Tag", key=_NEW_TAG, max_chars=LONGEST_TAG)
        st.button(
            "Add tag", icon=":material/add:", key="do_tag", on_click=_add_tag, args=(ids, whose)
        )
    compare.show_compare_popover(
        ids,
        [str(row["marketplace"]) for row in selected],
        [row["bsr_category"] for row in selected],
    )
    with st.popover("More", icon=":material/more_horiz:"):
        _button("Pause", "pause", actions.pause_products, ids, whose)
        _button("Resume", "play_arrow", actions.resume_products, ids, whose)
        if st.button("Remove", icon=":material/delete:", key="remove"):
            _confirm_removal(ids, whose)


def _add_tag(ids: list[int], whose: ListScope) -> None:
    # Read on the click: the run that drew the button has the text before.
    actions.run_with_toast(actions.add_tag, ids, st.session_state.get(_NEW_TAG) or "", whose)


def _button(label: str, icon: str, command: Any, ids: list[int], *more: ListScope) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"do_{label}",
        on_click=actions.run_with_toast,
        args=(command, ids, *more),
    )


@fragments.dialog("Remove from the list?", icon=":material/delete:")
def _confirm_removal(ids: list[int], whose: ListScope) -> None:
    count = "This product" if len(ids) == 1 else f"These {format_counted(len(ids), 'product')}"
    st.write(
        f"{count} will no longer be checked for {_FOR_WHOM[whose]}. The history stays: "
        "it is there if you track again."
    )
    if st.button("Remove", type="primary", key="confirm_remove"):
        actions.run_with_toast(actions.remove_products, ids, whose)
        st.rerun()
