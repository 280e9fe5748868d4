"""Limits on fetching: products per run, runs at a time, dollars a day. Pure."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    """The operator's limits for one provider."""

    products_per_run: int
    parallel_runs: int
    dollars_per_day: Decimal | None  # None: no budget, for a provider without costs
    dollars_per_product: Decimal  # expected, until the real cost is known


@dataclass(frozen=True, slots=True)
class Spending:
    """The open runs, and the cost of today (UTC) including expected costs."""

    open_runs: int
    dollars_today: Decimal


def compute_batch_size(limits: Limits, spending: Spending) -> int:
    """Return how many products the next run may have, 0 for no run at all."""
    if spending.open_runs >= limits.parallel_runs:
        return 0
    if limits.dollars_per_day is None:
        return limits.products_per_run
    left = limits.dollars_per_day - spending.dollars_today
    if left <= 0:
        return 0
    if limits.dollars_per_product == 0:
        return limits.products_per_run
    return max(0, min(limits.products_per_run, int(left / limits.dollars_per_product)))
