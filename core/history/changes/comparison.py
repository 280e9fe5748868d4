"""Compares two states of a product: the worst change, and every value that differs. Pure.

The worst change is found as for the day before (`change_detection`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from core.history.accepted_values import AcceptedValues
from core.history.changes import text
from core.history.changes.change import ObservedChange
from core.history.observation import Availability
from core.history.periods.change_detection import ChangeKind, find_change, make_change_rule
from core.history.timeline import statistics_text
from core.text.numbers import format_percent_change, format_rank_change
from core.thresholds import Thresholds
from core.tracking.change_sentiment import Sentiment, exceeds_threshold, find_sentiment
from core.tracking.rules import Role

ComparedField = Literal["price", "rank", "rating", "ratings_count"]


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One value that differs, in the stored unit, and the difference as text."""

    field: ComparedField
    before: int
    after: int
    text: str


@dataclass(frozen=True, slots=True)
class ChangedProduct(ObservedChange):
    """A tracked product whose values differ from those at the close of `then_day`."""

    product_id: int
    asin: str
    title: str | None
    is_demo: bool
    role: Role
    tags: tuple[str, ...]
    captured_at: datetime
    then_day: date  # of the marketplace
    is_exact: bool  # False: of `then` we only know whether it was in stock on that day

    @property
    def sentiment(self) -> Sentiment:
        """Return whether the change is better or worse for the user who tracks the product."""
        return Sentiment.NEUTRAL if self.kind is None else find_sentiment(self.role, self.kind)

    def list_value_changes(self) -> list[ValueChange]:
        """Return every value that differs and is known at both times."""
        return list(_list_value_changes(self.then, self.now))

    def format_change(self) -> str:
        """Write the worst change from which value to which; empty without one."""
        if self.kind is None:
            return ""
        if not self.is_exact and self.kind in _OF_STOCK:
            return text.format_stock(_was_for_sale(self.then), self.now.availability)
        return text.format_before_and_after(self)


_OF_STOCK = (
    ChangeKind.GONE,
    ChangeKind.OUT_OF_STOCK,
    ChangeKind.BUY_BOX_SUPPRESSED,
    ChangeKind.BACK_IN_STOCK,
)


def _was_for_sale(then: AcceptedValues) -> bool:
    return then.availability == Availability.IN_STOCK


def _list_value_changes(then: AcceptedValues, now: AcceptedValues) -> Iterator[ValueChange]:
    if _differ(then.price, now.price):
        yield _make_value_change("price", then.price, now.price, format_percent_change)
    if _differ(then.bsr, now.bsr) and then.bsr_category_id == now.bsr_category_id:
        yield _make_value_change("rank", then.bsr, now.bsr, format_rank_change)
    if _differ(then.rating, now.rating):
        yield _make_value_change("rating", then.rating, now.rating, statistics_text.rating_change)
    if _differ(then.ratings_count, now.ratings_count):
        yield _make_value_change(
            "ratings_count", then.ratings_count, now.ratings_count, statistics_text.count_change
        )


def _differ(before: int | None, after: int | None) -> bool:
    return before is not None and after is not None and before != after


def _make_value_change(
    field: ComparedField, before: int | None, after: int | None, format_change: Any
) -> ValueChange:
    assert before is not None
    assert after is not None
    return ValueChange(field, before, after, format_change(before, after))


def availability_of_day(in_stock_share: float | None, availability: int | None) -> int | None:
    """Return an availability for a day of which only the share in stock is known.

    In stock if it could be bought at any time of the day. If not, we don't know which state
    it had: unavailable if it can be bought now (a change), else None (no change).
    """
    if in_stock_share is None or availability is None:
        return None
    if in_stock_share > 0:
        return int(Availability.IN_STOCK)
    can_be_bought = Availability(availability).can_be_bought
    return int(Availability.UNAVAILABLE) if can_be_bought else None


def find_notable_change(
    then: AcceptedValues, now: AcceptedValues, listing_changed: bool, thresholds: Thresholds
) -> tuple[ChangeKind, float] | None:
    """Return the worst change that reaches the user's thresholds, and its score, or None."""
    kind, score = find_change(then, now, listing_changed, make_change_rule(thresholds))
    if kind is None:
        return None
    pair = {
        ChangeKind.PRICE_MOVED: (then.price, now.price),
        ChangeKind.RANK_WORSENED: (then.bsr, now.bsr),
        ChangeKind.RANK_IMPROVED: (then.bsr, now.bsr),
    }.get(kind)
    if pair is None or exceeds_threshold(kind, *pair, thresholds):
        return kind, score
    return None
