"""What all tests share: a real PostgreSQL, and a transaction per test that is rolled back.

The server is the embedded one, or the one of AMAZCOPE_TEST_DATABASE_URL. Tests
that cross processes use `committed_database`, a database of their own.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from core.accounts.access.permissions import Principal, Via
from core.accounts.models import Person
from core.accounts.people.membership import acting_owner, acting_person
from core.database import session as db
from core.importing.files import isolation
from core.importing.files.reader_process import Request, pickled
from core.settings.environment import get_settings
from tests.hypothesis_runs import register_profiles
from tests.mailbox import Mailbox, running_mailbox
from tests.skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]

register_profiles()

SERVER = "AMAZCOPE_TEST_DATABASE_URL"
TEMPLATE = "amazcope_template"


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The address of a PostgreSQL server for this run of the tests."""
    given = os.environ.get(SERVER)
    if given:
        yield db.with_driver(given)
        return
    from core.database.embedded.server import EmbeddedPostgres

    folder = tmp_path_factory.mktemp(f"postgres-{worker_id}")
    server = EmbeddedPostgres(folder / "data", folder / "secrets")
    try:
        yield server.start()
    finally:
        server.remove()  # started by root, it is kept outside of the tests' own folders


@pytest.fixture(scope="session")
def template(server_url: str, worker_id: str) -> str:
    """The name of a migrated database that others are cloned from."""
    from core.database.migrate import upgrade

    name = f"{TEMPLATE}_{worker_id}_{uuid4().hex[:8]}"
    _run(server_url, f'CREATE DATABASE "{name}"')
    url = _with_name(server_url, name)
    upgrade(url)
    engine = create_engine(url)
    with Session(engine) as session, session.begin():
        from datetime import UTC, datetime

        from core.upkeep.retention import make_room_ahead

        make_room_ahead(session, datetime.now(UTC))
    engine.dispose()
    return name


@pytest.fixture(scope="session")
def engine(server_url: str, template: str) -> Iterator[Engine]:
    """An engine on this run's own database, shared by tests that roll back."""
    name = f"amazcope_{uuid4().hex[:12]}"
    _run(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    engine = db.make_engine(_with_name(server_url, name))
    yield engine
    engine.dispose()
    _drop(server_url, name)


class _Committing(Session):
    """Keeps what was done when it is closed."""

    def close(self) -> None:
        self.commit()
        super().close()


@pytest.fixture
def session(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session in a transaction that ends with the test; every scope joins it."""
    with engine.connect() as connection:
        transaction = connection.begin()
        # It lasts as long as the test, also on a machine that is busy with other things.
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))

        def joined() -> Session:
            return Session(
                connection, join_transaction_mode="create_savepoint", expire_on_commit=False
            )

        def kept() -> Session:
            """Nobody commits a note: the engine for notes does, statement by statement."""
            return _Committing(
                connection, join_transaction_mode="create_savepoint", expire_on_commit=False
            )

        monkeypatch.setattr(db, "session_factory", joined)
        monkeypatch.setattr(db, "reading_factory", joined)
        monkeypatch.setattr(db, "noting_factory", kept)
        # The one connection is not shared with a thread that renews a claim, however slow it goes.
        monkeypatch.setattr("jobs.claims.BEAT", 3600.0)
        with joined() as session:
            yield session
        transaction.rollback()


@pytest.fixture
def principal(session: Session) -> Principal:
    """The first administrator, claimed, as somebody at a page."""
    owner = session.get_one(Person, acting_owner(session).person_id)
    owner.state, owner.mail = "active", "owner@team.example"
    session.commit()
    return acting_person(session, owner.id, Via.PAGE)


@pytest.fixture
def committed_database(
    server_url: str, template: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """The address of a database that other processes can see; gone after the test."""
    name = f"amazcope_{uuid4().hex[:12]}"
    _run(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    url = _with_name(server_url, name)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("AMAZCOPE_DATA_DIR", str(tmp_path / "var"))
    get_settings.cache_clear()
    db.close_engines()
    yield url
    db.close_engines()
    get_settings.cache_clear()
    _drop(server_url, name)


@pytest.fixture(autouse=True)
def readers_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read without a process of their own, which takes a while to start."""
    monkeypatch.setattr(isolation, "ask_reader", _ask_here)


def _ask_here(request: Request) -> Generator[Any, None, None]:
    made = request.function(*request.arguments)
    for value in made if request.is_stream else [made]:
        yield isolation.plain_data(pickled(value))


@pytest.fixture
def real_readers(monkeypatch: pytest.MonkeyPatch, readers_in_this_process: None) -> None:
    """Files are read in processes of their own, as they are outside of tests."""
    monkeypatch.setattr(isolation, "ask_reader", isolation.ask_process)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server that takes every letter."""
    with running_mailbox() as box:
        yield box


@retry(
    retry=retry_if_exception_type(ProgrammingError),
    wait=wait_fixed(0.2),
    stop=stop_after_delay(20),
    reraise=True,
)
def _drop(url: str, name: str) -> None:
    """Drop a database. The server's own vacuum may be in it, whom the owner may not end."""
    _run(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _with_name(url: str, name: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/{name}"


def _run(url: str, statement: str) -> None:
    engine = create_engine(_with_name(url, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: an archive carries the time it was made, a name may not."""
    return argname if isinstance(val, bytes) else None
