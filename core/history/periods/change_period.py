"""The periods over which changes are kept, and the closes they compare with. Pure.

A period ends now and begins with the close of an earlier day, by the clock of the product's
marketplace: of yesterday, of 7 and of 30 days ago.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

# A day without a value closes with that of the newest of these days before it. A weekly check
# is never further away from any day.
LOOKBACK_DAYS: Final = 7


class ChangePeriod(StrEnum):
    """Since when values are compared. The values begin the names of columns."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def days(self) -> int:
        """Return how many days before today the day lies whose close is compared with."""
        return _DAYS[self]


_DAYS: Final = {ChangePeriod.DAY: 1, ChangePeriod.WEEK: 7, ChangePeriod.MONTH: 30}


@dataclass(frozen=True, slots=True)
class MarketDay:
    """A marketplace's day, and the end of the day that each period compares with."""

    day: date
    starts: tuple[datetime, ...]  # in the order of ChangePeriod


def find_day(at: datetime, zone: ZoneInfo) -> date:
    """Return a moment's date by a marketplace's clock."""
    return at.astimezone(zone).date()


@lru_cache(maxsize=256)
def make_market_day(day: date, zone: ZoneInfo) -> MarketDay:
    """Return a day with the starts of its periods."""
    return MarketDay(day, tuple(_end_of(day - timedelta(period.days), zone) for period in _DAYS))


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
