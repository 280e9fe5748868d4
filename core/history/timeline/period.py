"""A period of a product's history, read as it is meant to be read: by look, or by day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from core.catalog.marketplaces import get_marketplace
from core.catalog.service import category_names
from core.history.product_summary import ProductHead
from core.history.timeline import queries, series, statistics
from core.history.timeline.series import Field, History, Line
from core.history.timeline.statistics import Figure, Span, Statistics

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Period:
    """What was seen in a period. Exactly one of `looks` and `days` is there."""

    since: datetime
    until: datetime
    looks: History | None
    days: "pd.DataFrame | None"

    @property
    def is_by_day(self) -> bool:
        """True when each point stands for a day of the marketplace."""
        return self.days is not None


_DAILY = {"price": "price_close"}  # others bear the field's own name


def read_period(
    session: Session,
    head: ProductHead,
    since: datetime,
    until: datetime,
    wanted: Collection[str] = queries.HISTORY_COLUMNS,
) -> Period | None:
    """Return a period of a product, None when nothing was ever seen of it.

    `wanted`: which columns of looks are needed; fewer are read sooner.
    """
    if head.first_day is None:
        return None
    looks = queries.snapshot_columns(session, head.product_id, since, until, head.first_day, wanted)
    if looks is not None:
        return Period(since, until, History.of_columns(looks), None)
    ends = days_between(head.marketplace, since, until)
    return Period(since, until, None, queries.daily_history(session, head.product_id, *ends))


def days_between(marketplace: str, since: datetime, until: datetime) -> tuple[date, date]:
    """Return the first and the last day, by a marketplace's clock, that a period touches.

    `until` is no part of it: a period that ends at midnight has nothing of the new day.
    """
    zone = ZoneInfo(get_marketplace(marketplace).time_zone)
    last = until - timedelta.resolution
    return since.astimezone(zone).date(), last.astimezone(zone).date()


def line_of(period: Period, field: Field) -> Line:
    """Return a field's steps in its own unit, doubtful values left out.

    A rank's line is broken where its category changes.
    """
    if period.looks is not None:
        if field is series.RANK:
            return series.rank_steps(period.looks)
        return period.looks.line(field)
    assert period.days is not None
    if field is series.RANK:
        return series.daily_rank_line(period.days)
    return series.daily_line(period.days, _DAILY.get(field.column, field.column))


def categories_of(session: Session, period: Period) -> list[tuple[datetime, str | None]]:
    """Return from when on the main rank was in which category, oldest first.

    Of a period by day: from which day of the marketplace on, at its midnight.
    Ranks of two categories say nothing about each other. Names are text from outside.
    """
    spells = _spells(period)
    names = category_names(session, (category for _, category in spells))
    return [(at, names.get(category)) for at, category in spells]


def _spells(period: Period) -> list[tuple[datetime, int]]:
    if period.looks is not None:
        found = series.rank_categories(period.looks)
    else:
        assert period.days is not None
        found = series.daily_rank_categories(period.days)
    return [(_aware(at), category) for at, category in found]


def _aware(at: np.datetime64) -> datetime:
    moment: datetime = at.astype("M8[us]").item()
    return moment.replace(tzinfo=UTC)


def statistics_of(period: Period) -> Statistics:
    """Return the statistics of a period."""
    if period.looks is not None:
        return statistics.statistics_of(period.looks, period.until)
    assert period.days is not None
    return statistics.statistics_of_days(period.days)


def span_of(period: Period, field: Field) -> Span:
    """Return what a field did in a period."""
    if period.looks is None:
        assert period.days is not None
        return statistics.span_of_days(period.days, field)
    if field is series.RANK:
        return statistics.rank_span(period.looks, period.until)
    return statistics.span_of(period.looks, field, period.until)


def doubtful_of(period: Period, field: Field) -> Figure:
    """Return how many looks were left out as doubtful; not kept by day."""
    if period.looks is None:
        return Figure(None, statistics.Blank.ONLY_DAYS)
    return Figure(float(len(series.doubtful_points(period.looks, field))))
