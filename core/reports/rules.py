"""When a report is due: each day or week at an hour of its reader. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import InvalidInputError
from core.history.periods.change_period import ChangePeriod
from core.tracking.list_filter import ListScope

KEPT: Final = timedelta(days=400)  # reports; older ones are deleted
MOST_ON_REQUEST: Final = 20  # reports that a user makes in 24 hours


class ReportKind(StrEnum):
    """How often a report is made. Stored as text."""

    DAILY = "daily"
    WEEKLY = "weekly"


PERIODS: Final[Mapping[ReportKind, ChangePeriod]] = MappingProxyType(
    {ReportKind.DAILY: ChangePeriod.DAY, ReportKind.WEEKLY: ChangePeriod.WEEK}
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A user's wish for a report. `weekday`: of a weekly one, 0 is Monday."""

    kind: ReportKind
    scope: ListScope = ListScope.MINE
    hour: int = 7  # of the reader's clock
    weekday: int = 0
    by_email: bool = False
    has_paragraph: bool = False  # by the model


@dataclass(frozen=True, slots=True)
class DueReport:
    """A report to make: the reader's day that it is made on, and from which moment on."""

    day: date
    at: datetime


def check_subscription(wish: Subscription) -> None:
    """Raise InvalidInputError for an hour or a weekday that doesn't exist."""
    if not 0 <= wish.hour <= 23:
        raise InvalidInputError("Choose an hour from 0 to 23.")
    if not 0 <= wish.weekday <= 6:
        raise InvalidInputError("Choose a day of the week.")


def find_due(
    wish: Subscription, zone: ZoneInfo, since: datetime, last_day: date | None, now: datetime
) -> DueReport | None:
    """Return the newest report that is due and not made yet, None if there is none.

    `since`: when the subscription was set; earlier reports are not made. `last_day`: the reader's
    day of the newest one. Of several that were missed, only the newest is made.
    """
    today = now.astimezone(zone).date()
    length = 1 if wish.kind is ReportKind.DAILY else 7
    back = 0 if wish.kind is ReportKind.DAILY else (today.weekday() - wish.weekday) % 7
    day = today - timedelta(days=back)
    if find_moment(day, wish.hour, zone) > now:
        day -= timedelta(days=length)
    at = find_moment(day, wish.hour, zone)
    if at < since or (last_day is not None and day <= last_day):
        return None
    return DueReport(day, at)


def find_next(wish: Subscription, zone: ZoneInfo, last_day: date | None, now: datetime) -> datetime:
    """Return when the next report is due, after now."""
    day = now.astimezone(zone).date()
    while True:
        is_day = wish.kind is ReportKind.DAILY or day.weekday() == wish.weekday
        at = find_moment(day, wish.hour, zone)
        if is_day and at > now and (last_day is None or day > last_day):
            return at
        day += timedelta(days=1)


def find_moment(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """Return when a clock shows an hour on a day, in UTC.

    An hour that comes twice counts the first time. One that is skipped counts from the moment at
    which it is skipped.
    """
    # Python takes a skipped time by the offset before it: that of an hour at which a gap begins,
    # as all gaps do, is the moment of the change.
    return datetime.combine(day, time(hour), zone).astimezone(UTC)
