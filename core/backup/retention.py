"""Which backups are kept: the newest of each of some days, weeks and months. Pure."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final

DAYS: Final = 7
WEEKS: Final = 4
MONTHS: Final = 6

Period = tuple[int, ...]


def choose_kept(made: Iterable[datetime]) -> set[datetime]:
    """Return which backups are kept, by when they were made (UTC).

    Kept are the newest of each of the last 7 days, 4 weeks (ISO) and 6 months that have one. Days
    without a backup do not count, so that an installation that was off keeps its old ones.
    """
    newest_first = sorted(set(made), reverse=True)
    return (
        _newest_of(newest_first, lambda at: (at.year, at.month, at.day), DAYS)
        | _newest_of(newest_first, lambda at: tuple(at.isocalendar()[:2]), WEEKS)
        | _newest_of(newest_first, lambda at: (at.year, at.month), MONTHS)
    )


def _newest_of(
    newest_first: Collection[datetime], period: Callable[[datetime], Period], most: int
) -> set[datetime]:
    found: dict[Period, datetime] = {}
    for at in newest_first:
        found.setdefault(period(at), at)
    return set(list(found.values())[:most])
