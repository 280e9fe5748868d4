"""Rejects observations that can't be stored, with a reason. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from core.history.observation import Observation

EARLIEST = datetime(1995, 7, 1, tzinfo=UTC)  # Amazon sold its first book that month
CLOCK_SKEW = timedelta(minutes=10)  # between a scraper's clock and the database's


def check_storable(observation: Observation, now: datetime) -> str | None:
    """Return why an observation can't be stored, or None if it can."""
    if observation.captured_at > now + CLOCK_SKEW:
        return "Its time lies in the future. Check the file's time and time zone."
    if observation.captured_at < EARLIEST:
        return "Its time lies before Amazon sold anything. Check the file's time."
    if not _fits(observation):
        return "It holds a number that no product has. Check the file's columns and numbers."
    return None


# Read in the processes that open files, which load no SQLAlchemy: names, not columns.
LARGEST_AMOUNT = 2**53  # larger integers aren't exact in float64, which charts use
LARGEST_COUNT = 2**31 - 1
LARGEST_SHARE = 2**15 - 1  # percent, and tenths of a star
AMOUNTS = (
    "price",
    "list_price",
    "buy_box_price",
    "buy_box_shipping",
    "amazon_price",
    "new_price",
    "new_fba_price",
    "used_price",
    "deal_price",
    "coupon_amount",
)
COUNTS = ("ratings_count", "reviews_count", "stock_left", "offers_new", "offers_used")
SHARES = ("coupon_percent", "rating")
_amounts_of, _counts_of, _shares_of = (attrgetter(*each) for each in (AMOUNTS, COUNTS, SHARES))


def _fits(observation: Observation) -> bool:
    """Return whether every number fits its column."""
    return (
        _within(_amounts_of(observation), LARGEST_AMOUNT)
        and _within(_counts_of(observation), LARGEST_COUNT)
        and _within((ranked.rank for ranked in observation.ranks), LARGEST_COUNT)
        and _within(_shares_of(observation), LARGEST_SHARE)
    )


def _within(numbers: Iterable[int | None], largest: int) -> bool:
    known = [*filter(None, numbers)]  # 0 always fits
    return not known or (-largest <= min(known) and max(known) <= largest)
