"""Deadlines of whole calls: what is not done in time is left, or cut."""

import threading
import time

import pytest

from core.runtime.deadlines import call_at, call_in_time


def test_a_call_that_ends_returns_or_raises_as_by_itself() -> None:
    assert call_in_time(lambda: 7, time.monotonic() + 120) == 7
    with pytest.raises(ZeroDivisionError):
        call_in_time(lambda: 1 / 0, time.monotonic() + 120)


def test_a_call_that_does_not_end_is_left() -> None:
    is_over = threading.Event()
    with pytest.raises(TimeoutError):
        call_in_time(is_over.wait, time.monotonic() + 0.05)
    is_over.set()


def test_a_block_that_goes_on_is_cut() -> None:
    is_cut = threading.Event()
    with call_at(time.monotonic() + 0.0, is_cut.set):
        assert is_cut.wait(120)


def test_a_block_that_ended_is_not_cut() -> None:
    with call_at(time.monotonic() + 3600, pytest.fail):
        [timer] = [each for each in threading.enumerate() if is_of_an_hour(each)]
    timer.join(120)
    assert not timer.is_alive()


def is_of_an_hour(thread: threading.Thread) -> bool:
    return isinstance(thread, threading.Timer) and thread.interval > 3000
