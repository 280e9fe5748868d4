"""The worker's sign of life. Never commits."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database.leases import LEASE_TERM
from core.upkeep.installation_state import get_state, set_state

_NAME = "heartbeat"


def record_heartbeat(session: Session, now: datetime) -> None:
    """Note that a worker is alive."""
    set_state(session, _NAME, {"at": now.isoformat()})


def find_last_heartbeat(session: Session) -> datetime | None:
    """Return when a worker last noted that it is alive, None when none ever did."""
    noted = get_state(session, _NAME)
    return None if noted is None else datetime.fromisoformat(noted["at"])


def find_last_worker_activity(session: Session) -> datetime | None:
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
        {"term": LEASE_TERM},
    ).scalar()
    signs = [sign for sign in (job, find_last_heartbeat(session)) if sign is not None]
    return max(signs, default=None)
