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

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app.data import principal
from app.data.prebuilt_figure import FigureBody, body_of
from core.catalog.marketplaces import get_marketplace
from core.chart_theme import MoneyStyle, money_style
from core.database.columnar_read import Arrays
from core.database.session import read_scope
from core.history.product_summary import ProductHead, find_product_head
from core.history.timeline import charts, queries, series
from core.history.timeline import statistics as analysis
from core.history.timeline.charts import EventMark
from core.history.timeline.period import days_between
from core.history.timeline.queries import Version
from core.history.timeline.series import History, Line
from core.history.timeline.statistics import Statistics
from core.text import locale as formats
from core.text.locale import Formats

KEPT = 3600  # s; a new hour moves the period's edges
ALL = 0  # days: the whole history
# One reads while another is shaped; twenty at once would only take Python from each other.
_SHAPING = BoundedSemaphore(2)
MOST_DEAL_DAYS = 90  # deals are read from the table itself


@dataclass(frozen=True, slots=True)
class Period:
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


def product_head(marketplace: str, asin: str) -> ProductHead | None:
    """Return a product as the acting person sees it now. Not kept: it carries the version."""
    with read_scope() as session:
        return find_product_head(session, principal(), marketplace, asin)


def period(head: ProductHead, days: int) -> Period | None:
    """Return what to show of the last `days` (0: all), None when nothing was ever seen."""
    if head.first_day is None:
        return None
    category = (head.bsr_category_id or -1, head.bsr_category or "")
    return _period(
        head.product_id,
        head.marketplace,
        days,
        head.first_day,
        category,
        principal().time_zone,
        formats.current(),
        head.data_version,
    )


@st.cache_data(ttl=KEPT, max_entries=1000, show_spinner=False)
def _period(
    product_id: int,
    marketplace: str,
    days: int,
    first_day: date,
    category: tuple[int, str],
    zone: str,
    written: Formats,
    data_version: int,
) -> Period:
    del data_version  # part of the key
    until = datetime.now(UTC)
    since = _since(first_day, days, until)
    place = get_marketplace(marketplace)
    locale = written.locale_of_money(place.locale)
    money = money_style(place.currency, locale, written.has_currency_code)
    with _SHAPING:
        with read_scope() as session:
            looks = queries.snapshot_columns(session, product_id, since, until, first_day)
            if looks is None:
                ends = days_between(marketplace, since, until)
                daily = queries.daily_history(session, product_id, *ends)
                marks = _listing_marks(session, product_id, since)
                return _of_days(daily, money, marks, dict([category]), since, until, ends[1])
            marks = _marks(session, product_id, since, until)
        return _of_snapshots(looks, money, marks, dict([category]), ZoneInfo(zone), since, until)


def _since(first_day: date, days: int, until: datetime) -> datetime:
    """Return where a period begins: all of it on the day before the first snapshot."""
    first = datetime.combine(first_day, datetime.min.time(), UTC) - timedelta(days=1)
    return first if days == ALL else until - timedelta(days=days)


def _listing_marks(session: Session, product_id: int, since: datetime) -> list[EventMark]:
    changes = queries.listing_changes(session, product_id, since)
    return [EventMark(at, "Listing changed") for at in changes]


def _marks(session: Session, product_id: int, since: datetime, until: datetime) -> list[EventMark]:
    """Return what happened to the product, oldest first; deals only in a short period."""
    marks = _listing_marks(session, product_id, since)
    if _shows_deals(since, until):
        deals = queries.deals(session, product_id, since, until)
        marks += [
            EventMark(at, "Deal" if begins else "Deal ends") for at, begins in analysis.turns(deals)
        ]
    return sorted(marks, key=lambda mark: mark.at)


def _shows_deals(since: datetime, until: datetime) -> bool:
    return until - since <= timedelta(days=MOST_DEAL_DAYS)


def _of_snapshots(
    looks: Arrays,
    money: MoneyStyle,
    marks: Sequence[EventMark],
    categories: dict[int, str],
    zone: ZoneInfo,
    since: datetime,
    until: datetime,
) -> Period:
    history = History.of_columns(looks)
    return Period(
        since=since,
        until=until,
        is_by_day=False,
        shows_deals=_shows_deals(since, until),
        statistics=analysis.statistics_of(history, until),
        price_and_rank=body_of(
            charts.price_and_rank(
                history, money, events=marks, categories=categories, zone=zone, until=until
            )
        ),
        rating_and_count=body_of(charts.rating_and_count(history, zone=zone, until=until)),
        alt=charts.alt_text(history, money),
        prices=_sparkline(history, series.PRICE),
        ranks=_sampled(analysis.comparable_ranks(history)),
        ratings=_sparkline(history, series.RATING),
        ratings_counts=_sparkline(history, series.RATINGS_COUNT),
    )


def _sparkline(history: History, field: series.Field) -> list[float]:
    return _sampled(history.line(field))


def _sampled(line: Line) -> list[float]:
    return analysis.sampled(line.times, line.values)


def _of_days(
    daily: pd.DataFrame,
    money: MoneyStyle,
    marks: Sequence[EventMark],
    categories: dict[int, str],
    since: datetime,
    until: datetime,
    last_day: date,
) -> Period:
    def sparkline(column: str) -> list[float]:
        return _sampled(series.daily_line(daily, column))

    figure = charts.days_price_and_rank(
        daily, money, events=marks, categories=categories, until=last_day
    )
    return Period(
        since=since,
        until=until,
        is_by_day=True,
        shows_deals=False,
        statistics=analysis.statistics_of_days(daily),
        price_and_rank=body_of(figure),
        rating_and_count=body_of(charts.days_rating_and_count(daily, until=last_day)),
        alt=charts.days_alt_text(daily, money),
        prices=sparkline("price_close"),
        ranks=sparkline("bsr_close"),
        ratings=sparkline("rating"),
        ratings_counts=sparkline("ratings_count"),
    )


@st.cache_data(ttl=KEPT, max_entries=200, show_spinner=False)
def versions(product_id: int, data_version: int) -> list[Version]:
    """Return the versions of a listing, newest first."""
    del data_version  # part of the key
    with read_scope() as session:
        return queries.listing_versions(session, product_id)


@st.cache_data(ttl=KEPT, max_entries=200, show_spinner=False)
def snapshot_count(product_id: int, since: datetime, until: datetime, data_version: int) -> int:
    """Return how many snapshots a period holds."""
    del data_version  # part of the key
    with read_scope() as session:
        return queries.count_snapshots(session, product_id, since, until)


def snapshot_rows(
    product_id: int, since: datetime, until: datetime, *, offset: int = 0, limit: int | None = 100
) -> list[dict[str, Any]]:
    """Return stored snapshots of a period, newest first."""
    with read_scope() as session:
        return queries.snapshot_page(session, product_id, since, until, offset=offset, limit=limit)
