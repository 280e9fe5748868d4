"""What a user's feed shows: alerts of two weeks, and the newest reports. SELECTs only."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission, Principal
from core.alerts.incidents.incident_filter import IncidentFilter
from core.alerts.incidents.queries import IncidentRow, find_incidents
from core.reports.feed.atom import FeedEntry, write_feed
from core.reports.feed.feed_tokens import find_feed_reader
from core.reports.report_text import SCOPES
from core.reports.service import ListedReport, list_reports
from core.text.locale import apply_formats
from core.text.times import format_day
from core.tracking.list_filter import default_list_scope

SHOWN_FOR: Final = timedelta(days=14)
MOST_ALERTS: Final = 100
MOST_REPORTS: Final = 20


def read_feed(session: Session, token: str, base_url: str, now: datetime) -> bytes | None:
    """Return the feed of a token, with what its owner may see now; None for no such feed."""
    reader = find_feed_reader(session, token)
    if reader is None or not reader.principal.may(Permission.READ):
        return None
    who = reader.principal
    with apply_formats(reader.formats):
        entries = [
            *_read_alerts(session, who, base_url, now),
            *(_make_report(each, base_url) for each in list_reports(session, who, MOST_REPORTS)),
        ]
        return write_feed(reader.feed_id, "Amazcope", f"{base_url}/", reader.made_at, entries)


def _read_alerts(session: Session, who: Principal, base_url: str, now: datetime) -> list[FeedEntry]:
    asked = IncidentFilter(scope=default_list_scope(who))
    page = find_incidents(session, who, asked, (now - SHOWN_FOR, now), now, size=MOST_ALERTS)
    return [
        _make_alert(row, who, base_url, now)
        for row in page.rows
        if row.muted_by is None and row.silent_reason is None
    ]


def _make_alert(row: IncidentRow, who: Principal, base_url: str, now: datetime) -> FeedEntry:
    product = urlencode({"marketplace": row.marketplace, "asin": row.asin})
    times = (row.opened_at, row.ended_at, row.withdrawn_at)
    return FeedEntry(
        f"incident/{row.id}",
        f"{row.name_rule()}: {row.title or row.asin} · {row.marketplace}",
        row.describe(who.time_zone, now),
        f"{base_url}/product?{product}",
        row.opened_at,
        max(at for at in times if at is not None),
    )


def _make_report(each: ListedReport, base_url: str) -> FeedEntry:
    return FeedEntry(
        f"report/{each.id}",
        f"{each.kind.value.capitalize()} report, {format_day(each.day)}",
        f"{SCOPES[each.scope]}: what changed, what is open, what is pending.",
        f"{base_url}/reports?{urlencode({'report': each.id})}",
        each.made_at,
        each.made_at,
    )
