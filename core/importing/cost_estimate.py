"""The cost of checking imported products. Pure."""

from decimal import Decimal

from core.tracking.rules import Cadence

_DAY = 24 * 60  # minutes


def estimate_dollars_per_day(
    products: int, cadence: Cadence, dollars_per_product: Decimal
) -> Decimal:
    """Return the expected cost per day of checking that many products at a cadence, in dollars."""
    return products * dollars_per_product * _DAY / cadence.minutes
