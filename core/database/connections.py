"""Open connections to PostgreSQL, and divide them among processes. Keeps none.

A server without a free connection, or one that is still starting, is tried again for a
bounded time. libpq gives no SQLSTATE of a refused connection, so refusals are recognised
by the server's English messages (the embedded server always uses English).
"""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import psycopg
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.errors import AmazcopeError

ConnectionT = TypeVar("ConnectionT")

WAIT_SECONDS = 20.0  # for a free connection, at the server or in the pool
_LEAST = 4  # connections that a process needs at least
_PAUSES = (0.05, 0.5)  # seconds; each attempt waits for a random time between these
_SPARE = 5  # connections left at least for psql, commands and the demo's server
_REFUSED = re.compile(
    # SQLSTATE 53300, of the server, a role, a database or a pooler; then 57P03.
    r"too many (?:clients|connections)|connection slots are reserved|no more connections"
    r"|(?:starting up|shutting down|not (?:yet )?accepting connections|in recovery mode)"
)

# On our side: a server that was cut off is noticed within a minute.
CLIENT_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 40_000,  # milliseconds
}
# On the server's side: a process that was cut off is noticed, also during a statement; one
# that is suspended within a transaction loses its locks.
SERVER_SETTINGS = {
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "40000",
    "client_connection_check_interval": "5s",
    "idle_in_transaction_session_timeout": "30s",
}


class DatabaseBusyError(AmazcopeError, PoolTimeoutError):
    """The database had no free connection for some time."""

    def __init__(self) -> None:
        super().__init__(
            "The database has no free connection at the moment. Try again in a minute; if this "
            "persists, raise max_connections of the server."
        )


class ConnectionShare(Enum):
    """The kind of process that uses connections. Value: the most one such process wants."""

    PAGES = 40
    AGENTS = 26
    WORKER = 6  # of each of the worker's processes
    COMMAND = 12  # of a command or a test; uses what is left over


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """The sizes of the pools of one process, in connections."""

    reading: int
    writing: int
    noting: int

    @property
    def total(self) -> int:
        return self.reading + self.writing + self.noting


def compute_pool_sizes(
    share: ConnectionShare, allowed: int | None, workers: int, *, is_queue_inside: bool
) -> PoolSizes:
    """Return the pool sizes of a process, so that all processes fit into the server's limit.

    `allowed`: connections that the server allows us, None without a limit;
    `workers`: worker processes; `is_queue_inside`: the queue uses this server too.
    """
    if allowed is None:
        return _split_share(share, share.value)
    processes = 2 + workers
    wanted = (
        ConnectionShare.PAGES.value
        + ConnectionShare.AGENTS.value
        + workers * ConnectionShare.WORKER.value
    )
    # The queue's: two of each worker, one each of its parent, scheduler, pages and agents.
    queue = 2 * workers + 4 if is_queue_inside else 0
    spare = max(_SPARE, allowed // 10)
    left = allowed - queue - spare - processes * _LEAST
    fitting = min(1.0, max(0.0, left / (wanted - processes * _LEAST)))
    return _split_share(share, _LEAST + int((share.value - _LEAST) * fitting))


def _split_share(share: ConnectionShare, count: int) -> PoolSizes:
    """Divide a share: most of it for reading; only agents' calls are logged beside their work."""
    noting = max(1, count // 6) if share is ConnectionShare.AGENTS else 1
    writing = max(1, (count - noting) * 2 // 5)
    if share is ConnectionShare.WORKER:  # writes more, and renews its claims during its work
        writing = max(2, (count - noting) * 3 // 5)
    return PoolSizes(max(1, count - noting - writing), writing, noting)


_ALLOWED = """
SELECT least(
    current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0),
    (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
    (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()))
"""


def query_allowed_connections(conninfo: str) -> int:
    """Return how many connections the server allows this role and database."""
    with open_connection(conninfo) as connection:
        row = connection.execute(_ALLOWED).fetchone()
    return int(row[0]) if row is not None else 0


def open_connection(conninfo: str) -> psycopg.Connection[Any]:
    """Open a connection outside any pool, waiting if the server is full. The caller closes it."""
    return connect_with_retry(lambda: psycopg.connect(conninfo, **_default_keepalives(conninfo)))


def _default_keepalives(conninfo: str) -> dict[str, Any]:
    """Return our keepalives, without those that the connection string sets."""
    named = psycopg.conninfo.conninfo_to_dict(conninfo)
    return {name: value for name, value in CLIENT_KEEPALIVES.items() if name not in named}


def connect_with_retry(connect: Callable[[], ConnectionT]) -> ConnectionT:
    """Connect, with retries while the server is full or starting.

    Raises DatabaseBusyError after WAIT_SECONDS of those; any other error at once.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return connect()
        except psycopg.OperationalError as error:
            if not _REFUSED.search(str(error)):
                raise
            if time.monotonic() > deadline:
                raise DatabaseBusyError from error
        time.sleep(random.uniform(*_PAUSES))
