"""Reads of kept reports and subscriptions. A kept report never changes."""

from datetime import datetime
from typing import Final

from app.data import get_principal
from app.data.cache import cached_read
from core.database.session import read_scope, shared_time
from core.reports import service
from core.reports.content import Report
from core.reports.feed import feed_tokens
from core.reports.service import ListedReport, ListedSubscription

LISTED: Final = 60


def list_reports() -> list[ListedReport]:
    """Return the user's newest reports. Never cached: a page shows what it just made."""
    with read_scope() as session:
        return service.list_reports(session, get_principal(), LISTED)


def open_report(report_id: int) -> Report:
    """Return one of the user's reports. Raises NotFoundError."""
    return _open_report(get_principal().person_id, report_id)


@cached_read(seconds=600, entries=50)
def _open_report(person_id: int, report_id: int) -> Report:  # noqa: ARG001 - of the cache's key
    with read_scope() as session:
        return service.open_report(session, get_principal(), report_id)


def list_subscriptions() -> list[ListedSubscription]:
    """Return the user's subscriptions. Never cached."""
    with read_scope() as session:
        return service.list_subscriptions(session, get_principal(), shared_time())


def find_feed_time() -> datetime | None:
    """Return when the address of the user's feed was created, None without one."""
    with read_scope() as session:
        return feed_tokens.find_token_time(session, get_principal())
