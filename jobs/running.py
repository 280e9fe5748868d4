"""How a job runs: noted in the database, logged, and its error told. The tasks' only edge."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from core.db import exclusive, write_scope
from core.upkeep.service import begin_job, end_job, forget_idle_before

log = logging.getLogger(__name__)

_BETWEEN_LOOKS = 0.2  # seconds between two looks at a lock that is taken


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
                session, run_id, datetime.now(UTC), notes.text, f"{type(error).__name__}: {error}"
            )
        raise
    log.log(_level(notes), "Job %s: %s", name, notes.text or "done")
    with write_scope() as session:
        end_job(session, run_id, datetime.now(UTC), notes.text, None)
        if notes.is_idle:
            forget_idle_before(session, run_id)


def _level(notes: Notes) -> int:
    return logging.DEBUG if notes.is_idle else logging.INFO


@contextmanager
def in_turn(name: str, patience: float) -> Iterator[bool]:
    """Hold the lock of that name once it is free; yields False when it stayed taken.

    `patience` is in seconds. Rounds of the same minute begin at the same moment: who
    only asked once would find the lock taken every time.
    """
    deadline = time.monotonic() + patience
    while True:
        with exclusive(name) as is_free:
            if is_free or time.monotonic() > deadline:
                yield is_free
                return
        time.sleep(_BETWEEN_LOOKS)


def alone(name: str, work: Callable[[], object]) -> bool:
    """Do work unless another process does the same right now; return whether it was done.

    A consumer fires the current minute's jobs again when it starts, and every
    consumer has a clock of its own: without this, one minute's round may run twice.
    """
    with exclusive(name) as is_free:
        if is_free:
            work()
        return is_free
