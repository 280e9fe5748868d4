"""How a worker holds what it works on: claims that are renewed while it lives."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.database import leases
from core.database.session import write_scope
from core.errors import AmazcopeError

log = logging.getLogger(__name__)

BEAT = 5.0  # seconds between two renewals, a quarter of the term
LONGEST = timedelta(minutes=10)  # that a claim is renewed without progress: its holder hangs

Renew = Callable[[Session], bool]


class Held:
    """A claim that is being renewed. `is_lost`: another worker has it by now."""

    def __init__(self) -> None:
        self.is_lost = False
        self._over = threading.Event()
        self.note_progress()

    def note_progress(self) -> None:
        """Say that the work goes on: the claim is renewed for `LONGEST` from now."""
        self._until = time.monotonic() + LONGEST.total_seconds()

    def end(self) -> None:
        """Renew no more."""
        self._over.set()

    def renew_until_over(self, renew: Renew) -> None:
        """Renew again and again, until it is over, lost, or nothing moved for `LONGEST`."""
        while not self._over.wait(BEAT) and time.monotonic() < self._until:
            try:
                with write_scope() as session:
                    self.is_lost = not renew(session)
            except (SQLAlchemyError, AmazcopeError) as error:  # the next one may come through
                log.warning("A claim could not be renewed: %s", error)
            if self.is_lost:
                return


@contextmanager
def renewing(renew: Renew) -> Iterator[Held]:
    """Have a claim renewed in a thread while inside."""
    held = Held()
    beating = threading.Thread(target=held.renew_until_over, args=(renew,), daemon=True)
    beating.start()
    try:
        yield held
    finally:
        held.end()
        beating.join()


def alone(name: str, work: Callable[[], object]) -> bool:
    """Do work unless another process does the same right now; return whether it was done.

    A consumer fires the current minute's jobs again when it starts, and every
    consumer has a clock of its own: without this, one minute's round may run twice. The
    lease ends when its holder dies; who hangs holds it no longer than `LONGEST`.
    """
    holder = uuid4()
    with write_scope() as session:
        if not leases.take_lease(session, name, holder, leases.TERM):
            return False
    try:
        with renewing(lambda session: leases.renew_lease(session, name, holder, leases.TERM)):
            work()
    finally:
        with write_scope() as session:
            leases.end_lease(session, name, holder)
    return True
