"""Thresholds: the change in percent from which on users are notified. Pure."""

from decimal import Decimal

LARGEST_THRESHOLD = 10_000  # percent
NO_THRESHOLD = f"A threshold must be above 0 and at most {LARGEST_THRESHOLD:,} percent."


def is_threshold(percent: Decimal) -> bool:
    """Return whether a threshold is valid once rounded to two decimals."""
    return percent.is_finite() and 0 < percent <= LARGEST_THRESHOLD and round(percent, 2) > 0


def round_threshold(percent: Decimal | None) -> Decimal | None:
    """Return a threshold with two decimals, as the database stores it; None stays None."""
    return None if percent is None else round(percent, 2)
