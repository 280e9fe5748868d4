"""The engines, the read and write scopes. The only place that commits.

Nothing is opened at import: the engines are made when the first scope is entered, once
in a process. Tests replace `session_factory`, `reading_factory` and `autocommit_factory`, and
every page, job and tool follows.
"""

import select
import threading
import time
from collections.abc import Iterator
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

CONNECT_TIMEOUT = 10  # seconds; a server that was cut off must not hold whoever asks
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
    """Return the address of PostgreSQL: the one set, else the embedded server's.

    Raises ConfigurationError when neither is there.
    """
    given = get_settings().database_url
    if given is not None:
        return with_driver(given.get_secret_value())
    from core.database.embedded.server import (
        find_running_url,  # brings psutil along; servers need none of it
    )

    url = find_running_url(get_settings().amazcope_data_dir, get_settings().secrets_dir)
    if url is None:
        raise ConfigurationError(
            "The database is not running. Start Amazcope with `make run`, or set DATABASE_URL."
        )
    return url


def with_driver(url: str) -> str:
    """Return a PostgreSQL address that names psycopg 3 as its driver."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


def make_engine(url: str, **options: Any) -> Engine:
    """Return an engine with this project's usual settings.

    Raises ConfigurationError for an address that can't be read.
    """
    # LIFO keeps few connections warm: each backend caches plans and catalogue of its own.
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
    """Have the pool open a new connection where the server ended this one.

    A server that restarted must not fail the next page or job. What it says at its
    end waits in the socket: looking there takes no exchange with it, as a ping would.
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
    """Return an engine's address in the words of libpq, which knows no drivers."""
    parsed = _parse_url(url)
    named = parsed.translate_connect_args(username="user", database="dbname")
    return make_conninfo(**named, **{name: str(value) for name, value in parsed.query.items()})


def _parse_url(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "DATABASE_URL can't be read. It looks like "
            "postgresql://user:password@host:5432/amazcope, with other characters than "
            "letters and digits written as %XX in the password."
        ) from None  # what it was may hold the password


def _set_session_defaults(connection: psycopg.Connection[Any], _record: object) -> None:
    """Set what short questions want, whatever the server's own settings are."""
    # What is read often lies in memory, where any order costs the same; compiling
    # plans costs more than the questions take.
    settings = {"random_page_cost": "1.1", "jit": "off"} | connections.SERVER_SETTINGS
    connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in settings.items()))
    connection.commit()


@dataclass(frozen=True, slots=True)
class _Engines:
    """The engines of this process, each with a pool of its own.

    Who writes may read beside it: one pool for both could wait for itself.
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
    """Say whose connections those of this process are, before the first scope is entered."""
    global _share
    _share = share


def has_engines() -> bool:
    """True when this process has made its engines."""
    return _made is not None


def _engines() -> _Engines:
    """Return this process's engines, made once, however many threads ask first."""
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
    """Return how a pool keeps at most five connections open, and closes those beyond."""
    kept = min(size, 5)
    return {"pool_size": kept, "max_overflow": size - kept}


def get_engine() -> Engine:
    """Return this process's engine. Call `discard_inherited_engines` after a fork."""
    return _engines().writing


def get_reading_engine() -> Engine:
    """Return this process's engine for reading: every statement alone, none may write.

    A page asks one question at a time: without BEGIN and ROLLBACK around it, a read
    is one exchange with the server instead of three.
    """
    return _engines().reading


def get_autocommit_engine() -> Engine:
    """Return this process's engine for notes: every statement is committed by itself.

    The server does not wait for the disk, so that a note costs a call next to nothing;
    when the whole machine dies, those of its last moments are lost. A process that dies
    loses none.
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
    """Return a new session to read with."""
    return Session(get_reading_engine(), expire_on_commit=False)


def autocommit_factory() -> Session:
    """Return a new session to note with."""
    return Session(get_autocommit_engine(), expire_on_commit=False)


@contextmanager
def _translate_timeouts() -> Iterator[None]:
    """Say in our own words that no connection became free."""
    try:
        yield
    except DatabaseBusyError:
        raise
    except PoolTimeoutError as error:
        raise DatabaseBusyError from error


@contextmanager
def read_scope() -> Iterator[Session]:
    """A session to read with. It sees what is committed, statement by statement.

    This scope and the others raise DatabaseBusyError when no connection becomes free.
    """
    with _translate_timeouts(), reading_factory() as session:
        yield session


@contextmanager
def write_scope() -> Iterator[Session]:
    """A session whose work is committed at the end, or rolled back by an error."""
    with _translate_timeouts(), session_factory() as session, session.begin():
        yield session


@contextmanager
def dry_run_scope() -> Iterator[Session]:
    """A session whose work is undone at the end: what would come of it."""
    with _translate_timeouts(), session_factory() as session, session.begin() as transaction:
        yield session
        transaction.rollback()


@contextmanager
def autocommit_scope() -> Iterator[Session]:
    """A session for logs and counters: each statement is kept by itself, at once."""
    with _translate_timeouts(), autocommit_factory() as session:
        yield session


def database_time() -> datetime:
    """Return what the database's clock says, UTC: the one clock that all processes share.

    What is due, claimed or counted by the day goes by it; a process whose own clock is
    wrong then does no harm.
    """
    with read_scope() as session:
        now: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)


class _SharedClock:
    """The database's time as of the last asking, carried on by this process's steady clock."""

    def __init__(self) -> None:
        self._known: tuple[datetime, float] | None = None

    def read(self) -> datetime:
        known = self._known
        if known is None or time.monotonic() - known[1] > _CLOCK_REFRESH_SECONDS:
            before = time.monotonic()
            known = self._known = (database_time(), before)
        return known[0] + timedelta(seconds=time.monotonic() - known[1])


_CLOCK_REFRESH_SECONDS = (
    30.0  # seconds; a steady clock does not drift further than a millisecond by then
)
_shared_clock = _SharedClock()


def shared_time() -> datetime:
    """Return the database's time, UTC, mostly without asking for it: for what happens often.

    Raises what the database raises when it is away.
    """
    return _shared_clock.read()


def driver_connection(session: Session) -> psycopg.Connection[Any]:
    """Return the psycopg connection under a session, inside its transaction."""
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise ConfigurationError("DATABASE_URL must name PostgreSQL with the psycopg driver.")
    return connection
