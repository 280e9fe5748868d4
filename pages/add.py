"""Add products: paste or upload, preview, confirm, watch the import's progress."""

import streamlit as st

from app.components import cards
from app.data import imports
from app.imports import address, confirmation, history, preview, progress, results, upload

# Choose
run_id = address.find_import_id()

# Load
view = imports.find_import(run_id) if run_id is not None else None
earlier = imports.list_imports()

# Render
cards.show_page_header("Add products", "From a text, a list, Keepa, Apify or a table of your own.")
if run_id is not None and view is None:
    st.info("This import doesn't exist, or was removed.", icon=":material/help:")

if view is None:
    upload.show_source_form()
else:
    preview.show_detected_kind(view)
    if view.state == "offered":
        preview.show_preview(view)
        preview.show_columns(view)
        confirmation.show_confirmation(view)
    elif view.is_open:
        progress.show_progress(view.id)
    else:
        results.show_result(view)

history.show_earlier_imports([each for each in earlier if view is None or each.id != view.id])
