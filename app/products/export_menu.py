"""The menu that exports the whole list."""

from typing import Final

import streamlit as st

from app.data import list_export
from core.text.numbers import format_capped_count
from core.tracking.views.rules import ViewDefinition

_LABELS: Final = {"csv": "CSV", "xlsx": "Excel (XLSX)", "json": "JSON"}


def show_export(view: ViewDefinition, total: int) -> None:
    """Show the kinds of files. `total`: of the products in the list."""
    with st.popover("Export", icon=":material/download:", disabled=not total):
        count = format_capped_count(total)
        st.caption(f"The whole list, {count} {'product' if total == 1 else 'products'}, raw values")
        for kind, label in _LABELS.items():
            st.link_button(label, list_export.make_address(kind, view), width="stretch")
