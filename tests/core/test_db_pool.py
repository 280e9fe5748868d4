"""The pool of connections, when the server ends them."""

from sqlalchemy import text

from core import db


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
