"""How often a product is looked at, and when next. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_TAG = 40  # characters
LONGEST_NOTE = 4000  # characters


class Cadence(StrEnum):
    """How often somebody wants a product looked at."""

    HOURLY = "hourly"
    SIX_HOURS = "6h"
    DAILY = "daily"
    WEEKLY = "weekly"

    @property
    def minutes(self) -> int:
        return _MINUTES[self]


_MINUTES = {
    Cadence.HOURLY: 60,
    Cadence.SIX_HOURS: 6 * 60,
    Cadence.DAILY: 24 * 60,
    Cadence.WEEKLY: 7 * 24 * 60,
}


class Role(StrEnum):
    """What a product is to the person who follows it."""

    OWN = "own"
    COMPETITOR = "competitor"
    WATCHED = "watched"


FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=6)


def next_due(was_due: datetime, came_back: datetime, cadence_minutes: int) -> datetime:
    """Return when a product that was looked at is due again.

    A cadence after it was due, so that the time a look takes does not add up to fewer
    looks; one that comes back late by half a round or more begins a new rhythm.
    """
    cadence = timedelta(minutes=cadence_minutes)
    return (was_due if was_due > came_back - cadence / 2 else came_back) + cadence


def retry_due(failed_at: datetime, failures: int, cadence_minutes: int) -> datetime:
    """Return when a fetch that failed `failures` times in a row (≥ 1) is tried again.

    The wait doubles, and is never longer than the product's own cadence.
    """
    wait = min(FIRST_RETRY * (1 << min(failures - 1, 10)), LONGEST_RETRY)
    return failed_at + min(wait, timedelta(minutes=cadence_minutes))
