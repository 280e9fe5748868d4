"""Pause Python's garbage collector during work that allocates much without cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_gc() -> Iterator[None]:
    """Pause the collector, which would search a whole page of items again and again.

    That takes a large part of the time and finds nothing: JSON has no cycles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
