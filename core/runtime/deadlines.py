"""Deadlines of whole calls of outside services, by `time.monotonic`.

A socket's timeout counts from one byte to the next: a server that sends one now and then is never
too slow for it.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")


def call_in_time(function: Callable[[], Result], until: float) -> Result:
    """Return what a function returns, or raise what it raises. Raises TimeoutError at `until`.

    For resolving names, which has no timeout: it runs in a thread, which then ends by itself.
    """
    done: queue.SimpleQueue[tuple[Result | None, Exception | None]] = queue.SimpleQueue()

    def call() -> None:
        try:
            done.put((function(), None))
        except Exception as error:
            done.put((None, error))

    threading.Thread(target=call, daemon=True).start()
    try:
        result, error = done.get(timeout=max(until - time.monotonic(), 0))
    except queue.Empty:
        raise TimeoutError("it took too long") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # without an error it is the function's


@contextmanager
def call_at(until: float, cut: Callable[[], None]) -> Iterator[None]:
    """Call a function at a moment, in a thread, unless the block ended before."""
    timer = threading.Timer(max(until - time.monotonic(), 0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
