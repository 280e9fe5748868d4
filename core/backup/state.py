"""When the newest backup was made, kept in the database. Never commits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from core.backup.manifest import Manifest
from core.upkeep.installation_state import get_state, set_state

STATE: Final = "backup"


@dataclass(frozen=True, slots=True)
class LastBackup:
    """The newest backup that this installation made."""

    made_at: datetime
    size: int  # bytes


def record_backup(session: Session, manifest: Manifest) -> None:
    """Record that a backup was made."""
    set_state(session, STATE, {"made_at": manifest.made_at.isoformat(), "size": manifest.size})


def read_last_backup(session: Session) -> LastBackup | None:
    """Return the newest backup; None if none was made."""
    state = get_state(session, STATE)
    if state is None:
        return None
    return LastBackup(datetime.fromisoformat(state["made_at"]), int(state["size"]))
