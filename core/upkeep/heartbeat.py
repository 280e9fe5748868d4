"""The worker's heartbeat. Never commits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database.leases import LEASE_TERM
from core.upkeep.installation_state import get_state, set_state

_NAME = "heartbeat"
_RESTARTS = "worker restarts"
_RESTARTS_KEPT = 100  # the newest
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class WorkerRestarts:
    """How often the worker was restarted in 24 hours after it ended by itself or was killed."""

    count: int = 0
    last_at: datetime | None = None
    last_reason: str | None = None  # "worker was ended by SIGKILL"


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


def record_restart(session: Session, now: datetime, reason: str) -> None:
    """Record that a worker was started again after it ended. `reason`: how it ended."""
    noted = get_state(session, _RESTARTS) or {"restarts": []}
    restarts = [*noted["restarts"], {"at": now.isoformat(), "reason": reason}]
    set_state(session, _RESTARTS, {"restarts": restarts[-_RESTARTS_KEPT:]})


def count_restarts(session: Session, now: datetime) -> WorkerRestarts:
    """Return the restarts of the last 24 hours."""
    noted = get_state(session, _RESTARTS) or {"restarts": []}
    found = [(datetime.fromisoformat(each["at"]), each["reason"]) for each in noted["restarts"]]
    recent = [each for each in found if now - each[0] <= DAY]
    return WorkerRestarts(len(recent), *(recent[-1] if recent else (None, None)))
