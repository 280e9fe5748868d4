"""What to list of changes: since when, whose, which and in which order."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from core.errors import InvalidInputError
from core.history.changes.comparison import ChangedProduct
from core.history.periods.change_detection import ChangeKind
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import MovedValue
from core.history.periods.roll import list_market_days
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role

DEFAULT_PERIOD = timedelta(days=1)
A_DAY = timedelta(hours=25)  # a caller that asks for one day may take a while to send it
LONGEST_PERIOD = timedelta(days=92)


class ChangeOrder(StrEnum):
    """How a list of changes is ordered: by the worst change, the check or one value's change."""

    WORST = "worst"
    NEWEST = "newest"
    PRICE = "price"
    RANK = "rank"
    RATING = "rating"
    RATINGS_COUNT = "ratings_count"


ORDER_VALUES: Final = {
    ChangeOrder.PRICE: MovedValue.PRICE,
    ChangeOrder.RANK: MovedValue.RANK,
    ChangeOrder.RATING: MovedValue.RATING,
    ChangeOrder.RATINGS_COUNT: MovedValue.RATINGS_COUNT,
}


@dataclass(frozen=True, slots=True)
class ChangeQuery:
    """A filter of changes and their order. Empty: all."""

    since: datetime
    is_last_day: bool  # include changes since the day before each newest observation
    scope: ListScope = ListScope.TEAM
    roles: tuple[Role, ...] = ()
    kinds: tuple[ChangeKind, ...] = ()
    order: ChangeOrder = ChangeOrder.WORST
    period: ChangePeriod | None = None  # compare with its close instead of the day before `since`
    is_descending: bool = True  # of the order by a value


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """A page of changes. `total` is exact up to COUNT_CAP, and one more beyond it."""

    rows: list[ChangedProduct]
    total: int


def start_of_changes(since: datetime | None, now: datetime) -> tuple[datetime, bool]:
    """Return the start of the period, and whether it is the last day.

    Raises InvalidInputError for a time in the future or too long ago.
    """
    if since is None:
        return (now - DEFAULT_PERIOD).replace(microsecond=0), True
    aware = since if since.tzinfo else since.replace(tzinfo=UTC)
    if aware > now:
        raise InvalidInputError("`since` lies in the future. Leave it out for a day ago.")
    if aware < now - LONGEST_PERIOD:
        raise InvalidInputError(
            f"`since` lies more than {LONGEST_PERIOD.days} days back. Ask for a later time, "
            "or for one product's history."
        )
    return aware.replace(microsecond=0), aware >= now - A_DAY


def find_first_start(period: ChangePeriod, now: datetime) -> datetime:
    """Return when a period begins in the marketplace where it does so first."""
    place = list(ChangePeriod).index(period)
    return min(day.starts[place] for day in list_market_days(now).values())
