"""The worker's sign of life. Never commits."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database.leases import TERM
from core.upkeep.installation_state import recall, remember

_NAME = "heartbeat"


def beat(session: Session, now: datetime) -> None:
    """Note that a worker is alive."""
    remember(session, _NAME, {"at": now.isoformat()})


def last_beat(session: Session) -> datetime | None:
    """Return when a worker last noted that it is alive, None when none ever did."""
    noted = recall(session, _NAME)
    return None if noted is None else datetime.fromisoformat(noted["at"])


def last_sign_of_worker(session: Session) -> datetime | None:
    """Return when a worker last showed that it lives, None when none ever did.

    A worker that is busy with long work can't beat: what it does is a sign as well.
    """
    job = session.execute(
        text(
            "SELECT greatest((SELECT max(started_at) FROM job_run), "
            "(SELECT max(ended_at) FROM (SELECT ended_at FROM job_run "
            "ORDER BY started_at DESC LIMIT 50) AS newest), "
            # Claims are renewed as long as their worker lives.
            "(SELECT max(claimed_until) - CAST(:term AS interval) FROM import_run "
            "WHERE state = 'running' AND claimed_by IS NOT NULL))"
        ),
        {"term": TERM},
    ).scalar()
    signs = [sign for sign in (job, last_beat(session)) if sign is not None]
    return max(signs, default=None)
