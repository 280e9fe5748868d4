"""How connections to PostgreSQL are opened and shared out among processes. Keeps none.

A server that has no free connection, or is still starting, is asked again for a bounded
time. libpq tells no SQLSTATE of a refused connection, so a refusal is recognised by the
server's English words (the embedded server always speaks English).
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
_LEAST = 4  # connections without which a process can't work
_PAUSES = (0.05, 0.5)  # seconds; each attempt waits for a random time between these
_SPARE = 5  # connections left for psql, commands and the demo's server, at the least
_REFUSED = re.compile(
    # SQLSTATE 53300, of the server, a role, a database or a pooler; then 57P03.
    r"too many (?:clients|connections)|connection slots are reserved|no more connections"
    r"|(?:starting up|shutting down|not (?:yet )?accepting connections|in recovery mode)"
)

# Of our own side: a server that was cut off is noticed within a minute.
CLIENT_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 40_000,  # milliseconds
}
# Of the server's side: so is a process that was cut off, also in the middle of a statement;
# one that is stopped within a transaction gives its locks back.
SERVER_SETTINGS = {
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "40000",
    "client_connection_check_interval": "5s",
    "idle_in_transaction_session_timeout": "30s",
}


class DatabaseBusyError(AmazcopeError, PoolTimeoutError):
    """The database has no free connection, and had none for some time."""

    def __init__(self) -> None:
        super().__init__(
            "The database has no free connection just now. Try again in a minute; if it "
            "stays so, raise max_connections of the server."
        )


class ConnectionShare(Enum):
    """Whose connections they are. The value: how many one such process wants at most."""

    PAGES = 40
    AGENTS = 26
    WORKER = 6  # of each of the worker's processes
    COMMAND = 12  # of a command or a test; lives on what is left over


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """How many connections each pool of one process may open."""

    reading: int
    writing: int
    noting: int

    @property
    def total(self) -> int:
        return self.reading + self.writing + self.noting


def compute_pool_sizes(
    share: ConnectionShare, allowed: int | None, workers: int, *, is_queue_inside: bool
) -> PoolSizes:
    """Return the pools of a process, so that those of all processes fit into the server.

    `allowed`: connections that the server gives to us, None where it has no limit;
    `workers`: worker processes; `is_queue_inside`: the queue lives in this server too.
    """
    if allowed is None:
        return _split_share(share, share.value)
    processes = 2 + workers
    wanted = (
        ConnectionShare.PAGES.value
        + ConnectionShare.AGENTS.value
        + workers * ConnectionShare.WORKER.value
    )
    # Of the queue: two of each worker, one each of its parent, its clock, pages and agents.
    queue = 2 * workers + 4 if is_queue_inside else 0
    spare = max(_SPARE, allowed // 10)
    left = allowed - queue - spare - processes * _LEAST
    fitting = min(1.0, max(0.0, left / (wanted - processes * _LEAST)))
    return _split_share(share, _LEAST + int((share.value - _LEAST) * fitting))


def _split_share(share: ConnectionShare, count: int) -> PoolSizes:
    """Divide a share: most of it reads; only agents' calls are noted beside their work."""
    noting = max(1, count // 6) if share is ConnectionShare.AGENTS else 1
    writing = max(1, (count - noting) * 2 // 5)
    if share is ConnectionShare.WORKER:  # writes more, and renews its claims beside its work
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
    """Ask the server how many connections it gives to this role and database."""
    with open_connection(conninfo) as connection:
        row = connection.execute(_ALLOWED).fetchone()
    return int(row[0]) if row is not None else 0


def open_connection(conninfo: str) -> psycopg.Connection[Any]:
    """Open a connection outside any pool, waiting for a full server. The caller closes it."""
    return connect_with_retry(lambda: psycopg.connect(conninfo, **_default_keepalives(conninfo)))


def _default_keepalives(conninfo: str) -> dict[str, Any]:
    """Return our keepalives, without what the address itself says."""
    named = psycopg.conninfo.conninfo_to_dict(conninfo)
    return {name: value for name, value in CLIENT_KEEPALIVES.items() if name not in named}


def connect_with_retry(connect: Callable[[], ConnectionT]) -> ConnectionT:
    """Connect, again and again while the server is full or starting.

    Raises DatabaseBusyError when it stayed so for WAIT_SECONDS; any other refusal at once.
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
