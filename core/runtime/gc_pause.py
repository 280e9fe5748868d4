"""Python's garbage collector, kept out of work that makes much and leaves no cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_gc() -> Iterator[None]:
    """Keep the collector from looking through a whole page of items again and again.

    That takes a good part of the time and finds nothing: JSON holds no cycles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
