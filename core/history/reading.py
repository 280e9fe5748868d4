"""A period of a product's history, read as it is meant to be read: by look, or by day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from core.history import analysis, queries, series
from core.history.analysis import Figure, Span
from core.history.product_head import ProductHead
from core.history.series import Field, History, Line

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


_DAILY = {"price": "price_close", "list_price": "list_price", "bsr": "bsr_close"}


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
    if queries.is_read_by_day(session, head.product_id, since, until):
        days = queries.daily_history(session, head.product_id, since.date(), until.date())
        return Period(since, until, None, days)
    looks = queries.snapshot_columns(session, head.product_id, since, until, head.first_day, wanted)
    return Period(since, until, History.of_columns(looks), None)


def line_of(period: Period, field: Field) -> Line:
    """Return a field's steps in its own unit, doubtful values left out.

    A rank's line is broken where its category changes.
    """
    if period.looks is not None:
        if field is series.RANK:
            return series.rank_line(period.looks, most=len(period.looks.times) + 1)
        return period.looks.line(field)
    assert period.days is not None
    return series.daily_line(period.days, _DAILY.get(field.column, field.column))


def span_of(period: Period, field: Field) -> Span:
    """Return what a field did in a period."""
    if period.looks is None:
        assert period.days is not None
        return analysis.span_of_days(period.days, field)
    if field is series.RANK:
        return analysis.rank_span(period.looks, period.until)
    return analysis.span_of(period.looks, field, period.until)


def doubtful_of(period: Period, field: Field) -> Figure:
    """Return how many looks were left out as doubtful; not kept by day."""
    if period.looks is None:
        return Figure(None, analysis.Blank.ONLY_DAYS)
    return Figure(float(len(series.doubtful_points(period.looks, field))))
