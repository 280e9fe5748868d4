"""What the queue promises, over PostgreSQL and over Redis alike."""

import os
from collections.abc import Iterator

import pytest
from huey.api import Huey

from core.errors import ConfigurationError
from jobs.queue import ask_redis, make_huey


@pytest.fixture(params=["postgres", "redis"])
def queue(request: pytest.FixtureRequest) -> Iterator[Huey]:
    if request.param == "redis":
        url = os.environ.get("AMAZCOPE_TEST_REDIS_URL")
        if url is None:
            pytest.skip("no Redis: set AMAZCOPE_TEST_REDIS_URL to a server that may be emptied")
        made = make_huey(url)
    else:
        request.getfixturevalue("committed_database")
        made = make_huey(None, create_tables=True)
    made.storage.flush_all()
    yield made
    made.storage.flush_all()
    made.storage.close()


def test_a_message_is_delivered_once(queue: Huey) -> None:
    heard: list[int] = []

    @queue.task()
    def hear(number: int) -> None:
        heard.append(number)

    hear(7)
    message = queue.dequeue()
    assert message is not None
    queue.execute(message)
    assert heard == [7]
    assert queue.dequeue() is None


def test_an_emptied_queue_has_nothing_left(queue: Huey) -> None:
    @queue.task()
    def hear() -> None:
        raise AssertionError("no worker may run this")

    hear()
    hear.schedule(delay=60)
    queue.storage.flush_all()
    assert queue.dequeue() is None
    assert queue.scheduled_count() == 0


def test_making_a_queue_connects_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("jobs.queue._connect", refuse)
    make_huey(None)
    make_huey("redis://127.0.0.1:1/0")


def test_a_redis_that_does_not_answer_is_reported_in_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL") as refused:
        ask_redis("redis://:hunter2@127.0.0.1:9/0")
    assert "hunter2" not in str(refused.value)
