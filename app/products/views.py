"""Views of the product list: quick ones, and those that users save."""

from dataclasses import replace
from typing import Final

import streamlit as st

from app import device, keys
from app.commands import views as commands
from app.commands.products import run_with_toast
from app.components import list_scope
from app.data import get_principal, products
from app.data import views as data
from app.products import column_choice, filters
from core.accounts.access.permissions import Permission
from core.text.escaping import escape_markdown
from core.text.numbers import format_capped_count
from core.tracking.list_filter import ListFilter, Sort, SortBy, State
from core.tracking.rules import Role
from core.tracking.views.rules import LONGEST_NAME, SavedView, ViewDefinition

_CHOSEN: Final = "chosen_view"
_NAME: Final = "view_name"
_SHARED: Final = "view_shared"
_OWN: Final = (Role.OWN,)


def make_quick_views(days: int) -> dict[str, ViewDefinition]:
    """Return the views that every list has. `days`: of the chosen period."""
    worse = ListFilter(roles=_OWN, rank_worse_days=days)
    return {
        "All": ViewDefinition(ListFilter(), Sort()),
        "My own": ViewDefinition(ListFilter(roles=_OWN), Sort()),
        "Lost Buy Box": ViewDefinition(
            ListFilter(roles=_OWN, states=(State.BUY_BOX_LOST,)), Sort()
        ),
        "Out of stock": ViewDefinition(
            ListFilter(roles=_OWN, states=(State.OUT_OF_STOCK,)), Sort()
        ),
        "BSR worse": ViewDefinition(worse, Sort(SortBy.RANK_CHANGE, True)),
    }


def show_views(shown: ViewDefinition) -> None:
    """Show the views; the one that the list shows is marked. `shown`: what the list shows."""
    days = shown.sort.days
    quick = make_quick_views(days)
    saved = {f"{_icon(view)} {escape_markdown(view.name)}": view for view in data.list_views()}
    definitions = quick | {label: view.definition for label, view in saved.items()}
    st.session_state[_CHOSEN] = next(
        (label for label, each in definitions.items() if _is_shown(each, shown)), None
    )
    scope = shown.list_filter.scope
    counts = {
        label: products.count_listed(replace(view.list_filter, scope=scope))
        for label, view in quick.items()
    }
    st.pills(
        "Views",
        list(definitions),
        format_func=lambda label: (
            f"{label} · {format_capped_count(counts[label])}" if label in counts else label
        ),
        key=_CHOSEN,
        label_visibility="collapsed",
        on_change=_apply,
        args=(definitions,),
    )
    if get_principal().may(Permission.TRACK) and not device.is_phone():
        _show_saving(shown, list(saved.values()))


def _icon(view: SavedView) -> str:
    return ":material/group:" if view.is_shared else ":material/bookmark:"


def _is_shown(view: ViewDefinition, shown: ViewDefinition) -> bool:
    """Return whether a view is what the list shows, whatever its columns and list scope."""
    scope, days = shown.list_filter.scope, shown.list_filter.rank_worse_days
    alike = replace(view.list_filter, scope=scope)
    if alike.rank_worse_days is not None and days is not None:
        alike = replace(alike, rank_worse_days=days)  # a view goes with the chosen period
    is_sorted = filters.find_sort_label(view.sort) == st.session_state.get(keys.SORT)
    return alike == shown.list_filter and (is_sorted or view.sort == Sort())


def _apply(definitions: dict[str, ViewDefinition]) -> None:
    """Show the chosen view. A second click on it shows all."""
    label = st.session_state[_CHOSEN]
    view = definitions[label or next(iter(definitions))]
    is_quick = label is None or label in make_quick_views(view.sort.days)
    chosen = view.list_filter
    if is_quick:  # in the list that is shown
        chosen = replace(chosen, scope=list_scope.get_list_scope())
    filters.set_filter(chosen)
    filters.set_sort(filters.find_sort_label(view.sort))
    if view.columns:
        column_choice.set_columns(view.columns)


def _show_saving(shown: ViewDefinition, saved: list[SavedView]) -> None:
    with st.popover("Save view", icon=":material/bookmark_add:", type="tertiary"):
        st.caption("A view keeps the search, the filters, the order and the columns.")
        st.text_input("Name", key=_NAME, max_chars=LONGEST_NAME)
        st.checkbox("Share with the team", key=_SHARED)
        st.button("Save", key="save_view", type="primary", on_click=_save, args=(shown,))
        may_delete_shared = get_principal().may(Permission.TRACK_TEAM)
        for view in saved:
            if view.is_own or may_delete_shared:
                st.button(
                    f"Delete {escape_markdown(view.name)}",
                    icon=":material/delete:",
                    key=f"delete_view_{view.id}",
                    type="tertiary",
                    on_click=run_with_toast,
                    args=(commands.delete_view, view.id),
                )


def _save(shown: ViewDefinition) -> None:
    # Read on the click: the run that drew the button has the text before.
    name, is_shared = st.session_state.get(_NAME) or "", bool(st.session_state.get(_SHARED))
    run_with_toast(commands.save_view, name, shown, is_shared)
