"""Notes on a product: the dialog that lists, adds, changes and deletes them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from app.commands import notes as commands
from app.components import fragments
from app.data import get_principal, products
from app.data.product.notes import list_notes
from app.web import error_boundary
from core.accounts.access.permissions import Permission
from core.history.notes.queries import Note
from core.history.notes.service import LONGEST_NOTE, may_change
from core.history.product_summary import ProductSummary
from core.text.escaping import escape_markdown
from core.text.times import format_day

_EDITED: Final = "edited_note"  # the id of the note that is being changed


def show_button(head: ProductSummary) -> None:
    """Show the button that opens the notes."""
    if st.button("Notes", icon=":material/edit_note:", key="notes"):
        st.session_state.pop(_EDITED, None)
        _show_notes(head)


@fragments.dialog("Notes", width="medium", icon=":material/edit_note:")
def _show_notes(head: ProductSummary) -> None:
    """Show the team's notes on a product, with the form to add one."""
    st.caption("What your team did: a new image, a coupon, a change of supplier. Marked N.")
    who, notes = get_principal(), list_notes(head.product_id)
    if who.may(Permission.TRACK):
        _show_form("new_note", None, lambda *values: commands.add_note(head.product_id, *values))
    for note in notes:
        if st.session_state.get(_EDITED) == note.id:
            _show_form(
                f"note_{note.id}", note, lambda *values, n=note: commands.change_note(n.id, *values)
            )
        else:
            _show_note(note)


def _show_note(note: Note) -> None:
    who = get_principal()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        day = format_day(note.noted_at.astimezone(ZoneInfo(who.time_zone)))
        st.markdown(
            f"**{day}** {escape_markdown(note.body)} :gray[· {escape_markdown(note.author)}]",
            width="stretch",
        )
        if not may_change(who, note.author_id):
            return
        if st.button("", icon=":material/edit:", key=f"edit_{note.id}", help="Change this note"):
            st.session_state[_EDITED] = note.id
            st.rerun(scope="fragment")
        if st.button("", icon=":material/delete:", key=f"drop_{note.id}", help="Delete this note"):
            _run(commands.delete_note, note.id)


def _show_form(key: str, note: Note | None, save: Callable[..., str]) -> None:
    zone = ZoneInfo(get_principal().time_zone)
    at = (datetime.now(UTC) if note is None else note.noted_at).astimezone(zone)
    with (
        st.form(key, border=False, clear_on_submit=note is None),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        day = st.date_input("Day", at.date(), width=140, key=f"{key}_day")
        body = st.text_input(
            "Note",
            "" if note is None else note.body,
            max_chars=LONGEST_NOTE,
            width="stretch",
            key=f"{key}_body",
        )
        label = "Add" if note is None else "Save"
        if st.form_submit_button(label, type="primary", icon=":material/check:"):
            _run(save, _at_noon(day, note), body)


def _at_noon(day: date, note: Note | None) -> datetime:
    """Return noon of a day by the user's clock: now if that is later, its own time if it stays."""
    now = datetime.now(ZoneInfo(get_principal().time_zone))
    if note is not None and note.noted_at.astimezone(now.tzinfo).date() == day:
        return note.noted_at
    noon = datetime.combine(day, time(12), now.tzinfo)
    return now if day == now.date() and now < noon else noon


def _run(command: Callable[..., str], *given: object) -> None:
    """Run a command; the page shows its result at once, an error stands in the dialog."""
    try:
        message = command(*given)
    except error_boundary.EXPECTED_ERRORS as error:
        st.error(error_boundary.get_message(error), icon=":material/error:")
        return
    st.session_state.pop(_EDITED, None)
    products.clear_lists()  # also what is cached of this product's notes
    st.toast(message, icon=":material/check:")
    st.rerun()
