"""The worker's sign of life. Never commits."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.upkeep.remembered import recall, remember

_NAME = "heartbeat"


def beat(session: Session, now: datetime) -> None:
    """Note that a worker is alive."""
    remember(session, _NAME, {"at": now.isoformat()})


def last_beat(session: Session) -> datetime | None:
    """Return when a worker last noted that it is alive, None when none ever did."""
    noted = recall(session, _NAME)
    return None if noted is None else datetime.fromisoformat(noted["at"])
