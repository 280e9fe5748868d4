"""Commands of the Reports page: each writes, and returns a message or what it made."""

from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from app.data import get_principal
from app.web.feed import make_feed_address
from core.database.session import read_scope, shared_time, write_scope
from core.reports import service
from core.reports.compute_report import compute_report
from core.reports.feed import feed_tokens
from core.reports.rules import PERIODS, ReportKind, Subscription
from core.scraping.runs.providers import make_limits
from core.settings.environment import get_settings
from core.tracking.list_filter import ListScope


def make_report(kind: ReportKind, scope: ListScope) -> int:
    """Make a report of the last closed days; return its id."""
    who, now = get_principal(), shared_time()
    dollars = make_limits(get_settings()).dollars_per_product
    with read_scope() as session:
        content = compute_report(session, who, scope, PERIODS[kind], now, now, dollars)
    with write_scope() as session:
        day = now.astimezone(ZoneInfo(who.time_zone)).date()
        return service.keep_report(session, who, kind, content, day)


def subscribe(wish: Subscription) -> str:
    """Set a subscription."""
    with write_scope() as session:
        service.subscribe(session, get_principal(), wish, shared_time())
    return "Saved. The first report is made at the next time that you chose."


def unsubscribe(kind: ReportKind) -> str:
    """End a subscription."""
    with write_scope() as session:
        is_ended = service.unsubscribe(session, get_principal(), kind)
    return f"No more {kind.value} reports." if is_ended else "It was ended before."


FEED: Final = "_new_feed"  # a key of the session's state; the address is shown once


def create_feed() -> str:
    """Create the address of the user's feed; an earlier one ends."""
    with write_scope() as session:
        token = feed_tokens.create_feed_token(session, get_principal(), shared_time())
    st.session_state[FEED] = make_feed_address(token)
    return "Feed created. Copy its address now."


def revoke_feed() -> str:
    """End the user's feed."""
    with write_scope() as session:
        is_ended = feed_tokens.revoke_feed_token(session, get_principal())
    st.session_state.pop(FEED, None)
    return "The feed's address is no longer valid." if is_ended else "There was no feed."
