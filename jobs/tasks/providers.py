"""How the worker deals with providers: all in parallel, backing off from those that fail."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache
from typing import TypeVar

from core.database.session import database_time, write_scope
from core.scraping.runs import lifecycle
from core.scraping.runs.apify import (
    Apify,
    ApifyAccess,
    NoCreditError,
    SlowDownError,
    TokenError,
    UnreachableError,
)

T = TypeVar("T")
UnusableError = TokenError | NoCreditError | SlowDownError | UnreachableError

PAUSE = timedelta(minutes=30)  # before a refused token or an empty account is tried again
SHORT_PAUSE = timedelta(minutes=2)  # before a provider that refused a run is tried again


def map_providers(work: Callable[[str], T], names: Sequence[str]) -> list[T]:
    """Return the results of work for each provider; a slow one delays no other."""
    if len(names) < 2:
        return [work(name) for name in names]
    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(work, names))


def pause_after(provider: str, error: UnusableError) -> timedelta:
    """Store why a provider can't be used, and return how long it is left alone."""
    if isinstance(error, TokenError):
        return pause_provider(provider, "bad_token", str(error), PAUSE)
    if isinstance(error, NoCreditError):
        return pause_provider(provider, "no_credit", str(error), PAUSE)
    return back_off(provider, str(error))


def back_off(provider: str, detail: str) -> timedelta:
    """Leave a provider alone after a bad answer; return for how long."""
    now = database_time()
    with write_scope() as session:
        return lifecycle.back_off(session, provider, detail, now)


def pause_provider(provider: str, state: str, detail: str | None, length: timedelta) -> timedelta:
    """Store what is wrong with a provider and leave it alone for `length`, which is returned."""
    now = database_time()
    with write_scope() as session:
        lifecycle.set_provider_state(session, provider, state, detail, now, now + length)
    return length


def record_unusable(provider: str, state: str, detail: str | None) -> None:
    """Store that a provider can't be used as configured; the next round tries again."""
    now = database_time()
    with write_scope() as session:
        lifecycle.set_provider_state(session, provider, state, detail, now, None)


def get_client(access: ApifyAccess | None) -> Apify:
    """Return the client of this process for a way of access. Raises TokenError without one."""
    if access is None:
        raise TokenError("There is no Apify token.")
    return _client(access)


@lru_cache(maxsize=4)
def _client(access: ApifyAccess) -> Apify:
    return Apify(access)
