"""Decide by the order of a file's rows which pass of a repeated hour a time belongs to.

An hour is repeated when clocks go back.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.catalog.marketplaces import get_marketplace
from core.importing.values.timestamps import find_zone, place_local
from core.scraping.parsers.value_parsers import UnreadableValueError

_REPEATED = (
    "That hour came twice because the clocks went back, and the order of the rows doesn't show "
    "which one it is: write the time with its zone, such as 2026-10-25T02:30:00+01:00."
)
_REPEATED_THERE = (
    "The times go back within an hour that came twice in {0}, as if they were in that time zone: "
    "choose {0} as your time zone, or write the times with their zone."
)


@dataclass(slots=True)
class _Last:
    """The previous row of the same product."""

    local: datetime
    fold: int
    is_repeated: bool
    falls: bool | None = None  # whether the rows go back in time; None: unknown so far


@dataclass(slots=True)
class LocalClock:
    """Give times without a zone their zone, per product, in the order of a file's rows.

    `joins`: rows of one product with the same time belong to one observation.
    """

    zone: ZoneInfo
    joins: bool = False
    _last: dict[tuple[str, str], _Last] = field(default_factory=dict)

    def place_time(self, product: tuple[str, str], local: datetime) -> datetime:
        """Return the aware time of a row; `product` is (marketplace, ASIN).

        Raises UnreadableValueError for a time that didn't exist, or one of a repeated hour
        whose pass can't be decided.
        """
        before = self._last.get(product)
        is_repeated = _is_repeated(local, self.zone)
        fold = self._fold(before, local) if is_repeated else 0
        placed = place_local(local, self.zone, fold)
        if before and not is_repeated and not self.joins and _steps_back(before, local):
            _check_own_hour(local, before.local, product[0])
        falls = before.falls if before else None
        if before and before.local != local and not (is_repeated and before.is_repeated):
            falls = local < before.local
        self._last[product] = _Last(local, fold, is_repeated, falls)
        return placed

    def _fold(self, before: _Last | None, local: datetime) -> int:
        if before is None:
            return 0
        falls = before.falls if before.is_repeated else before.local > local
        if not before.is_repeated:
            return int(bool(falls))
        if local == before.local and self.joins:
            return before.fold
        goes_on = local < before.local if falls else local > before.local
        if goes_on:
            return before.fold
        if before.fold != int(bool(falls)):
            raise UnreadableValueError(_REPEATED)
        return 1 - before.fold


def _steps_back(before: _Last, local: datetime) -> bool:
    """Return whether a time contradicts the order of the rows, which may be newest first."""
    return local >= before.local if before.falls else local <= before.local


def _check_own_hour(local: datetime, before: datetime, marketplace: str) -> None:
    """Refuse a time that goes back within an hour that was repeated on its marketplace.

    The file then seems to be in the marketplace's time zone, not in the user's.
    """
    there = find_zone(get_marketplace(marketplace).time_zone)
    if local.date() == before.date() and _is_repeated(local, there) and _is_repeated(before, there):
        raise UnreadableValueError(_REPEATED_THERE.format(there.key))


def _is_repeated(local: datetime, zone: ZoneInfo) -> bool:
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    change = (second.utcoffset() or timedelta()) - (first.utcoffset() or timedelta())
    return change < timedelta()
