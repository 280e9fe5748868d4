"""The worker's heartbeat. Never commits."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database.leases import LEASE_TERM
from core.upkeep.installation_state import get_state, set_state

_NAME = "heartbeat"


def record_heartbeat(session: Session, now: datetime) -> None:
    """Record that a worker is alive."""
    set_state(session, _NAME, {"at": now.isoformat()})


def find_last_heartbeat(session: Session) -> datetime | None:
    """Return the time of the last heartbeat, None if there never was one."""
    noted = get_state(session, _NAME)
    return None if noted is None else datetime.fromisoformat(noted["at"])


def find_last_worker_activity(session: Session) -> datetime | None:
    """Return when a worker was last active, None if none ever was.

    During long work a worker sends no heartbeat, so its jobs and claims count as well.
    """
    job = session.execute(
        text(
            "SELECT greatest((SELECT max(started_at) FROM job_run), "
            "(SELECT max(ended_at) FROM (SELECT ended_at FROM job_run "
            "ORDER BY started_at DESC LIMIT 50) AS newest), "
            # Claims are renewed as long as their worker runs.
            "(SELECT max(claimed_until) - CAST(:term AS interval) FROM import_run "
            "WHERE state = 'running' AND claimed_by IS NOT NULL))"
        ),
        {"term": LEASE_TERM},
    ).scalar()
    signs = [sign for sign in (job, find_last_heartbeat(session)) if sign is not None]
    return max(signs, default=None)
