"""How the worker deals with providers: all at a time, and with rests for who fails."""

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

Done = TypeVar("Done")

REST = timedelta(minutes=30)  # before a refused token or an empty account is tried again
SHORT_REST = timedelta(minutes=2)  # before a provider that refused a run is tried again


def each_provider(work: Callable[[str], Done], names: Sequence[str]) -> list[Done]:
    """Work for all providers at a time: one that answers slowly holds up no other."""
    if len(names) < 2:
        return [work(name) for name in names]
    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(work, names))


def let_rest(
    provider: str, error: TokenError | NoCreditError | SlowDownError | UnreachableError
) -> timedelta:
    """Keep why a provider can't be used, leave it alone for a while, and return for how long."""
    if isinstance(error, TokenError):
        return rest(provider, "bad_token", str(error), REST)
    if isinstance(error, NoCreditError):
        return rest(provider, "no_credit", str(error), REST)
    return back_off(provider, str(error))


def back_off(provider: str, detail: str) -> timedelta:
    """Leave a provider alone that did not answer well; return for how long."""
    now = database_time()
    with write_scope() as session:
        return lifecycle.back_off(session, provider, detail, now)


def rest(provider: str, state: str, detail: str | None, length: timedelta) -> timedelta:
    """Keep what is wrong with a provider, and leave it alone for so long."""
    now = database_time()
    with write_scope() as session:
        lifecycle.set_provider_state(session, provider, state, detail, now, now + length)
    return length


def note_unusable(provider: str, state: str, detail: str | None) -> None:
    """Keep that a provider can't be used as it is set up; the next round asks again."""
    now = database_time()
    with write_scope() as session:
        lifecycle.set_provider_state(session, provider, state, detail, now, None)


def client_of(access: ApifyAccess | None) -> Apify:
    """Return a client, one per process and way of access."""
    if access is None:
        raise TokenError("There is no Apify token.")
    return _client(access)


@lru_cache(maxsize=4)
def _client(access: ApifyAccess) -> Apify:
    return Apify(access)
