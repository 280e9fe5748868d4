"""Files that pages offer: made when they are asked for, for whoever is signed in by then."""

from collections.abc import Callable

import streamlit as st

from app.auth import session
from app.web import error_boundary, file_owners
from core.accounts.access.permissions import Principal
from core.errors import AmazcopeError

CSV = "text/csv"
JSON = "application/json"


class FileNotMadeError(AmazcopeError):
    """A file could not be made; the message says why, or where the reason is."""


def show_download_button(
    label: str,
    name: str,
    mime: str,
    make: Callable[[Principal], bytes],
    *,
    key: str | None = None,
    is_quiet: bool = False,
) -> None:
    """Offer a file. Who signs out, or is signed out, gets none any more.

    `make` runs outside of the page, when the button is pressed.
    """
    ask = session.defer_principal()

    def made() -> bytes:
        try:
            who = ask()
            content = make(who)
        except Exception as error:  # Streamlit shows the message of any
            raise FileNotMadeError(error_boundary.log_and_describe(error)) from None
        file_owners.record_owner(content, mime, name, who.person_id)
        return content

    st.download_button(
        label,
        made,
        name,
        mime,
        icon=":material/download:",
        on_click="ignore",
        key=key,
        type="tertiary" if is_quiet else "secondary",
    )
