"""Cached reads for the sidebar: search, and how much is open on which page."""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.data import alerts, get_principal
from app.data.cache import cached_read
from app.data.products import get_cache_token
from core.accounts.access.permissions import Permission, Principal
from core.database.session import read_scope
from core.suggestions.review import queries
from core.tracking.lists import quick_search
from core.tracking.lists.quick_search import QuickSearch

MOST_FOUND = 6


def search_products(typed: str) -> QuickSearch:
    """Return the tracked products that a text names, as of ten seconds ago at most."""
    return _search_products(get_principal(), typed, get_cache_token())


@cached_read(seconds=10, entries=500)
def _search_products(who: Principal, typed: str, token: str) -> QuickSearch:
    del token
    with read_scope() as session:
        return quick_search.search_products(session, who, typed, MOST_FOUND)


@dataclass(frozen=True, slots=True)
class OpenWork:
    """How many suggestions are pending, issues are open and alerts are unread."""

    suggestions: int = 0
    issues: int = 0
    unread: int = 0


def count_open_work(who: Principal) -> OpenWork:
    """Return how much is open in the user's lists, as of a minute ago at most."""
    if not who.may(Permission.READ):
        return OpenWork()
    return OpenWork(
        _count_pending(who, get_cache_token()),
        alerts.count_open_issues(who),
        alerts.count_unread(who),
    )


@cached_read(seconds=60, entries=500)
def _count_pending(who: Principal, token: str) -> int:
    del token
    with read_scope() as session:
        return queries.count_pending(session, who, datetime.now(UTC))
