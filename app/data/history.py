"""A product's history, read and shaped once for each state of its data.

What a page shows of a period is small; the frame behind it is not, and is dropped
as soon as figures, statistics and sparklines are made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import BoundedSemaphore
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from sqlalchemy.orm import Session

from app.data import get_principal
from app.data.prebuilt_figure import FigureBody, pack_figure
from core.catalog.marketplaces import get_marketplace
from core.chart_theme import MoneyStyle, money_style
from core.database.session import read_scope
from core.history import product_summary
from core.history.product_summary import HistoryKey, ProductSummary
from core.history.timeline import charts, queries, series
from core.history.timeline.charts import EventMark
from core.history.timeline.period import read_timeline
from core.history.timeline.queries import ListingText
from core.history.timeline.statistics import Statistics, deal_turns, sample_line
from core.history.timeline.timeline import Timeline
from core.text import locale as formats
from core.text.locale import Formats

KEPT = 3600  # s; a new hour moves the period's edges
ALL = 0  # days: the whole history
# One reads while another is shaped; twenty at once would only take Python from each other.
_SHAPING = BoundedSemaphore(2)
MOST_DEAL_DAYS = 90  # deals are read from the table itself


@dataclass(frozen=True, slots=True)
class PeriodView:
    """What a page shows of a product's period."""

    since: datetime
    until: datetime
    is_by_day: bool
    shows_deals: bool
    statistics: Statistics
    price_and_rank: FigureBody
    rating_and_count: FigureBody
    alt: str
    prices: Sequence[float]
    ranks: Sequence[float]
    ratings: Sequence[float]
    ratings_counts: Sequence[float]


def find_product_summary(marketplace: str, asin: str) -> ProductSummary | None:
    """Return a product as the acting person sees it now. Not kept: it carries the version."""
    with read_scope() as session:
        return product_summary.find_product_summary(session, get_principal(), marketplace, asin)


def read_period(head: ProductSummary, days: int) -> PeriodView | None:
    """Return what to show of the last `days` (0: all), None when nothing was ever observed."""
    if head.history_key is None:
        return None
    category = (head.bsr_category_id or -1, head.bsr_category or "")
    zone, written = get_principal().time_zone, formats.current()
    return _period(head.history_key, days, category, zone, written, head.data_version)


@st.cache_data(ttl=KEPT, max_entries=1000, show_spinner=False)
def _period(
    key: HistoryKey,
    days: int,
    category: tuple[int, str],
    zone: str,
    written: Formats,
    data_version: int,
) -> PeriodView:
    del data_version  # part of the key
    until = datetime.now(UTC)
    since = _since(key.first_day, days, until)
    place = get_marketplace(key.marketplace)
    money = money_style(
        place.currency, written.locale_of_money(place.locale), written.has_currency_code
    )
    with _SHAPING:
        with read_scope() as session:
            timeline = read_timeline(session, key, since, until)
            marks = _marks(session, key.product_id, timeline)
        return _shape(timeline, money, marks, dict([category]), ZoneInfo(zone))


def _since(first_day: date, days: int, until: datetime) -> datetime:
    """Return where a period begins: all of it on the day before the first snapshot."""
    first = datetime.combine(first_day, datetime.min.time(), UTC) - timedelta(days=1)
    return first if days == ALL else until - timedelta(days=days)


def _marks(session: Session, product_id: int, timeline: Timeline) -> list[EventMark]:
    """Return what happened to the product, oldest first; deals only in a short period."""
    changes = queries.listing_changes(session, product_id, timeline.since)
    marks = [EventMark(at, "Listing changed") for at in changes]
    if _shows_deals(timeline):
        deals = queries.deals(session, product_id, timeline.since, timeline.until)
        marks += [
            EventMark(at, "Deal" if begins else "Deal ends") for at, begins in deal_turns(deals)
        ]
    return sorted(marks, key=lambda mark: mark.at)


def _shows_deals(timeline: Timeline) -> bool:
    is_short = timeline.until - timeline.since <= timedelta(days=MOST_DEAL_DAYS)
    return is_short and not timeline.is_by_day


def _shape(
    timeline: Timeline,
    money: MoneyStyle,
    marks: Sequence[EventMark],
    categories: dict[int, str],
    zone: ZoneInfo,
) -> PeriodView:
    figure = charts.price_and_rank(timeline, money, events=marks, categories=categories, zone=zone)
    return PeriodView(
        since=timeline.since,
        until=timeline.until,
        is_by_day=timeline.is_by_day,
        shows_deals=_shows_deals(timeline),
        statistics=timeline.statistics(),
        price_and_rank=pack_figure(figure),
        rating_and_count=pack_figure(charts.rating_and_count(timeline, zone=zone)),
        alt=charts.alt_text(timeline, money),
        prices=sample_line(timeline.line(series.PRICE)),
        ranks=sample_line(timeline.comparable_ranks()),
        ratings=sample_line(timeline.line(series.RATING)),
        ratings_counts=sample_line(timeline.line(series.RATINGS_COUNT)),
    )


@st.cache_data(ttl=KEPT, max_entries=200, show_spinner=False)
def list_listing_versions(product_id: int, data_version: int) -> list[ListingText]:
    """Return the versions of a listing, newest first."""
    del data_version  # part of the key
    with read_scope() as session:
        return queries.listing_versions(session, product_id)


@st.cache_data(ttl=KEPT, max_entries=200, show_spinner=False)
def count_snapshots(product_id: int, since: datetime, until: datetime, data_version: int) -> int:
    """Return how many snapshots a period holds."""
    del data_version  # part of the key
    with read_scope() as session:
        return queries.count_snapshots(session, product_id, since, until)


def list_snapshots(
    product_id: int, since: datetime, until: datetime, *, offset: int = 0, limit: int | None = 100
) -> list[dict[str, Any]]:
    """Return stored snapshots of a period, newest first."""
    with read_scope() as session:
        return queries.snapshot_page(session, product_id, since, until, offset=offset, limit=limit)
