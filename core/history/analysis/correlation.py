"""How a product's price and rank went together: Spearman's rank correlation. Pure arrays."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from core.history.timeline.series import Floats

LEAST_DAYS: Final = 30  # fewer pairs: no statement
LEAST_PRICES: Final = 3  # different ones; of two, a single change decides all


class NoCorrelation(StrEnum):
    """Why there is no statement."""

    FEW_DAYS = "few_days"
    FEW_PRICES = "few_prices"
    SAME_RANK = "same_rank"


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's coefficient of price and rank by day, from −1 to 1, or why there is none.

    Above 0, higher prices went with larger, that is worse, ranks. It explains nothing: deals,
    seasons and stock move both.
    """

    coefficient: float | None
    days: int  # with a price and a rank
    prices: int  # different ones
    reason: NoCorrelation | None = None


def correlate(prices: Floats, ranks: Floats) -> Correlation:
    """Return the rank correlation of the days on which both are known.

    The coefficient is Pearson's of the places in order, equal values having their mean place
    (Spearman, The Proof and Measurement of Association between Two Things, 1904).
    """
    both = ~np.isnan(prices) & ~np.isnan(ranks)
    price, rank = prices[both], ranks[both]
    days, different = len(price), len(np.unique(price))
    if days < LEAST_DAYS:
        return Correlation(None, days, different, NoCorrelation.FEW_DAYS)
    if different < LEAST_PRICES:
        return Correlation(None, days, different, NoCorrelation.FEW_PRICES)
    if len(np.unique(rank)) < 2:
        return Correlation(None, days, different, NoCorrelation.SAME_RANK)
    matrix = np.corrcoef(_order(price), _order(rank))
    return Correlation(float(matrix[0, 1]), days, different)


def _order(values: Floats) -> Floats:
    """Return each value's place in ascending order, equal ones at their mean place."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    means: Floats = ends - (count - 1) / 2
    return means[place]
