"""Engines, and the read and write scopes. The only place that commits.

Nothing is opened at import: each process makes its engines when it enters the first
scope. Tests replace `session_factory`, `reading_factory` and `autocommit_factory` for
every page, job and tool.
"""

import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Engine, MetaData, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session

from core.database import connections
from core.database.connections import ConnectionShare, DatabaseBusyError
from core.errors import ConfigurationError
from core.settings.environment import get_settings

CONNECT_TIMEOUT = 10  # seconds; a server that was cut off must not block callers
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Parent of every table; one naming convention for all constraints."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


def database_url() -> str:
    """Return the URL of PostgreSQL: the one set, otherwise the embedded server's.

    Raises ConfigurationError if there is neither.
    """
    given = get_settings().database_url
    if given is not None:
        return with_driver(given.get_secret_value())
    from core.database.embedded.server import (
        find_running_url,  # imports psutil, which is not needed with a server
    )

    url = find_running_url(get_settings().amazcope_data_dir, get_settings().secrets_dir)
    if url is None:
        raise ConfigurationError(
            "The database is not running. Start Amazcope with `make run`, or set DATABASE_URL."
        )
    return url


def with_driver(url: str) -> str:
    """Return a PostgreSQL URL with psycopg 3 as its driver."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


def make_engine(url: str, **options: Any) -> Engine:
    """Return an engine with this project's default settings.

    Raises ConfigurationError for a URL that can't be read.
    """
    # LIFO keeps few connections warm: each backend has its own cache of plans and catalogue.
    usual: dict[str, Any] = {"pool_size": 5, "max_overflow": 15, "pool_use_lifo": True}
    usual |= {"pool_recycle": 1800, "pool_timeout": connections.WAIT_SECONDS}
    address = _parse_url(url)
    given = {"connect_timeout": CONNECT_TIMEOUT} | connections.CLIENT_KEEPALIVES
    usual["connect_args"] = {k: v for k, v in given.items() if k not in address.query}
    engine = create_engine(address, **(usual | options))
    event.listen(engine, "do_connect", _connect_with_retry)
    event.listen(engine, "connect", _set_session_defaults)
    event.listen(engine, "checkout", _detect_closed_connection)
    return engine


def _connect_with_retry(
    dialect: Any, _record: object, args: list[Any], named: dict[str, Any]
) -> Any:
    """Open a pool's connection; raises DatabaseBusyError for a server that stays full."""
    return connections.connect_with_retry(lambda: dialect.connect(*args, **named))


def _detect_closed_connection(
    connection: psycopg.Connection[Any], _record: object, _proxy: object
) -> None:
    """Make the pool open a new connection if the server ended this one.

    A server that restarted must not fail the next page or job. Its last message waits in
    the socket: polling it takes no exchange with the server, unlike a ping.
    """
    try:
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN)
        has_news = bool(waiting.poll(0))
    except (OSError, psycopg.Error) as error:
        raise DisconnectionError("The connection is closed.") from error
    if has_news:
        raise DisconnectionError("The server ended the connection.")


def to_conninfo(url: str) -> str:
    """Return an engine's URL as a connection string of libpq, which knows no drivers."""
    parsed = _parse_url(url)
    named = parsed.translate_connect_args(username="user", database="dbname")
    return make_conninfo(**named, **{name: str(value) for name, value in parsed.query.items()})


def _parse_url(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "DATABASE_URL can't be read. Write it as "
            "postgresql://user:password@host:5432/amazcope, with characters other than "
            "letters and digits in the password as %XX."
        ) from None  # the error may contain the password


def _set_session_defaults(connection: psycopg.Connection[Any], _record: object) -> None:
    """Set defaults for short queries, whatever the server's own settings are."""
    # Data that is read often is in memory, where random access costs the same; compiling
    # plans takes longer than the queries.
    settings = {"random_page_cost": "1.1", "jit": "off"} | connections.SERVER_SETTINGS
    connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in settings.items()))
    connection.commit()


@dataclass(frozen=True, slots=True)
class _Engines:
    """The engines of this process, each with its own pool.

    Code that writes may also read meanwhile: with one pool it could wait for itself.
    """

    writing: Engine
    reading: Engine
    noting: Engine

    def dispose(self, *, close: bool) -> None:
        for engine in (self.writing, self.reading, self.noting):
            engine.dispose(close=close)


_making = threading.Lock()
_made: _Engines | None = None
_share = ConnectionShare.COMMAND


def set_connection_share(share: ConnectionShare) -> None:
    """Set the share of this process's connections, before it enters the first scope."""
    global _share
    _share = share


def has_engines() -> bool:
    """Return whether this process has made its engines."""
    return _made is not None


def _engines() -> _Engines:
    """Return this process's engines, made once for all threads."""
    global _made
    if _made is None:
        with _making:
            _made = _made or _make_engines(database_url())
    return _made


def _make_engines(url: str) -> _Engines:
    settings = get_settings()
    sizes = connections.compute_pool_sizes(
        _share,
        settings.amazcope_database_connections
        or connections.query_allowed_connections(to_conninfo(url)),
        settings.amazcope_worker_processes,
        is_queue_inside=settings.redis_url is None,
    )
    alone: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    reading = make_engine(url, **_pool_options(sizes.reading), **alone)
    event.listen(reading, "connect", _set_read_only)
    noting = make_engine(url, **_pool_options(sizes.noting), **alone)
    event.listen(noting, "connect", _disable_synchronous_commit)
    return _Engines(make_engine(url, **_pool_options(sizes.writing)), reading, noting)


