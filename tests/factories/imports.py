"""Imports for tests."""

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.importing.models import ImportRun


def add_import(session: Session, who: Principal, name: str = "prices.csv") -> int:
    """Store a user's import of a history file and return its id."""
    run = ImportRun(
        team_id=who.team_id,
        person_id=who.person_id,
        name=name,
        kind="history",
        state="done",
        file_hash=bytes.fromhex("ab" * 32),
        file_bytes=10,
    )
    session.add(run)
    session.flush()
    return run.id
