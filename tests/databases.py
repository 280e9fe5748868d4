"""Databases cloned from the migrated template, for tests that cross processes. No tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from core.database import session as db
from core.settings.environment import get_settings


@contextmanager
def cloned_database(
    server_url: str, template: str, folder: Path, patch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Clone the template as this process's database, with data in `folder`; drop it afterwards."""
    name = clone_template(server_url, template)
    url = with_name(server_url, name)
    patch.setenv("DATABASE_URL", url)
    patch.setenv("AMAZCOPE_DATA_DIR", str(folder / "var"))
    _start_anew()
    try:
        yield url
    finally:
        _start_anew()
        drop_database(server_url, name)


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


def with_name(url: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return f"{url.rsplit('/', 1)[0]}/{name}"


def run_statement(url: str, statement: str) -> None:
    """Run a statement about databases on the server."""
    engine = create_engine(with_name(url, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
