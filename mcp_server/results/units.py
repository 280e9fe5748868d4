"""Conversion of stored values to the units of results. Pure."""

from core.catalog.money import minor_units
from core.history.observation import Availability


def to_major_units(minor: int | None, currency: str) -> float | None:
    """Return an amount in major units; None for None."""
    return None if minor is None else minor / minor_units(currency)


def to_stars(tenths: int | None) -> float | None:
    """Return a rating in stars; None for None."""
    return None if tenths is None else tenths / 10


def availability_name(state: int | None) -> str | None:
    """Return the name of an availability; None for None."""
    return None if state is None else Availability(state).name.lower()
