"""Add products: paste or upload anything, see what it is, confirm it, watch it being stored."""

import streamlit as st

from app.components import cards
from app.data import operations
from app.imports import results, upload

# Choose
asked = upload.import_asked()

# Load
view = operations.find_import(asked) if asked is not None else None
earlier = operations.earlier_imports()

# Render
cards.page_header("Add products", "From a text, a list, Keepa, Apify or a table of your own.")
if asked is not None and view is None:
    st.info("This import is not there (any more).", icon=":material/help:")

if view is None:
    upload.source_form()
else:
    upload.recognised(view)
    if view.state == "offered":
        upload.preview(view)
        upload.columns(view)
        upload.confirmation(view)
    elif view.is_open:
        results.progress(view.id)
    else:
        results.result(view)

results.earlier([each for each in earlier if view is None or each.id != view.id])
