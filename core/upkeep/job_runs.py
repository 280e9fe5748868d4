"""Record job runs, and mark those that a crash interrupted. Never commits."""

import os
import socket
from datetime import datetime, timedelta

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from core.upkeep.models import JobRun

LONGEST_JOB = timedelta(hours=6)  # one that runs longer was killed
KEPT = timedelta(days=30)


def begin_job(session: Session, job: str) -> int:
    """Record that a job has begun and return the id of its run."""
    process = f"{socket.gethostname()} {os.getpid()}"
    return int(
        session.execute(
            insert(JobRun).values(job=job, state="running", process=process).returning(JobRun.id)
        ).scalar_one()
    )


def end_job(
    session: Session, run_id: int, now: datetime, note: str | None, error: str | None
) -> None:
    """Record how a job ended; `error` None means successfully."""
    session.execute(
        update(JobRun)
        .where(JobRun.id == run_id)
        .values(state="failed" if error else "done", ended_at=now, note=note, error=error)
    )


def delete_idle_runs_before(session: Session, run_id: int) -> None:
    """Delete the earlier runs of a job that found as little to do as this one.

    Idle runs of every minute would hide all others; the last one is enough.
    """
    session.execute(
        text(
            "DELETE FROM job_run AS old USING job_run AS new WHERE new.id = :run "
            "AND old.id <> new.id AND old.job = new.job AND old.state = 'done' "
            "AND old.note = new.note AND old.started_at > new.started_at - interval '1 hour'"
        ),
        {"run": run_id},
    )


def mark_lost_jobs(session: Session, now: datetime) -> int:
    """Mark jobs that never ended as lost, delete old ones, and return how many were lost."""
    is_lost = (JobRun.started_at < now - LONGEST_JOB) | JobRun.process.in_(
        _list_dead_processes(session)
    )
    lost = session.execute(
        update(JobRun)
        .where(JobRun.state == "running", is_lost)
        .values(state="lost", ended_at=now, error="The process ended before the job did.")
        .returning(JobRun.id)
    ).all()
    session.execute(text("DELETE FROM job_run WHERE started_at < :old"), {"old": now - KEPT})
    return len(lost)


def _list_dead_processes(session: Session) -> list[str]:
    """Return the ended processes of this machine that are recorded with running jobs."""
    host = socket.gethostname()
    named = session.scalars(
        select(JobRun.process).where(JobRun.state == "running", JobRun.process.is_not(None))
    )
    parted = {name: name.rpartition(" ") for name in named if name}
    return [
        name
        for name, (where, _, pid) in parted.items()
        if where == host and pid.isdigit() and not _is_alive(int(pid))
    ]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
