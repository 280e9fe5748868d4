"""Functions that do to their process what hostile files do to readers."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator

from core.errors import InvalidInputError
from core.importing.values.rows import Row, TrackRequest


def crash() -> None:
    ctypes.string_at(0)


def yield_and_crash(count: int) -> Iterator[int]:
    yield from range(count)
    ctypes.string_at(0)


def take_memory(size: int) -> int:
    return len(bytes(size))


def answer_much(size: int) -> list[str]:
    return ["x" * (size // 2)]  # there is room for it once, and not for its copy on the way


def calculate_for_ever() -> None:
    while True:
        pass


def wait_for_ever() -> None:
    time.sleep(600)


def be_ended(*_given: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise RuntimeError("a fault of its own")


def refuse() -> None:
    raise InvalidInputError("This is no file.")


def answer_with_code() -> object:
    return os.system


def print_and_inspect() -> tuple[dict[str, str], list[str]]:
    print("noise", flush=True)  # noqa: T201
    return dict(os.environ), list(sys.modules)


def yield_own_number() -> Iterator[int]:
    yield os.getpid()
    wait_for_ever()


def read_one_row_and_crash(*_given: object) -> Iterator[list[Row]]:
    yield [Row(1, "B0TEST0001", TrackRequest(marketplace="DE", asin="B0TEST0001"))]
    crash()
