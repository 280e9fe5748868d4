"""Commands of notes on products: each writes and returns a message for the user."""

from datetime import datetime

from app.data import get_principal
from core.database.session import write_scope
from core.history.notes import service


def add_note(product_id: int, noted_at: datetime, body: str) -> str:
    """Add a note on a product, at the time that it is about."""
    with write_scope() as session:
        service.add_note(session, get_principal(), product_id, noted_at, body)
    return "Note added."


def change_note(note_id: int, noted_at: datetime, body: str) -> str:
    """Change a note's time and text."""
    with write_scope() as session:
        service.change_note(session, get_principal(), note_id, noted_at, body)
    return "Note changed."


def delete_note(note_id: int) -> str:
    """Delete a note."""
    with write_scope() as session:
        service.delete_note(session, get_principal(), note_id)
    return "Note deleted."
