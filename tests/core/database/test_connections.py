"""How connections are shared out, and what happens when a server has none left."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from core.database import connections
from core.database import session as db
from core.database.connections import ConnectionShare, DatabaseBusyError, compute_pool_sizes

SMALL = 13  # connections that the small database takes


@pytest.fixture
def small(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database that takes few connections, as this process's own."""
    with db.write_scope() as session:
        name = session.execute(text("SELECT current_database()")).scalar_one()
        session.execute(text(f'ALTER DATABASE "{name}" CONNECTION LIMIT {SMALL}'))
    db.close_engines()
    monkeypatch.setattr(db, "_share", ConnectionShare.PAGES)
    return committed_database


def _occupy(url: str) -> list[psycopg.Connection[tuple[int]]]:
    """Take connections until the server has none left."""
    taken = []
    try:
        while len(taken) <= SMALL:
            taken.append(psycopg.connect(db.to_conninfo(url)))
    except psycopg.OperationalError:
        return taken
    raise AssertionError("The server took more connections than it may.")


def test_forty_threads_in_a_cold_start_make_one_set_of_engines(
    committed_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    real = db.make_engine
    monkeypatch.setattr(db, "make_engine", lambda *a, **o: made.append(1) or real(*a, **o))
    at_once = threading.Barrier(40)

    def begin(_number: int) -> int:
        at_once.wait()
        with db.read_scope() as session:
            return int(session.execute(text("SELECT 1")).scalar_one())

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(begin, range(40))) == 40
    assert len(made) == 3  # one that writes, one that reads, one that notes


def test_sixty_people_at_once_are_all_served_by_a_small_server(small: str) -> None:
    with db.read_scope() as session:  # asks the server how many it takes
        session.execute(text("SELECT 1"))
    taken = _occupy(small)  # as a deployment's other processes do for a moment
    threading.Timer(0.5, lambda: [each.close() for each in taken]).start()

    def visit(number: int) -> int:
        with db.write_scope() as session:
            session.execute(text("SELECT pg_sleep(0.01)"))
        with db.read_scope() as session:
            return int(session.execute(text("SELECT CAST(:n AS int)"), {"n": number}).scalar_one())

    with ThreadPoolExecutor(60) as pool:
        assert list(pool.map(visit, range(60))) == list(range(60))
    with psycopg.connect(db.to_conninfo(small)) as operator:  # there is room for psql
        operator.execute("SELECT 1")


def test_a_server_that_stays_full_is_an_error_of_our_own(
    small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.read_scope() as session:
        session.execute(text("SELECT 1"))
    monkeypatch.setattr(connections, "WAIT_SECONDS", 0.2)
    taken = _occupy(small)
    try:
        with pytest.raises(DatabaseBusyError, match="no free connection"), db.write_scope() as each:
            each.execute(text("SELECT 1"))
    finally:
        for each in taken:
            each.close()


def test_a_pool_that_stays_taken_is_an_error_of_our_own(
    small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WAIT_SECONDS", 0.1)

    def hold_all() -> None:
        with ExitStack() as held:
            for _ in range(SMALL):
                held.enter_context(db.write_scope()).execute(text("SELECT 1"))

    with pytest.raises(DatabaseBusyError):
        hold_all()


def test_a_wrong_password_is_reported_at_once(small: str) -> None:
    wrong = small.replace("@127", "x@127")
    with pytest.raises(psycopg.OperationalError, match="password"):
        connections.open_connection(db.to_conninfo(wrong))


@pytest.mark.parametrize(
    "message",
    [
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
        'FATAL:  too many connections for role "amazcope"',
        'FATAL:  too many connections for database "amazcope"',
        "FATAL:  the database system is starting up",
        "FATAL:  the database system is shutting down",
        "FATAL:  the database system is not yet accepting connections",
        "FATAL:  the database system is in recovery mode",
        "FATAL:  no more connections allowed (max_client_conn)",
    ],
)
def test_a_refusal_that_passes_is_waited_for(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    monkeypatch.setattr(connections, "_PAUSES", (0.0, 0.0))
    answers = [psycopg.OperationalError(message), psycopg.OperationalError(message), None]

    def connect() -> str:
        error = answers.pop(0)
        if error is not None:
            raise error
        return "connected"

    assert connections.connect_with_retry(connect) == "connected"


def test_connections_of_a_dead_host_and_of_a_stopped_process_end_soon(
    committed_database: str,
) -> None:
    with db.write_scope() as session:
        for name, value in connections.SERVER_SETTINGS.items():
            shown = text("SELECT current_setting(:name)")
            assert session.execute(shown, {"name": name}).scalar_one() == value
        own = db.driver_connection(session).info.get_parameters()
    assert {name: own[name] for name in connections.CLIENT_KEEPALIVES} == {
        name: str(value) for name, value in connections.CLIENT_KEEPALIVES.items()
    }


@given(st.integers(60, 2000), st.integers(1, 6), st.booleans())
def test_all_processes_together_leave_room(allowed: int, workers: int, is_inside: bool) -> None:
    of = {
        share: compute_pool_sizes(share, allowed, workers, is_queue_inside=is_inside).total
        for share in ConnectionShare
    }
    queue = 2 * workers + 4 if is_inside else 0
    together = (
        of[ConnectionShare.PAGES]
        + of[ConnectionShare.AGENTS]
        + workers * of[ConnectionShare.WORKER]
        + queue
    )
    assert together <= allowed - connections._SPARE
