"""Cached reads of the product lists: products, counts, filter options.

A list is kept for ten seconds per user and filter, counts and options for a minute. The
user's token is part of each cache key and changes with the user's own actions: users see the
result of an action at once, also after they reload the page.
"""

from typing import Final

from app.data import get_display, get_principal
from app.data.cache import UserToken, cached_read
from core.accounts.access.permissions import Principal
from core.catalog.marketplaces import MARKETPLACES
from core.database.session import read_scope
from core.thresholds import Thresholds
from core.tracking.list_filter import ListFilter, ListScope, Sort
from core.tracking.lists import freshness, queries, team_thresholds
from core.tracking.lists.freshness import Freshness
from core.tracking.lists.queries import ListPage
from core.tracking.rules import Role

_TOKEN: Final = UserToken()


def get_cache_token() -> str:
    """Return a string that differs after each action of this user."""
    return _TOKEN.get(get_principal().person_id)


def clear_lists() -> None:
    """Make all sessions of this user read their lists again."""
    _TOKEN.renew(get_principal().person_id)


def find_products(list_filter: ListFilter, sort: Sort, page: int) -> ListPage:
    """Return a page of products; the first one where the requested page doesn't exist."""
    who, size, token = get_principal(), get_page_size(), get_cache_token()
    found = _find_products(who, list_filter, sort, page, size, token)
    if found.total and found.rows.empty:
        return _find_products(who, list_filter, sort, 1, size, token)
    return found


def get_page_size() -> int:
    """Return how many products the user sees on a page."""
    return get_display().page_size


@cached_read(seconds=10, entries=500)
def _find_products(
    who: Principal, list_filter: ListFilter, sort: Sort, page: int, size: int, token: str
) -> ListPage:
    del token
    with read_scope() as session:
        return queries.find_products(session, who, list_filter, sort, page, size)


def read_team_thresholds() -> Thresholds:
    """Return the team's default thresholds."""
    with read_scope() as session:
        return team_thresholds.read_team_thresholds(session, get_principal().team_id)


def count_listed(list_filter: ListFilter) -> int:
    """Return how many products a list has, as of a minute ago at most; see `COUNT_CAP`."""
    return _count_products(get_principal(), list_filter, get_cache_token())


def count_own_products(whose: ListScope) -> int:
    """Return how many own products are tracked."""
    return count_listed(ListFilter(roles=(Role.OWN,), scope=whose))


@cached_read(seconds=60, entries=1000)
def _count_products(who: Principal, list_filter: ListFilter, token: str) -> int:
    del token
    with read_scope() as session:
        return queries.count_products(session, who, list_filter)


def read_freshness(whose: ListScope) -> Freshness:
    """Return how up to date the products are, as of a minute ago at most."""
    return _read_freshness(get_principal(), whose, get_cache_token())


@cached_read(seconds=60, entries=100)
def _read_freshness(who: Principal, whose: ListScope, token: str) -> Freshness:
    del token
    with read_scope() as session:
        return freshness.measure_freshness(session, who, whose)


def tracks_anything() -> bool:
    """Return whether the team tracks any product; never cached."""
    with read_scope() as session:
        return queries.tracks_anything(session, get_principal(), ListScope.TEAM)


def list_marketplaces(whose: ListScope) -> list[str]:
    """Return the marketplaces of tracked products, in the order of `MARKETPLACES`."""
    return _list_options(get_principal(), whose, get_cache_token())[0]


def list_tags(whose: ListScope) -> list[str]:
    """Return the tags in use."""
    return _list_options(get_principal(), whose, get_cache_token())[1]


@cached_read(seconds=60, entries=100)
def _list_options(who: Principal, whose: ListScope, token: str) -> tuple[list[str], list[str]]:
    del token
    with read_scope() as session:
        codes = queries.list_marketplaces(session, who, list(MARKETPLACES), whose)
        return codes, queries.list_tags(session, who, whose)