def _pool_options(size: int) -> dict[str, int]:
    """Return options of a pool that keeps at most five idle connections open."""
    kept = min(size, 5)
    return {"pool_size": kept, "max_overflow": size - kept}


def get_engine() -> Engine:
    """Return this process's engine. Call `discard_inherited_engines` after a fork."""
    return _engines().writing


def get_reading_engine() -> Engine:
    """Return this process's engine for reading: autocommit and read-only.

    A page runs one query at a time: without BEGIN and ROLLBACK around it, a read is one
    exchange with the server instead of three.
    """
    return _engines().reading


def get_autocommit_engine() -> Engine:
    """Return this process's engine for logs: every statement is committed by itself.

    The server does not wait for the disk, so that logging costs a call almost nothing. If
    the machine crashes, the rows of the last moments are lost; if a process dies, none.
    """
    return _engines().noting


def _disable_synchronous_commit(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.execute("SET synchronous_commit = off")
    connection.commit()


def _set_read_only(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.execute("SET default_transaction_read_only = on")
    connection.commit()


def discard_inherited_engines() -> None:
    """Drop the engines without closing their sockets: they belong to the parent process."""
    _drop_engines(close=False)


def close_engines() -> None:
    """Close all connections; the next scope opens new ones."""
    _drop_engines(close=True)


def _drop_engines(*, close: bool) -> None:
    global _made, _making
    made, _made = _made, None
    _making = threading.Lock()  # a fork may have copied one that a thread of the parent holds
    if made is not None:
        made.dispose(close=close)


def session_factory() -> Session:
    """Return a new session. Objects stay readable after the scope ends."""
    return Session(get_engine(), expire_on_commit=False)


def reading_factory() -> Session:
    """Return a new session for reading."""
    return Session(get_reading_engine(), expire_on_commit=False)


def autocommit_factory() -> Session:
    """Return a new session for logs."""
    return Session(get_autocommit_engine(), expire_on_commit=False)


@contextmanager
def _translate_timeouts() -> Iterator[None]:
    """Raise DatabaseBusyError instead of the pool's timeout."""
    try:
        yield
    except DatabaseBusyError:
        raise
    except PoolTimeoutError as error:
        raise DatabaseBusyError from error


@contextmanager
def read_scope() -> Iterator[Session]:
    """Open a session for reading. Each statement sees what is committed before it.

    This scope and the others raise DatabaseBusyError if no connection becomes free.
    """
    with _translate_timeouts(), reading_factory() as session:
        yield session


@contextmanager
def write_scope() -> Iterator[Session]:
    """Open a session whose work is committed at the end, or rolled back by an error."""
    with _translate_timeouts(), session_factory() as session:
        with session.begin():
            yield session
        waiting: dict[Callable[[], object], None] = session.info.pop(_AFTER_COMMIT, {})
    for function in waiting:  # with the connection given back
        function()


_AFTER_COMMIT = "after_commit"


def call_after_commit(session: Session, function: Callable[[], object]) -> None:
    """Call a function once when the session's write scope has committed, not if it is undone.

    Only for what may be lost, such as waking the worker: a kill in between loses it.
    """
    session.info.setdefault(_AFTER_COMMIT, {})[function] = None


@contextmanager
def dry_run_scope() -> Iterator[Session]:
    """Open a session whose work is rolled back at the end, to see what it would do."""
    with _translate_timeouts(), session_factory() as session, session.begin() as transaction:
        yield session
        transaction.rollback()


@contextmanager
def autocommit_scope() -> Iterator[Session]:
    """Open a session for logs and counters: each statement is committed at once."""
    with _translate_timeouts(), autocommit_factory() as session:
        yield session


def database_time() -> datetime:
    """Return the time of the database's clock, UTC: the one clock that all processes share.

    Due times, claims and counts per day use it, so that a process with a wrong clock does
    no harm.
    """
    with read_scope() as session:
        now: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)


class _SharedClock:
    """The database's time at the last query, continued by this process's monotonic clock."""

    def __init__(self) -> None:
        self._known: tuple[datetime, float] | None = None

    def read(self) -> datetime:
        known = self._known
        if known is None or time.monotonic() - known[1] > _CLOCK_REFRESH_SECONDS:
            before = time.monotonic()
            known = self._known = (database_time(), before)
        return known[0] + timedelta(seconds=time.monotonic() - known[1])


_CLOCK_REFRESH_SECONDS = (
    30.0  # seconds; in these a monotonic clock drifts by less than a millisecond
)
_shared_clock = _SharedClock()


def shared_time() -> datetime:
    """Return the database's time, UTC, usually without a query, for frequent use.

    Raises the database's error if it is unavailable.
    """
    return _shared_clock.read()


def driver_connection(session: Session) -> psycopg.Connection[Any]:
    """Return the psycopg connection under a session, inside its transaction."""
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise ConfigurationError("DATABASE_URL must name PostgreSQL with the psycopg driver.")
    return connection
