"""Job runs, and what a crash left behind. Never commits."""

import os
import socket
from datetime import datetime, timedelta

from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from core.upkeep.models import JobRun

LONGEST_JOB = timedelta(hours=6)  # one that runs longer was killed without a word
KEPT = timedelta(days=30)


def begin_job(session: Session, job: str) -> int:
    """Note that a job has begun and return the id of its run."""
    process = f"{socket.gethostname()} {os.getpid()}"
    return int(
        session.execute(
            insert(JobRun).values(job=job, state="running", process=process).returning(JobRun.id)
        ).scalar_one()
    )


def end_job(
    session: Session, run_id: int, now: datetime, note: str | None, error: str | None
) -> None:
    """Note how a job ended; `error` None means well."""
    session.execute(
        update(JobRun)
        .where(JobRun.id == run_id)
        .values(state="failed" if error else "done", ended_at=now, note=note, error=error)
    )


def reap_jobs(session: Session, now: datetime) -> int:
    """Mark jobs that never ended as lost, drop old ones, and return how many were lost."""
    lost = session.execute(
        update(JobRun)
        .where(JobRun.state == "running", JobRun.started_at < now - LONGEST_JOB)
        .values(state="lost", ended_at=now, error="The process ended before the job did.")
        .returning(JobRun.id)
    ).all()
    session.execute(text("DELETE FROM job_run WHERE started_at < :old"), {"old": now - KEPT})
    return len(lost)
