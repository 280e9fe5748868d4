"""Stored values in the units of results. Pure."""

from core.catalog.money import minor_units
from core.history.observation import Availability


def major(minor: int | None, currency: str) -> float | None:
    """Return an amount in major units; None stays None."""
    return None if minor is None else minor / minor_units(currency)


def stars(tenths: int | None) -> float | None:
    """Return a rating in stars; None stays None."""
    return None if tenths is None else tenths / 10


def availability_word(state: int | None) -> str | None:
    """Return a state's name, None for unknown."""
    return None if state is None else Availability(state).name.lower()
