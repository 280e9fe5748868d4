"""How a job runs: recorded in the database, logged, its error stored. The tasks' only edge."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps

from core.backup.pause import PAUSED, is_outward_paused
from core.database.session import database_time, read_scope, write_scope
from core.upkeep.job_runs import begin_job, delete_idle_runs_before, end_job
from jobs.claims import skip_if_locked
from jobs.queue import huey

log = logging.getLogger(__name__)


class JobReport:
    """What a job did, for the system status page."""

    def __init__(self) -> None:
        self.summary: str | None = None
        self.is_idle = False

    def nothing_to_do(self, summary: str) -> None:
        """Record an idle run, which replaces the idle runs before it."""
        self.summary, self.is_idle = summary, True


@contextmanager
def job(name: str) -> Iterator[JobReport]:
    """Keep a `job_run` row around a job. An error is stored, logged and raised again."""
    report = JobReport()
    with write_scope() as session:
        run_id = begin_job(session, name)
    try:
        yield report
    except Exception as error:
        log.exception("Job %s failed", name)
        with write_scope() as session:
            end_job(
                session, run_id, database_time(), report.summary, f"{type(error).__name__}: {error}"
            )
        raise
    log.log(_level(report), "Job %s: %s", name, report.summary or "done")
    with write_scope() as session:
        end_job(session, run_id, database_time(), report.summary, None)
        if report.is_idle:
            delete_idle_runs_before(session, run_id)


def periodic_job(
    name: str,
    schedule: Callable[[datetime], bool],
    *,
    expires: int,
    lock: str | None = None,
    is_outward: bool = False,
) -> Callable[[Callable[[JobReport], None]], Callable[[], None]]:
    """Decorate the work of a job that the worker runs on a schedule (crontab in UTC).

    The decorated function takes no arguments and runs the job at once, in this process.
    `expires`: seconds after which a scheduled run that has not begun is dropped. `lock`:
    scheduled runs are skipped while another process holds the lease of this name. `is_outward`:
    it calls or writes to others, so it does nothing between a restore and its confirmation.
    """

    def decorate(work: Callable[[JobReport], None]) -> Callable[[], None]:
        @wraps(work)
        def run() -> None:
            with job(name) as report:
                if is_outward and is_paused():
                    report.nothing_to_do(PAUSED)
                else:
                    work(report)

        @wraps(work)
        def run_scheduled() -> None:
            if lock is None:
                run()
            else:
                skip_if_locked(lock, run)

        huey.periodic_task(schedule, expires=expires)(run_scheduled)
        return run

    return decorate


def is_paused() -> bool:
    """Return whether everything outward waits for the confirmation of a restore."""
    with read_scope() as session:
        return is_outward_paused(session)


def _level(report: JobReport) -> int:
    return logging.DEBUG if report.is_idle else logging.INFO
