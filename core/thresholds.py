"""Thresholds: the change in percent from which on users are notified. Pure.

A team has a default for prices and one for ranks, as the percentages of two alert rules. What a
user typed for a product is an exception of its rule.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

LARGEST_THRESHOLD = 10_000  # percent
NO_THRESHOLD = f"A threshold must be above 0 and at most {LARGEST_THRESHOLD:,} percent."

PRICE_CHANGE: Final = "price_change"  # codes of the two alert rules
RANK_CHANGE: Final = "rank_change"
USUAL_PERCENT: Final = {PRICE_CHANGE: 10.0, RANK_CHANGE: 30.0}  # of a new team


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The smallest changes of a price and of a rank that count, in percent of those before."""

    price_percent: Decimal
    rank_percent: Decimal

    def with_own(self, price_percent: Decimal | None, rank_percent: Decimal | None) -> "Thresholds":
        """Return the thresholds of a product with a user's own; None: these."""
        return Thresholds(
            self.price_percent if price_percent is None else price_percent,
            self.rank_percent if rank_percent is None else rank_percent,
        )


USUAL_THRESHOLDS: Final = Thresholds(
    Decimal(USUAL_PERCENT[PRICE_CHANGE]), Decimal(USUAL_PERCENT[RANK_CHANGE])
)


def is_threshold(percent: Decimal) -> bool:
    """Return whether a threshold is valid once rounded to two decimals."""
    return percent.is_finite() and 0 < percent <= LARGEST_THRESHOLD and round(percent, 2) > 0


def round_threshold(percent: Decimal | None) -> Decimal | None:
    """Return a threshold with two decimals, as the database stores it; None stays None."""
    return None if percent is None else round(percent, 2)
