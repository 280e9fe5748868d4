"""Whether the database answers and accepts changes, found out in a bounded time."""

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

CHECK_TIMEOUT = 3.0  # s; a monitor that asks gives up after five, as a rule

# What a new transaction of a session for writing would be: sessions for reading set it themselves.
_IS_READ_ONLY = text("""
SELECT pg_is_in_recovery() OR (
    SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only'
)
""")


class DatabaseStatus(StrEnum):
    """What the database can do, as /healthz says it."""

    OK = "ok"
    READ_ONLY = "read-only"
    UNAVAILABLE = "database unavailable"


def is_read_only() -> bool:
    """Return whether the database accepts no changes. Raises when it does not answer."""
    with read_scope() as session:
        return bool(session.execute(_IS_READ_ONLY).scalar_one())


class DatabaseCheck:
    """Asks the database how it is, once at a time, however many want to know.

    A database that hangs holds one thread, never more, and nobody longer than `patience`
    seconds. `ask` returns whether the database is read-only, and raises when it is away.
    """

    def __init__(
        self, ask: Callable[[], bool | None] = is_read_only, patience: float = CHECK_TIMEOUT
    ) -> None:
        self._ask = ask
        self._patience = patience
        self._asked: Future[bool | None] | None = None

    async def status(self) -> DatabaseStatus:
        """Return how the database is. Raises nothing."""
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
    """Run a question in a thread that does not keep the process from ending."""
    answer: Future[bool | None] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # told by whoever waits for the answer
            answer.set_exception(error)

    Thread(target=run, name="database check", daemon=True).start()
    return answer
