"""The form that takes pasted text or a file."""

import streamlit as st

from app import keys
from app.auth import session
from app.commands import imports
from app.imports import form_error
from app.imports.address import open_import
from core.accounts.access.permissions import Permission
from core.settings.environment import get_settings

TEXT = "pasted"
FILE = "file"  # key of the uploader, followed by its number
_UPLOAD = "_upload_number"  # a new one empties the uploader
_TYPES = ["csv", "tsv", "xlsx", "json", "jsonl", "ndjson", "gz", "txt"]


def show_add_button(text: str) -> None:
    """Show "Add it" to users who may track: it opens the import page with this text."""
    if session.get_principal().may(Permission.TRACK) and st.button(
        "Add it", icon=":material/add:", key="to_add_it"
    ):
        st.session_state[TEXT] = text
        st.switch_page(f"../pages/{keys.ADD}.py")


def show_source_form() -> None:
    """Show the form: a field for text, an uploader, and "Preview"."""
    number = st.session_state.get(_UPLOAD, 0)
    with st.container(border=True):
        paste, upload = st.columns([3, 2], gap="medium")
        paste.text_area(
            "Paste links, ASINs or a whole email",
            key=TEXT,
            height=180,
            placeholder="https://www.amazon.de/dp/…\nB0… DE\nB0… on amazon.co.jp",
        )
        upload.file_uploader(
            "Or choose a file",
            type=_TYPES,
            key=f"{FILE}_{number}",
            max_upload_size=get_settings().amazcope_upload_mb,
            help="Lists of products, Keepa exports and API answers, Apify data sets, "
            "history tables. Also gzipped.",
        )
        st.button(
            "Preview",
            type="primary",
            icon=":material/search:",
            on_click=_offer,
            key="recognise",
        )
        form_error.show_kept_error()
    st.caption(":material/lock: You can review everything before importing.")


def _offer() -> None:
    """Offer the file, else the text, for import, and open the import."""
    number = st.session_state.get(_UPLOAD, 0)
    file = st.session_state.get(f"{FILE}_{number}")
    with form_error.keep_error():
        if file is not None:
            run_id = imports.offer_file(file.name, file)
        else:
            run_id = imports.offer_text(st.session_state.get(TEXT) or "")
        st.session_state[_UPLOAD] = number + 1
        st.session_state[TEXT] = ""
        open_import(run_id)
