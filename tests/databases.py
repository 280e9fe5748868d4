"""Databases cloned from the migrated template, for tests that cross processes. No tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from core.database import session as db
from core.metadata import metadata
from core.settings.environment import get_settings


@contextmanager
def cloned_database(
    server_url: str, template: str, folder: Path, patch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Clone the template as this process's database, with data in `folder`; drop it afterwards."""
    name = clone_template(server_url, template)
    url = with_name(server_url, name)
    try:
        with own_database(url, folder, patch):
            yield url
    finally:
        drop_database(server_url, name)


@contextmanager
def own_database(url: str, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make a database this process's own, with data in `folder`; end its connections afterwards."""
    patch.setenv("DATABASE_URL", url)
    patch.setenv("AMAZCOPE_DATA_DIR", str(folder / "var"))
    _start_anew()
    try:
        yield
    finally:
        _start_anew()


def clone_template(server_url: str, template: str) -> str:
    """Return the name of a new database that equals the template."""
    name = f"amazcope_{uuid4().hex[:12]}"
    statement = f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'
    run_statement(server_url, statement)  # nothing of it goes through the log: the fastest way
    return name


def _start_anew() -> None:
    get_settings.cache_clear()
    db.close_engines()


@retry(
    retry=retry_if_exception_type(ProgrammingError),
    wait=wait_fixed(0.2),
    stop=stop_after_delay(20),
    reraise=True,
)
def drop_database(url: str, name: str) -> None:
    """Drop a database. The server's own vacuum may be in it, which the owner may not end."""
    run_statement(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class ReusedDatabase:
    """A clone of the template that one test after another begins with.

    Putting its rows back and dropping its new partitions costs a tenth of another clone. Where a
    test left another schema or other settings, or the rows can't be put back, the next test gets
    a new clone.
    """

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._template = template
        self._name: str | None = None

    def take(self) -> str:
        """Return the address of the database, as the template is."""
        if self._name is None or not self._is_restored(self._name):
            self.drop()
            self._name = clone_template(self._server_url, self._template)
            self._remember(with_name(self._server_url, self._name))
        return with_name(self._server_url, self._name)

    def drop(self) -> None:
        """Drop the database if there is one."""
        if self._name is not None:
            drop_database(self._server_url, self._name)
        self._name = None

    def _remember(self, url: str) -> None:
        with psycopg.connect(db.to_conninfo(url)) as connection:
            self._kept = _find_filled(connection)
            connection.execute("CREATE SCHEMA template_rows")
            for name in self._kept:
                connection.execute(f"CREATE TABLE template_rows.{name} AS TABLE {name}")
            self._reset = "; ".join(
                [
                    *(
                        f"INSERT INTO {name} OVERRIDING SYSTEM VALUE TABLE template_rows.{name}"
                        for name in self._kept
                    ),
                    *(
                        f"SELECT setval('{name}', {value or 1}, {value is not None})"
                        for name, value in connection.execute(_SEQUENCES)
                    ),
                ]
            )
            self._partitions = _list_partitions(connection)
            [self._schema] = connection.execute(_SCHEMA).fetchone() or [None]

    def _is_restored(self, name: str) -> bool:
        """Put the template's rows back; return False where only another clone helps."""
        url = db.to_conninfo(with_name(self._server_url, name))
        try:
            with psycopg.connect(url) as connection:
                connection.execute(_END_OTHERS)
                connection.execute("SET LOCAL lock_timeout = '5s'")
                for name in _list_partitions(connection) - self._partitions:
                    connection.execute(f"DROP TABLE {name}")
                if connection.execute(_SCHEMA).fetchone() != (self._schema,):
                    return False
                filled = reversed(_find_filled(connection))
                connection.execute(
                    "ALTER TABLE audit_event DISABLE TRIGGER USER; "
                    + "".join(f"DELETE FROM {name}; " for name in filled)
                    + "ALTER TABLE audit_event ENABLE TRIGGER USER; "
                    + self._reset
                )
        except psycopg.Error:
            return False
        return True


_END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_SEQUENCES = (
    "SELECT quote_ident(sequencename), last_value FROM pg_sequences WHERE schemaname = 'public'"
)
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND relname <> 'alembic_version'
"""
_PARTITIONS = """
SELECT quote_ident(relname) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relispartition
"""
_SCHEMA = """
SELECT md5(CONCAT(
    (SELECT string_agg(CONCAT(relname, relkind, relnatts), ',' ORDER BY relname)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(CONCAT(conname, contype), ',' ORDER BY conname, conrelid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
    (SELECT CONCAT(datconnlimit, datallowconn) FROM pg_database
        WHERE datname = current_database()),
    (SELECT string_agg(CAST(s AS text), ',') FROM pg_db_role_setting s
        JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = current_database())
))
"""


def _list_partitions(connection: psycopg.Connection) -> set[str]:
    return {name for (name,) in connection.execute(_PARTITIONS)}


def _find_filled(connection: psycopg.Connection) -> list[str]:
    """Return the tables that have rows, those that others refer to first."""
    order = [table.name for table in metadata.sorted_tables]
    names = [name for (name,) in connection.execute(_TABLES)]
    each = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)
    filled = [name for (name,) in connection.execute(" UNION ALL ".join(each))]
    return sorted(filled, key=lambda name: order.index(name) if name in order else len(order))


def with_name(url: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return f"{url.rsplit('/', 1)[0]}/{name}"


def run_statement(url: str, statement: str) -> None:
    """Run a statement about databases on the server."""
    engine = create_engine(with_name(url, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
