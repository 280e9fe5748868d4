"""The import that the page's address names, as in /add?import=12."""

import streamlit as st

from app.web import url_parameters

IMPORT = "import"


def find_import_id() -> int | None:
    """Return the import that the address names, None when it names none."""
    return url_parameters.read_number(IMPORT)


def open_import(run_id: int | None) -> None:
    """Make the address name an import, or none."""
    if run_id is None:
        st.query_params.pop(IMPORT, None)
    else:
        st.query_params[IMPORT] = str(run_id)
