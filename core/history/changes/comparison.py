"""What moved between two states of a product, and whether that is of note. Pure.

The worst finding of a product is judged as for the day before (`attention`); every value
that differs is told beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from core.history.changes import text
from core.history.ingest.change_detection import ChangeKind, DayValues, find_change
from core.history.observation import Availability
from core.history.timeline import statistics_text
from core.text.numbers import format_percent_change, format_rank_change
from core.tracking.change_sentiment import Sentiment, exceeds_threshold, sentiment
from core.tracking.rules import Role

What = Literal["price", "rank", "rating", "ratings_count"]


@dataclass(frozen=True, slots=True)
class ComparedState:
    """A product's accepted values at one time, in the stored units. None: unknown or none."""

    price: int | None = None
    bsr: int | None = None
    bsr_category_id: int | None = None
    rating: int | None = None
    ratings_count: int | None = None
    availability: int | None = None
    seller: str | None = None

    def as_day(self) -> DayValues:
        """Return what findings are judged by."""
        return DayValues(
            self.price,
            self.bsr,
            self.bsr_category_id,
            self.ratings_count,
            self.availability,
            self.seller,
        )


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One value that differs, in the stored unit, and the difference in words."""

    what: What
    before: int
    after: int
    words: str


@dataclass(frozen=True, slots=True)
class ChangedProduct:
    """A followed product whose values differ from those at the close of `then_day`."""

    product_id: int
    marketplace: str
    asin: str
    title: str | None
    is_demo: bool
    role: Role
    tags: tuple[str, ...]
    captured_at: datetime
    bsr_category: str | None
    then_day: date  # of the marketplace
    then: ComparedState
    now: ComparedState
    finding: ChangeKind
    is_exact: bool  # False: `then` knows of the stock only whether there was any on that day

    @property
    def mood(self) -> Sentiment:
        """Whether it is better or worse for the one who follows."""
        return sentiment(self.role, self.finding)

    def moves(self) -> list[ValueChange]:
        """Return every value that differs and is known at both times."""
        return list(_moves(self.then, self.now))

    def in_words(self) -> str:
        """Say from which value to which, for the worst of what happened."""
        if not self.is_exact and self.finding in _OF_STOCK:
            return text.format_stock(_was_for_sale(self.then), self.now.availability)
        return text.format_before_and_after(self._row())

    def _row(self) -> dict[str, Any]:
        """Return the values as a row of a product list names them."""
        return {
            "attention_kind": self.finding,
            "marketplace": self.marketplace,
            "price": self.now.price,
            "bsr": self.now.bsr,
            "bsr_category": self.bsr_category,
            "ratings_count": self.now.ratings_count,
            "availability": self.now.availability,
            "buy_box_seller": self.now.seller,
            "prior_price": self.then.price,
            "prior_bsr": self.then.bsr,
            "prior_ratings_count": self.then.ratings_count,
            "prior_availability": self.then.availability,
            "prior_seller": self.then.seller,
        }


_OF_STOCK = (
    ChangeKind.GONE,
    ChangeKind.OUT_OF_STOCK,
    ChangeKind.BUY_BOX_SUPPRESSED,
    ChangeKind.BACK_IN_STOCK,
)


def _was_for_sale(then: ComparedState) -> bool:
    return then.availability == Availability.IN_STOCK


def _moves(then: ComparedState, now: ComparedState) -> Iterator[ValueChange]:
    if _differ(then.price, now.price):
        yield _move("price", then.price, now.price, format_percent_change)
    if _differ(then.bsr, now.bsr) and then.bsr_category_id == now.bsr_category_id:
        yield _move("rank", then.bsr, now.bsr, format_rank_change)
    if _differ(then.rating, now.rating):
        yield _move("rating", then.rating, now.rating, statistics_text.rating_change)
    if _differ(then.ratings_count, now.ratings_count):
        yield _move(
            "ratings_count", then.ratings_count, now.ratings_count, statistics_text.count_change
        )


def _differ(before: int | None, after: int | None) -> bool:
    return before is not None and after is not None and before != after


def _move(what: What, before: int | None, after: int | None, words: Any) -> ValueChange:
    assert before is not None
    assert after is not None
    return ValueChange(what, before, after, words(before, after))


def availability_of_day(in_stock_share: float | None, availability: int | None) -> int | None:
    """Return a state of the stock for a day of which only a share is known.

    In stock where it could be bought at any time of it. Where it could not, the state is
    told apart from today's only if it can be bought today: which one it was is not known.
    """
    if in_stock_share is None or availability is None:
        return None
    if in_stock_share > 0:
        return int(Availability.IN_STOCK)
    can_be_bought = Availability(availability).can_be_bought
    return int(Availability.UNAVAILABLE) if can_be_bought else None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on a person finds a change worth telling, in percent. None: as usual."""

    price_percent: Decimal | None = None
    rank_percent: Decimal | None = None


def find_change_of_note(
    then: ComparedState, now: ComparedState, listing_changed: bool, own: Thresholds
) -> tuple[ChangeKind, float] | None:
    """Return the worst finding and its score, None when nothing is of note to the person."""
    finding, score = find_change(then.as_day(), now.as_day(), listing_changed)
    if finding is None:
        return None
    pair = {
        ChangeKind.PRICE_MOVED: (then.price, now.price),
        ChangeKind.RANK_WORSENED: (then.bsr, now.bsr),
        ChangeKind.RANK_IMPROVED: (then.bsr, now.bsr),
    }.get(finding)
    if pair is None or exceeds_threshold(finding, *pair, own.price_percent, own.rank_percent):
        return finding, score
    return None
