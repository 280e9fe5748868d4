"""Reads that all sessions of this process share, kept in memory for a while.

Streamlit's own cache hashes each argument and copies each value at every read, which took a
quarter of a page's run. What is kept here is handed out as it is: values must not be changed.
"""

from collections.abc import Callable
from functools import update_wrapper
from threading import Condition
from typing import Any, Final, Generic, ParamSpec, TypeVar

from cachetools import TTLCache, cached

_Args = ParamSpec("_Args")
_Value = TypeVar("_Value")


class CachedRead(Generic[_Args, _Value]):
    """A function whose values are kept by its arguments, which must be hashable.

    Sessions that ask for the same at once wait for one read. An error is not kept.
    """

    def __init__(self, read: Callable[_Args, _Value], seconds: float, entries: int) -> None:
        self._kept: TTLCache[object, _Value] = TTLCache(entries, seconds)
        self._lock = Condition()
        self._find = cached(self._kept, condition=self._lock)(read)
        update_wrapper(self, read)

    def __call__(self, *args: _Args.args, **kwargs: _Args.kwargs) -> _Value:
        return self._find(*args, **kwargs)

    def forget(self) -> None:
        """Forget all values, so that the next read is new."""
        with self._lock:
            self._kept.clear()


ALL_READS: Final[list[CachedRead[..., Any]]] = []


def cached_read(
    *, seconds: float, entries: int = 100
) -> Callable[[Callable[_Args, _Value]], CachedRead[_Args, _Value]]:
    """Return a decorator that keeps a function's newest values for some seconds."""

    def decorate(read: Callable[_Args, _Value]) -> CachedRead[_Args, _Value]:
        made = CachedRead(read, seconds, entries)
        ALL_READS.append(made)
        return made

    return decorate
