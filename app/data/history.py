"""A product's history, read and drawn once per state of its data.

What a page shows of a period is small; the timeline behind it is not, and is dropped
as soon as figures, statistics and sparklines are made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import BoundedSemaphore
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from app.data import get_principal
from app.data.prebuilt_figure import FigureBody, pack_figure
from core.catalog.marketplaces import get_marketplace
from core.chart_theme import MoneyStyle, money_style
from core.database.session import read_scope
from core.history import product_summary
from core.history.product_summary import HistoryKey, ProductSummary
from core.history.timeline import charts, period, queries, series
from core.history.timeline.charts import EventMark
from core.history.timeline.queries import ListingText
from core.history.timeline.statistics import Statistics, sample_line
from core.history.timeline.timeline import Timeline
from core.text import locale as formats
from core.text.locale import Formats

CACHED_FOR = 3600  # s; a new hour moves the period's edges
WHOLE_HISTORY = 0  # days
# One reads while another draws; more at once would only compete for Python's lock.
_DRAWING = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class PeriodView:
    """What pages show of a product's period. Lines are sampled for sparklines."""

    since: datetime
    until: datetime
    name: str  # "the last 90 days"
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
    """Return a product as the user sees it now. Never cached: it carries the data version."""
    with read_scope() as session:
        return product_summary.find_product_summary(session, get_principal(), marketplace, asin)


def read_period(head: ProductSummary, days: int, name: str) -> PeriodView | None:
    """Return the last `days` (0: all), which are called `name`; None when nothing was observed."""
    if head.history_key is None:
        return None
    category = (head.bsr_category_id or -1, head.bsr_category or "")
    zone, written = get_principal().time_zone, formats.get_formats()
    return _read_period(head.history_key, days, name, category, zone, written, head.data_version)


@st.cache_data(ttl=CACHED_FOR, max_entries=1000, show_spinner=False)
def _read_period(
    key: HistoryKey,
    days: int,
    name: str,
    category: tuple[int, str],
    zone: str,
    written: Formats,
    data_version: int,
) -> PeriodView:
    del data_version  # part of the key
    until = datetime.now(UTC)
    since = _start_of_period(key.first_day, days, until)
    place = get_marketplace(key.marketplace)
    money = money_style(
        place.currency, written.locale_of_money(place.locale), written.has_currency_code
    )
    with _DRAWING:
        with read_scope() as session:
            timeline = period.read_timeline(session, key, since, until)
            events = period.read_events(session, key.product_id, timeline)
        return _draw(timeline, name, money, events, dict([category]), ZoneInfo(zone))


def _start_of_period(first_day: date, days: int, until: datetime) -> datetime:
    """Return where a period begins; the whole history begins a day before the first snapshot."""
    first = datetime.combine(first_day, datetime.min.time(), UTC) - timedelta(days=1)
    return first if days == WHOLE_HISTORY else until - timedelta(days=days)


def _draw(
    timeline: Timeline,
    name: str,
    money: MoneyStyle,
    events: Sequence[EventMark],
    categories: dict[int, str],
    zone: ZoneInfo,
) -> PeriodView:
    figure = charts.price_and_rank(timeline, money, events=events, categories=categories, zone=zone)
    return PeriodView(
        since=timeline.since,
        until=timeline.until,
        name=name,
        shows_deals=period.shows_deals(timeline),
        statistics=timeline.compute_statistics(),
        price_and_rank=pack_figure(figure),
        rating_and_count=pack_figure(charts.rating_and_count(timeline, zone=zone)),
        alt=charts.alt_text(timeline, money),
        prices=sample_line(timeline.get_line(series.PRICE)),
        ranks=sample_line(timeline.get_comparable_ranks()),
        ratings=sample_line(timeline.get_line(series.RATING)),
        ratings_counts=sample_line(timeline.get_line(series.RATINGS_COUNT)),
    )


@st.cache_data(ttl=CACHED_FOR, max_entries=200, show_spinner=False)
def list_listing_versions(product_id: int, data_version: int) -> list[ListingText]:
    """Return the versions of a listing, newest first."""
    del data_version  # part of the key
    with read_scope() as session:
        return queries.listing_versions(session, product_id)


@st.cache_data(ttl=CACHED_FOR, max_entries=200, show_spinner=False)
def count_snapshots(product_id: int, since: datetime, until: datetime, data_version: int) -> int:
    """Return how many snapshots a period has."""
    del data_version  # part of the key
    with read_scope() as session:
        return queries.count_snapshots(session, product_id, since, until)


def list_snapshots(
    product_id: int, since: datetime, until: datetime, *, offset: int = 0, limit: int | None = 100
) -> list[dict[str, Any]]:
    """Return the stored snapshots of a period, newest first."""
    with read_scope() as session:
        return queries.snapshot_page(session, product_id, since, until, offset=offset, limit=limit)
