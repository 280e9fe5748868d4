"""The change set: what a seller does by hand in Seller Central, and its files."""

import streamlit as st

from app.components import downloads
from app.data.suggestions import SuggestionDetails
from core.suggestions.review import labels
from core.suggestions.review.views import SuggestionView
from core.text.escaping import escape_markdown

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def show_change_set(details: SuggestionDetails) -> None:
    """Show the steps to do by hand as a checklist with texts to copy, and as files."""
    change_set = details.change_set
    if change_set is None or not change_set.checklist:
        return
    with st.container(border=True, gap="small"):
        st.header("To do in Seller Central", anchor=False)
        for step in change_set.checklist:
            st.markdown(f":material/check_box_outline_blank: {escape_markdown(step.instruction)}")
            st.code(step.to_copy, language=None, wrap_lines=True)
        with st.container(horizontal=True, gap="small"):
            _show_file_button("CSV", change_set.csv, "text/csv", details.view)
            _show_file_button("XLSX", change_set.xlsx, _XLSX, details.view)
            _show_file_button("JSON", change_set.json, "application/json", details.view)
        if any(map(labels.needs_confirmation, details.view.actions)):
            st.caption("The next check that shows the new value marks it as verified.")


def _show_file_button(label: str, content: bytes, mime: str, view: SuggestionView) -> None:
    name = f"{view.row.marketplace}-{view.row.asin}-suggestion-{view.row.id}.{label.lower()}"
    downloads.show_download_button(label, name, mime, lambda _who: content, key=f"as_{label}")
