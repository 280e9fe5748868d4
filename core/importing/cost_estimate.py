"""What looking at imported products will cost. Pure."""

from decimal import Decimal

from core.tracking.rules import Cadence

_DAY = 24 * 60  # minutes


def estimate_dollars_per_day(
    products: int, cadence: Cadence, dollars_per_product: Decimal
) -> Decimal:
    """Return what fetching that many products at a cadence is expected to cost each day."""
    return products * dollars_per_product * _DAY / cadence.minutes
