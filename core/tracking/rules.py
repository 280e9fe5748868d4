"""Cadences, roles and limits of tracking. Pure."""

from datetime import timedelta
from enum import StrEnum

LONGEST_TAG = 40  # characters
LONGEST_NOTE = 4000  # characters


class Cadence(StrEnum):
    """How often a user wants a product checked."""

    HOURLY = "hourly"
    SIX_HOURS = "6h"
    DAILY = "daily"
    WEEKLY = "weekly"

    @property
    def minutes(self) -> int:
        return _MINUTES[self]

    @property
    def span(self) -> timedelta:
        return timedelta(minutes=self.minutes)


_MINUTES = {
    Cadence.HOURLY: 60,
    Cadence.SIX_HOURS: 6 * 60,
    Cadence.DAILY: 24 * 60,
    Cadence.WEEKLY: 7 * 24 * 60,
}


class Role(StrEnum):
    """What a product is to the user who tracks it."""

    OWN = "own"
    COMPETITOR = "competitor"
    WATCHED = "watched"


FIRST_RETRY = timedelta(minutes=5)  # after a failed fetch; doubled after each further one
LONGEST_RETRY = timedelta(hours=6)
