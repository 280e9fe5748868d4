"""How a job runs: noted in the database, logged, and its error told. The tasks' only edge."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from core.database.session import database_time, write_scope
from core.upkeep.job_runs import begin_job, end_job, forget_idle_before

log = logging.getLogger(__name__)


class Notes:
    """What a job wants to say of itself, for the health screen."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.is_idle = False

    def say(self, sentence: str) -> None:
        self.text = sentence

    def idle(self, sentence: str) -> None:
        """Say that there was nothing to do: such a run takes the place of the one before."""
        self.text, self.is_idle = sentence, True


@contextmanager
def job(name: str) -> Iterator[Notes]:
    """Keep a `job_run` row around a job. An error is kept, logged and raised again."""
    notes = Notes()
    with write_scope() as session:
        run_id = begin_job(session, name)
    try:
        yield notes
    except Exception as error:
        log.exception("Job %s failed", name)
        with write_scope() as session:
            end_job(
                session, run_id, database_time(), notes.text, f"{type(error).__name__}: {error}"
            )
        raise
    log.log(_level(notes), "Job %s: %s", name, notes.text or "done")
    with write_scope() as session:
        end_job(session, run_id, database_time(), notes.text, None)
        if notes.is_idle:
            forget_idle_before(session, run_id)


def _level(notes: Notes) -> int:
    return logging.DEBUG if notes.is_idle else logging.INFO
