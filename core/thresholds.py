"""From which change on something is news to a person: a percentage. Pure."""

from decimal import Decimal

LARGEST_THRESHOLD = 10_000  # percent
NO_THRESHOLD = f"A threshold lies above 0 and at most at {LARGEST_THRESHOLD:,} percent."


def is_threshold(percent: Decimal) -> bool:
    """True for a threshold that can be kept: two of its decimals are."""
    return percent.is_finite() and 0 < percent <= LARGEST_THRESHOLD and round(percent, 2) > 0


def kept(percent: Decimal | None) -> Decimal | None:
    """Return a threshold as the database keeps it; None stays None."""
    return None if percent is None else round(percent, 2)
