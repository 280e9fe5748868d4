"""Asynchronous work in tests that are not: in a thread, for a driven browser has a loop in ours."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

import anyio

T = TypeVar("T")


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Return what comes of some work, or raise what it raises."""
    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(copy_context().run, anyio.run, work).result()
        except BaseExceptionGroup as group:
            raise _innermost(group) from None


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
