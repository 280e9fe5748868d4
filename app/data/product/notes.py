"""The team's notes on a product."""

from app.data import get_principal
from core.database.session import read_scope
from core.history.notes import queries
from core.history.notes.queries import Note


def list_notes(product_id: int) -> list[Note]:
    """Return the team's notes on a product, newest first. Never cached."""
    with read_scope() as session:
        return queries.list_notes(session, get_principal(), product_id)
