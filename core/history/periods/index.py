"""An index of many products, chained from day to day. Pure."""

from collections.abc import Sequence
from typing import Final

BASE: Final = 100.0  # before the first day
FEWEST: Final = 5  # products of which a median is taken; one of fewer would be single products


def chain_index(ratios: Sequence[float | None]) -> list[float | None]:
    """Return the index at each day's close from each day's ratio to the day before.

    A day without a ratio has no index, and the next one goes on from the last: a product is
    compared with its last known close, so what moved in between is in the next ratio.
    """
    level, found = BASE, list[float | None]()
    for ratio in ratios:
        if ratio is not None:
            level *= ratio
        found.append(None if ratio is None else level)
    return found
