"""Rejects observations that can't be stored, with a reason. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from core.history.ingest.snapshot_rows import COPIED
from core.history.observation import Observation

EARLIEST = datetime(1995, 7, 1, tzinfo=UTC)  # Amazon sold its first book that month
CLOCK_SKEW = timedelta(minutes=10)  # between a scraper's clock and the database's


def check_storable(observation: Observation, now: datetime) -> str | None:
    """Return why an observation can't be stored, or None if it can."""
    if observation.captured_at > now + CLOCK_SKEW:
        return "Its time lies in the future. Check the file's time and time zone."
    if observation.captured_at < EARLIEST:
        return "Its time lies before Amazon sold anything. Check the file's time."
    if not _fits(observation):
        return "It holds a number that no product has. Check the file's columns and numbers."
    return None


_LARGEST = {
    "int8": 2**53,  # of amounts; larger integers aren't exact in float64, which charts use
    "int4": 2**31 - 1,
    "int2": 2**15 - 1,
}
_values_of = {
    largest: attrgetter(*(name for name, each in COPIED.items() if each == kind))
    for kind, largest in _LARGEST.items()
}


def _fits(observation: Observation) -> bool:
    """Return whether every number fits its column."""
    ranks = [ranked.rank for ranked in observation.ranks]
    return _within(ranks, _LARGEST["int4"]) and all(
        _within(values(observation), largest) for largest, values in _values_of.items()
    )


def _within(numbers: Iterable[int | None], largest: int) -> bool:
    return all(-largest <= number <= largest for number in numbers if number is not None)
