"""Recorded job runs, and those that a crash interrupted."""

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.upkeep.job_runs import (
    LONGEST_JOB,
    begin_job,
    delete_idle_runs_before,
    end_job,
    mark_lost_jobs,
)
from tests.factories.tables import fetch_row, fetch_rows

pytestmark = pytest.mark.dates  # what it stores is of today

NOW = datetime.now(UTC)


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def named(session: Session, process: str) -> int:
    run_id = begin_job(session, "fetch")
    session.execute(
        text("UPDATE job_run SET process = :process WHERE id = :id"),
        {"process": process, "id": run_id},
    )
    return run_id


def states(session: Session) -> list[str]:
    return [each["state"] for each in fetch_rows(session, "SELECT state FROM job_run ORDER BY id")]


def test_a_job_whose_process_died_here_is_lost(session: Session, dead_pid: int) -> None:
    named(session, f"{socket.gethostname()} {dead_pid}")
    named(session, f"{socket.gethostname()} {os.getpid()}")
    named(session, f"another-machine {dead_pid}")
    assert mark_lost_jobs(session, datetime.now(UTC)) == 1
    assert states(session) == ["lost", "running", "running"]


def test_a_job_that_runs_for_too_long_is_lost_wherever_it_ran(session: Session) -> None:
    named(session, "another-machine 1")
    assert mark_lost_jobs(session, datetime.now(UTC) + LONGEST_JOB) == 1
    assert states(session) == ["lost"]


def test_a_job_that_ended_is_never_lost_and_kept_for_a_month(session: Session) -> None:
    end_job(session, begin_job(session, "fetch"), NOW, "Done.", None)
    assert mark_lost_jobs(session, NOW + timedelta(days=29)) == 0
    assert states(session) == ["done"]
    mark_lost_jobs(session, NOW + timedelta(days=31))
    assert states(session) == []


def test_an_idle_run_takes_only_the_place_of_earlier_idle_runs(session: Session) -> None:
    for job, note, error in (
        ("dispatch", "Idle.", None),
        ("dispatch", "3 runs started.", None),
        ("dispatch", "Idle.", "It broke."),
        ("reap", "Idle.", None),
    ):
        end_job(session, begin_job(session, job), NOW, note, error)
    last = begin_job(session, "dispatch")
    end_job(session, last, NOW, "Idle.", None)
    delete_idle_runs_before(session, last)
    kept = fetch_rows(session, "SELECT job, note, state FROM job_run ORDER BY id")
    assert [tuple(each.values()) for each in kept] == [
        ("dispatch", "3 runs started.", "done"),
        ("dispatch", "Idle.", "failed"),
        ("reap", "Idle.", "done"),
        ("dispatch", "Idle.", "done"),
    ]
    assert fetch_row(session, "SELECT max(id) AS id FROM job_run")["id"] == last
