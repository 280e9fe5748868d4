"""Reads of who made a frozen report. Never cached."""

from app.data import get_principal
from core.database.session import read_scope
from core.reports.frozen import service
from core.reports.frozen.service import FrozenOrigin


def find_origin(digest: str) -> FrozenOrigin | None:
    """Return who in the team made the file of a hash first, None if no one did."""
    with read_scope() as session:
        return service.find_origin(session, get_principal(), digest)
