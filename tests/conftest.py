"""What all tests share: a real PostgreSQL, and a transaction per test that is rolled back.

The server is the embedded one, or the one of AMAZCOPE_TEST_DATABASE_URL. Tests
that cross processes use `committed_database`, a database of their own.
"""

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, create_engine, text, update
from sqlalchemy.orm import Session

from core.accounts.access import credentials
from core.accounts.access.permissions import Principal, Via
from core.accounts.models import Person
from core.accounts.people.membership import get_owner_principal
from core.database import session as db
from core.importing.files import isolation
from core.importing.files.reader_process import Request, pickle_value
from tests.databases import (
    ReusedDatabase,
    clone_template,
    cloned_database,
    drop_database,
    own_database,
    run_statement,
    with_name,
)
from tests.durations import (
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)
from tests.hypothesis_runs import register_profiles
from tests.mailbox import Mailbox, running_mailbox
from tests.skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = [
    "pytest_collection_modifyitems",
    "pytest_make_collect_report",
    "pytest_runtest_logreport",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
]

register_profiles()

SERVER = "AMAZCOPE_TEST_DATABASE_URL"
TEMPLATE = "amazcope_template"
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
# Statistics of rows that were rolled back say that a table is empty: a join of thousands of rows
# is then planned as one of none, which takes minutes.
NO_STATISTICS = {"autovacuum_analyze_threshold": "2000000000"}


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The address of a PostgreSQL server for this run of the tests."""
    given = os.environ.get(SERVER)
    if given:
        yield db.with_driver(given)
        return
    from core.database.embedded import server as embedded

    folder = tmp_path_factory.mktemp(f"postgres-{worker_id}")
    server = embedded.EmbeddedPostgres(folder / "data", folder / "secrets")
    try:
        with pytest.MonkeyPatch.context() as patch:
            # Tests kill processes, never this machine; the tests of the server keep fsync on.
            patch.setattr(embedded, "_TUNING", embedded._TUNING | NOT_DURABLE | NO_STATISTICS)
            url = server.start()
        yield url
    finally:
        server.remove()  # started by root, it is kept outside of the tests' own folders


@pytest.fixture(scope="session")
def template(server_url: str, worker_id: str) -> str:
    """The name of a migrated database that others are cloned from."""
    from core.database.migrate import upgrade

    name = f"{TEMPLATE}_{worker_id}_{uuid4().hex[:8]}"
    run_statement(server_url, f'CREATE DATABASE "{name}"')
    url = with_name(server_url, name)
    upgrade(url)
    engine = create_engine(url)
    with Session(engine) as session, session.begin():
        from datetime import UTC, datetime

        from core.upkeep.retention import make_partitions_ahead

        make_partitions_ahead(session, datetime.now(UTC))
    engine.dispose()
    return name


@pytest.fixture(scope="session")
def engine(server_url: str, template: str) -> Iterator[Engine]:
    """An engine on this run's own database, shared by tests that roll back."""
    name = clone_template(server_url, template)
    engine = db.make_engine(with_name(server_url, name))
    yield engine
    engine.dispose()
    drop_database(server_url, name)


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
            """A note is committed by its engine, statement by statement."""
            return _Committing(
                connection, join_transaction_mode="create_savepoint", expire_on_commit=False
            )

        monkeypatch.setattr(db, "session_factory", joined)
        monkeypatch.setattr(db, "reading_factory", joined)
        monkeypatch.setattr(db, "autocommit_factory", kept)
        # The one connection is not shared with a thread that renews a claim, however slow it goes.
        monkeypatch.setattr("jobs.claims.RENEWAL_SECONDS", 3600.0)
        with joined() as session:
            yield session
        transaction.rollback()


@pytest.fixture(scope="session")
def unclaimed_owner(engine: Engine) -> Principal:
    """The first administrator as the template has it."""
    with Session(engine) as session:
        return get_owner_principal(session, Via.PAGE)


@pytest.fixture
def principal(session: Session, unclaimed_owner: Principal) -> Principal:
    """The first administrator, claimed, as a user of a page."""
    session.execute(
        update(Person)
        .where(Person.id == unclaimed_owner.person_id)
        .values(state="active", mail="owner@team.example")
    )
    session.commit()
    return unclaimed_owner


@pytest.fixture(scope="session")
def reused_database(server_url: str, template: str) -> Iterator[ReusedDatabase]:
    database = ReusedDatabase(server_url, template)
    yield database
    database.drop()


@pytest.fixture
def committed_database(
    reused_database: ReusedDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """The address of a database that other processes can see, as the template is."""
    url = reused_database.take()
    with own_database(url, tmp_path, monkeypatch):
        yield url


@pytest.fixture
def cloned_for_processes(
    server_url: str, template: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """The address of a database that ends with its test, as a killed process may outlive it."""
    with cloned_database(server_url, template, tmp_path, monkeypatch) as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Passwords are hashed at the lowest cost; the tests of the costs use the real one."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(credentials, "_HASHER", cheap)
        yield
    credentials._dummy_hash.cache_clear()


@pytest.fixture(autouse=True)
def readers_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read without a process of their own, which takes a while to start."""
    monkeypatch.setattr(isolation, "ask_reader", _ask_here)


def _ask_here(request: Request) -> Generator[Any, None, None]:
    made = request.function(*request.arguments)
    for value in made if request.is_stream else [made]:
        yield isolation.unpickle_plain_data(pickle_value(value))


@pytest.fixture
def real_readers(monkeypatch: pytest.MonkeyPatch, readers_in_this_process: None) -> None:
    """Files are read in processes of their own, as they are outside of tests."""
    monkeypatch.setattr(isolation, "ask_reader", isolation.ask_process)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server that takes every letter."""
    with running_mailbox() as box:
        yield box


def pytest_collection_finish() -> None:
    """Keep the collector from visiting all tests and modules again, and from working so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: an archive carries the time it was made, a name may not."""
    return argname if isinstance(val, bytes) else None
