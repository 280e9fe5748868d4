"""Add products: paste or upload anything, see what it is, confirm it, watch it being stored."""

import streamlit as st

from app import cards, import_parts, import_results
from app.data import operations

# Choose
asked = import_parts.import_asked()

# Load
view = operations.find_import(asked) if asked is not None else None
earlier = operations.earlier_imports()

# Render
cards.page_header("Add products", "From a text, a list, Keepa, Apify or a table of your own.")
if asked is not None and view is None:
    st.info("This import is not there (any more).", icon=":material/help:")

if view is None:
    import_parts.source_form()
else:
    import_parts.recognised(view)
    if view.state == "offered":
        import_parts.preview(view)
        import_parts.columns(view)
        import_parts.confirmation(view)
    elif view.is_open:
        import_results.progress(view.id)
    else:
        import_results.result(view)

import_results.earlier([each for each in earlier if view is None or each.id != view.id])
