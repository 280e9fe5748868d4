"""The pool of connections, when the server ends them."""

import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.database import session as db


def end_all_others(url: str) -> None:
    """Do what a restart of the server does to every connection of a database."""
    engine = db.make_engine(url.rsplit("/", 1)[0] + "/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = url.rsplit("/", 1)[1].partition("?")[0]
        # With a time it waits until each has ended, as a restart does.
        statement = (
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = :name"
        )
        connection.execute(text(statement), {"name": name})
    engine.dispose()


def test_a_server_that_restarted_fails_no_scope(committed_database: str) -> None:
    for _ in range(3):
        with db.read_scope() as session:
            before = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        end_all_others(committed_database)
        with db.read_scope() as session:
            assert session.execute(text("SELECT pg_backend_pid()")).scalar_one() != before
        with db.write_scope() as session:
            assert session.execute(text("SELECT 1")).scalar_one() == 1


def test_a_connection_that_is_well_is_used_again(committed_database: str) -> None:
    with db.read_scope() as session:
        before = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with db.read_scope() as session:
        assert session.execute(text("SELECT pg_backend_pid()")).scalar_one() == before


@pytest.mark.parametrize("asked", ["", "?connect_timeout=2"])
def test_waiting_for_a_server_that_accepts_connections_and_never_answers_ends(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setattr(db, "CONNECT_TIMEOUT", 2 if not asked else 600)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgresql://someone:secret@127.0.0.1:{silent.getsockname()[1]}/db{asked}"
        with pytest.raises(OperationalError):
            db.make_engine(db.with_driver(url)).connect()


def test_the_shared_clock_is_the_databases_and_rarely_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    then, asked = datetime(2031, 5, 1, tzinfo=UTC), []
    monkeypatch.setattr(db, "database_time", lambda: asked.append(True) or then)
    clock = db._SharedClock()
    first, second = clock.read(), clock.read()
    assert then <= first <= second < then + timedelta(seconds=30)
    assert len(asked) == 1
    monkeypatch.setattr(db, "_CLOCK_REFRESH_SECONDS", 0.0)
    clock.read()
    assert len(asked) == 2


def test_the_databases_clock_is_in_utc(committed_database: str) -> None:
    with db.read_scope() as session:
        before = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert before <= db.database_time() <= before + timedelta(minutes=5)
    assert db.database_time().tzinfo is UTC


def test_what_is_called_after_a_commit_is_called_once_and_sees_it(committed_database: str) -> None:
    seen: list[int] = []

    def count() -> None:
        with db.read_scope() as session:
            seen.append(session.execute(text("SELECT count(*) FROM team")).scalar_one())

    with db.write_scope() as session:
        teams = session.execute(text("SELECT count(*) FROM team")).scalar_one()
        session.execute(text("INSERT INTO team (name, time_zone) VALUES ('New', 'UTC')"))
        db.call_after_commit(session, count)
        db.call_after_commit(session, count)
        assert seen == []
    assert seen == [teams + 1]
    with suppress(ZeroDivisionError), db.write_scope() as session:
        db.call_after_commit(session, count)
        raise ZeroDivisionError
    with db.dry_run_scope() as session:
        db.call_after_commit(session, count)
    assert len(seen) == 1
