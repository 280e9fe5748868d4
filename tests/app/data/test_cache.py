"""Reads that sessions share."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from app.data.cache import cached_read
from tests.read_cache import forget_all


def test_a_value_is_read_once_for_its_arguments_until_it_is_forgotten() -> None:
    reads: list[int] = []

    @cached_read(seconds=60)
    def read(number: int) -> list[int]:
        reads.append(number)
        return [number]

    assert read(1) is read(1)
    assert read(2) == [2]
    assert reads == [1, 2]
    read.forget()
    read(1)
    assert reads == [1, 2, 1]
    forget_all()
    read(1)
    assert reads == [1, 2, 1, 1]


def test_only_the_newest_values_are_kept_and_errors_are_not() -> None:
    reads: list[int] = []

    @cached_read(seconds=60, entries=2)
    def read(number: int) -> int:
        reads.append(number)
        if number < 0:
            raise ValueError(number)
        return number

    for number in (1, 2, 3, 1):
        read(number)
    assert reads == [1, 2, 3, 1]
    for _ in range(2):
        with pytest.raises(ValueError, match="-5"):
            read(-5)
    assert reads == [1, 2, 3, 1, -5, -5]


def test_sessions_that_ask_at_once_wait_for_one_read() -> None:
    reads: list[str] = []
    has_begun, may_end = Event(), Event()

    @cached_read(seconds=60)
    def read() -> object:
        reads.append("read")
        has_begun.set()
        assert may_end.wait(120)
        return object()

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(read)
        assert has_begun.wait(120)
        others = [pool.submit(read) for _ in range(2)]
        may_end.set()
        found = {id(each.result()) for each in (first, *others)}
    assert len(found) == 1
    assert reads == ["read"]
