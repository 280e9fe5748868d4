"""The popover that says when and by whom a frozen report was made."""

import re
from hashlib import sha256
from typing import Final

import streamlit as st

from app.data import frozen_files, get_principal
from core.accounts.labels import via_phrase
from core.text.escaping import escape_markdown
from core.text.times import format_moment

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def show_check_popover() -> None:
    """Show the fields for a file or its hash, and who made it."""
    with st.popover("Check a file", icon=":material/verified:"):
        st.caption(
            "When and by whom in your team a frozen report was made. A file with any change has "
            "another hash, and is not found."
        )
        file = st.file_uploader("File", type="html", key="frozen_file")
        typed = st.text_input("or its SHA-256", key="frozen_hash", max_chars=80)
        digest = sha256(file.getvalue()).hexdigest() if file else typed.strip().lower()
        if digest:
            _show_origin(digest)


def _show_origin(digest: str) -> None:
    if not _DIGEST.fullmatch(digest):
        st.warning("A SHA-256 has 64 digits from 0 to 9 and a to f.", icon=":material/error:")
        return
    found = frozen_files.find_origin(digest)
    if found is None:
        st.warning("Your team made no file with this hash.", icon=":material/error:")
        return
    who = "a former member" if found.person is None else escape_markdown(found.person)
    made = format_moment(found.made_at, get_principal().time_zone)
    sealed = "sealed in the audit" if found.is_sealed else "in the audit, not sealed yet"
    st.success(
        f"Made {made} by {who} {via_phrase(found.via.value)}: "
        f"{escape_markdown(found.subject)}; {sealed}.",
        icon=":material/verified:",
    )
