"""Check in bounded time whether the database answers and accepts changes."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum
from threading import Thread

from sqlalchemy import text

from core.database import outages
from core.database.session import read_scope
from core.errors import AmazcopeError

log = logging.getLogger(__name__)

CHECK_TIMEOUT = 3.0  # s; monitors usually give up after five

# The default of a new writing transaction; sessions for reading set it themselves.
_IS_READ_ONLY = text("""
SELECT pg_is_in_recovery() OR (
    SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only'
)
""")


class DatabaseStatus(StrEnum):
    """The status of the database, as /healthz reports it."""

    OK = "ok"
    READ_ONLY = "read-only"
    UNAVAILABLE = "database unavailable"


def is_read_only() -> bool:
    """Return whether the database accepts no changes. Raises if it does not answer."""
    with read_scope() as session:
        return bool(session.execute(_IS_READ_ONLY).scalar_one())


class DatabaseCheck:
    """Checks the database, with one check at a time for any number of callers.

    A database that hangs blocks only one thread, and callers for at most `patience`
    seconds. `ask` returns whether the database is read-only, and raises if it is unavailable.
    """

    def __init__(
        self, ask: Callable[[], bool | None] = is_read_only, patience: float = CHECK_TIMEOUT
    ) -> None:
        self._ask = ask
        self._patience = patience
        self._asked: Future[bool | None] | None = None

    async def status(self) -> DatabaseStatus:
        """Return the database's status. Raises nothing."""
        if self._asked is None or self._asked.done():
            self._asked = _run_in_thread(self._ask)
        answer = asyncio.shield(asyncio.wrap_future(self._asked))
        try:
            is_read_only = await asyncio.wait_for(answer, self._patience)
        except (*outages.ERRORS, AmazcopeError, OSError) as error:  # a TimeoutError is an OSError
            log.warning("Not healthy: %s", str(error) or "no answer in time")
            return DatabaseStatus.UNAVAILABLE
        return DatabaseStatus.READ_ONLY if is_read_only else DatabaseStatus.OK


def _run_in_thread(ask: Callable[[], bool | None]) -> "Future[bool | None]":
    """Run a function in a thread that does not keep the process from ending."""
    answer: Future[bool | None] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # raised again for the caller that waits
            answer.set_exception(error)

    Thread(target=run, name="database check", daemon=True).start()
    return answer
