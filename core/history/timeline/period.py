"""Reads a period of a product's history: by snapshot if possible, else by day."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from core.catalog.marketplaces import get_marketplace
from core.catalog.service import category_names
from core.history.product_summary import HistoryKey
from core.history.timeline import queries
from core.history.timeline.daily_timeline import DailyTimeline
from core.history.timeline.series import RANK, Field
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from core.history.timeline.timeline import Timeline


def read_timeline(
    session: Session,
    key: HistoryKey,
    since: datetime,
    until: datetime,
    fields: Sequence[Field] = (),
) -> Timeline:
    """Return a period of a product.

    `fields`: the needed ones (none: all); fewer are faster to read.
    """
    columns = queries.snapshot_columns(
        session, key.product_id, since, until, key.first_day, _columns_of(fields)
    )
    if columns is not None:
        return SnapshotTimeline(columns, since, until)
    first, last = days_between(key.marketplace, since, until)
    return read_days(session, key, first, last, (since, until))


def read_days(
    session: Session,
    key: HistoryKey,
    first: date,
    last: date,
    ends: tuple[datetime, datetime] | None = None,
) -> DailyTimeline:
    """Return days of a product. `ends`: the period they are of; None: the days themselves."""
    days = queries.daily_columns(session, key.product_id, first, last)
    since, until = ends or (_midnight(first), _midnight(last + timedelta(days=1)))
    return DailyTimeline(days, since, until, last)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _columns_of(fields: Sequence[Field]) -> Collection[str]:
    columns = {field.column for field in fields}
    if RANK in fields:
        columns.add("bsr_category")
    return columns or queries.HISTORY_COLUMNS


def days_between(marketplace: str, since: datetime, until: datetime) -> tuple[date, date]:
    """Return the first and the last day of a period, by a marketplace's clock.

    `until` is exclusive: a period that ends at midnight doesn't include the new day.
    """
    zone = ZoneInfo(get_marketplace(marketplace).time_zone)
    last = until - timedelta.resolution
    return since.astimezone(zone).date(), last.astimezone(zone).date()


def list_named_rank_categories(
    session: Session, timeline: Timeline
) -> list[tuple[datetime, str | None]]:
    """Return when the main rank's category changed, with the new category's name, oldest first.

    By day, times are midnights of the marketplace's days. Ranks of two categories can't be
    compared. Names are text from outside.
    """
    runs = timeline.list_rank_categories()
    names = category_names(session, (category for _, category in runs))
    return [(_with_zone(at), names.get(category)) for at, category in runs]


def _with_zone(at: np.datetime64) -> datetime:
    moment: datetime = at.astype("M8[us]").item()
    return moment.replace(tzinfo=UTC)
