"""How a worker keeps what it works on: claims that are renewed while it lives."""

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

RENEWAL_SECONDS = 5.0  # between two renewals, a quarter of the term
LONGEST = timedelta(minutes=10)  # without progress; then the holder counts as hung

Renew = Callable[[Session], bool]


class RenewedClaim:
    """A claim that is being renewed. `is_lost`: another worker has it now."""

    def __init__(self) -> None:
        self.is_lost = False
        self._over = threading.Event()
        self.note_progress()

    def note_progress(self) -> None:
        """Record that the work advances: the claim is renewed for `LONGEST` from now."""
        self._until = time.monotonic() + LONGEST.total_seconds()

    def end(self) -> None:
        """Stop renewing."""
        self._over.set()

    def renew_until_over(self, renew: Renew) -> None:
        """Renew until the claim is ended or lost, or the work made no progress for `LONGEST`."""
        while not self._over.wait(RENEWAL_SECONDS) and time.monotonic() < self._until:
            try:
                with write_scope() as session:
                    self.is_lost = not renew(session)
            except (SQLAlchemyError, AmazcopeError) as error:  # the next renewal may succeed
                log.warning("A claim could not be renewed: %s", error)
            if self.is_lost:
                return


@contextmanager
def keep_renewed(renew: Renew) -> Iterator[RenewedClaim]:
    """Renew a claim in a thread while inside."""
    claim = RenewedClaim()
    thread = threading.Thread(target=claim.renew_until_over, args=(renew,), daemon=True)
    thread.start()
    try:
        yield claim
    finally:
        claim.end()
        thread.join()


def skip_if_locked(name: str, work: Callable[[], object]) -> bool:
    """Do work unless another process does the same now; return whether it was done.

    A consumer runs the current minute's jobs again when it starts, and every consumer
    has its own clock: without this, one minute's job may run twice. The lease ends when
    its holder dies; a hung holder keeps it no longer than `LONGEST`.
    """
    holder = uuid4()
    with write_scope() as session:
        if not leases.take_lease(session, name, holder, leases.LEASE_TERM):
            return False
    try:
        with keep_renewed(
            lambda session: leases.renew_lease(session, name, holder, leases.LEASE_TERM)
        ):
            work()
    finally:
        with write_scope() as session:
            leases.end_lease(session, name, holder)
    return True
