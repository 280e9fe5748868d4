"""Download buttons: the file is made on the click, for the user signed in at that moment."""

from collections.abc import Callable

import streamlit as st

from app.auth import session
from app.web import error_boundary, file_owners
from core.accounts.access.permissions import Principal
from core.errors import AmazcopeError

CSV = "text/csv"
JSON = "application/json"
# Of a file that stands alone. Served as a page, it would get the script of Streamlit's pages, and
# have another hash; and a browser could open it with the rights of this server.
HTML = "application/octet-stream"


class FileNotMadeError(AmazcopeError):
    """A file could not be made; the message has the reason or its number in the log."""


def show_download_button(
    label: str,
    name: str,
    mime: str,
    make: Callable[[Principal], bytes],
    *,
    key: str | None = None,
    is_quiet: bool = False,
) -> None:
    """Show a download button. It stops working when the user's session ends.

    `make` runs outside the page's run, when the button is clicked.
    """
    get_principal = session.defer_principal()

    def make_file() -> bytes:
        try:
            who = get_principal()
            content = make(who)
        except Exception as error:  # Streamlit shows the message of every error
            raise FileNotMadeError(error_boundary.log_and_describe(error)) from None
        file_owners.record_owner(content, mime, name, who.person_id)
        return content

    st.download_button(
        label,
        make_file,
        name,
        mime,
        icon=":material/download:",
        on_click="ignore",
        key=key,
        type="tertiary" if is_quiet else "secondary",
    )
