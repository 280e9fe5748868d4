"""Reads that all sessions of this process share, kept in memory for a while.

Streamlit's own cache hashes each argument and copies each value at every read, which took a
quarter of a page's run. What is kept here is handed out as it is: values must not be changed.
"""

from collections.abc import Callable
from functools import update_wrapper
from threading import Condition, Lock
from typing import Any, Final, Generic, ParamSpec, TypeVar
from uuid import uuid4

from cachetools import TTLCache, cached

_Args = ParamSpec("_Args")
_Value = TypeVar("_Value")


class UserToken:
    """A string per user, for keys of what is kept: it differs after each action of the user."""

    def __init__(self) -> None:
        # For longer than anything is kept, so that nothing from before an action comes back.
        self._tokens: TTLCache[int, str] = TTLCache(maxsize=10_000, ttl=3600)
        self._lock = Lock()

    def get(self, person_id: int) -> str:
        """Return the user's token; empty before their first action."""
        with self._lock:
            return self._tokens.get(person_id, "")

    def renew(self, person_id: int) -> None:
        """Make all sessions of the user read again what is kept by their token."""
        with self._lock:
            self._tokens[person_id] = uuid4().hex


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
