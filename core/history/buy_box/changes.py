"""What is known of a change of a Buy Box's holder: whom it passed to, at which price. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final

from core.history.buy_box.holders import HolderState
from core.history.buy_box.periods import BuyBoxHistory, BuyBoxPeriod

SEEN_TOGETHER: Final = timedelta(days=1)  # longer apart, two prices explain nothing
_VACANT: Final = (HolderState.NONE, HolderState.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class HolderChange:
    """The Buy Box passed from one period's holder to the next one's."""

    before: BuyBoxPeriod
    after: BuyBoxPeriod

    @property
    def gap(self) -> timedelta:
        """Return the time in which neither side was observed."""
        return self.after.since - self.before.last_known

    @property
    def is_seen(self) -> bool:
        """True if both sides were seen within a day, so that one may explain the other."""
        return self.gap <= SEEN_TOGETHER

    @property
    def is_vacated(self) -> bool:
        return self.after.holder.state in _VACANT

    @property
    def is_filled(self) -> bool:
        return self.before.holder.state in _VACANT

    @property
    def prices(self) -> tuple[float, float] | None:
        """Return the last price of the old holder and the first of the new one, if both are."""
        old, new = self.before.last_price, self.after.first_price
        return None if old is None or new is None or not self.is_seen else (old, new)


def find_changes(history: BuyBoxHistory) -> Iterator[HolderChange | None]:
    """Yield for each period how the Buy Box came to its holder.

    None: the holder before is the same one, or one of the two is not known.
    """
    if history.periods:
        yield None
    for before, after in pairwise(history.periods):
        known = HolderState.UNKNOWN not in (before.holder.state, after.holder.state)
        yield HolderChange(before, after) if known and before.holder != after.holder else None
