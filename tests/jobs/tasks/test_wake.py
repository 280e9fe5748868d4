"""Waking the worker: a stale connection is tried anew, a worker that is away is no error."""

from collections.abc import Callable

import psycopg
import pytest
from redis.exceptions import ConnectionError as RedisAwayError
from sqlalchemy import text

from core.database.session import write_scope
from core.errors import ConfigurationError
from jobs.queue import huey, make_tables
from jobs.tasks import dispatch_runs
from jobs.tasks.wake import wake_for_fetches


def bell(*errors: Exception | None) -> tuple[list[int], Callable[[], None]]:
    """Return a bell that fails as requested, and how often it was rung."""
    rung: list[int] = []

    def ring() -> None:
        error = errors[min(len(rung), len(errors) - 1)]
        rung.append(1)
        if error is not None:
            raise error

    return rung, ring


def test_a_bell_that_works_is_rung_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rung, ring = bell(None)
    monkeypatch.setattr(dispatch_runs, "fetch_now", ring)
    assert wake_for_fetches()
    assert len(rung) == 1


def test_a_connection_that_ended_meanwhile_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    rung, ring = bell(psycopg.OperationalError("gone"), None)
    monkeypatch.setattr(dispatch_runs, "fetch_now", ring)
    assert wake_for_fetches()
    assert len(rung) == 2


@pytest.mark.parametrize(
    "error",
    [psycopg.OperationalError("gone"), RedisAwayError("gone"), OSError(), ConfigurationError("?")],
)
def test_an_unreachable_worker_is_reported(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    rung, ring = bell(error)
    monkeypatch.setattr(dispatch_runs, "fetch_now", ring)
    assert not wake_for_fetches()
    assert len(rung) == 2


def test_another_error_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch_runs, "fetch_now", bell(TypeError("a slip"))[1])
    with pytest.raises(TypeError):
        wake_for_fetches()


def test_the_bell_reaches_a_real_queue_also_after_its_connection_was_cut(
    committed_database: str,
) -> None:
    make_tables()
    try:
        assert wake_for_fetches()
        with write_scope() as session:
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        assert wake_for_fetches()
        assert len(huey.pending()) == 2
    finally:
        huey.storage.close()
