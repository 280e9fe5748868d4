"""What deserves a person's attention since the day before, worst first. Pure.

One product has one finding: the worst. The score only orders findings; it is
never shown.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import exp, log

from core.history.observation import Availability


class ChangeKind(StrEnum):
    """What happened. Stored as text."""

    GONE = "gone"
    OUT_OF_STOCK = "out_of_stock"
    BUY_BOX_SUPPRESSED = "buy_box_suppressed"
    BUY_BOX_MOVED = "buy_box_moved"
    RATINGS_LOST = "ratings_lost"
    RANK_WORSENED = "rank_worsened"
    LISTING_CHANGED = "listing_changed"
    PRICE_MOVED = "price_moved"
    BACK_IN_STOCK = "back_in_stock"
    RANK_IMPROVED = "rank_improved"


@dataclass(frozen=True, slots=True)
class DayValues:
    """A product's accepted values at one time. None: unknown."""

    price: int | None = None
    bsr: int | None = None
    bsr_category_id: int | None = None
    ratings_count: int | None = None
    availability: int | None = None
    seller: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """From when on a change deserves attention."""

    price_share: float = 0.05  # of the price before
    rank_log_ratio: float = log(1.5)  # symmetric: ×1.5 worse is as far as ÷1.5 better
    ratings_share: float = 0.05  # of the ratings lost

    def ineffective(self, price_percent: object, rank_percent: object) -> list[str]:
        """Say which thresholds in percent are below what is noticed at all; None: not set."""
        named = (
            ("price", price_percent, self.price_percent),
            ("rank", rank_percent, self.rank_percent),
        )
        return [
            f"A threshold of the {what} below the usual {usual:g} % has no effect."
            for what, own, usual in named
            if isinstance(own, int | float | Decimal) and own < usual
        ]

    @property
    def price_percent(self) -> float:
        """The change of a price, in percent."""
        return round(self.price_share * 100, 2)

    @property
    def rank_percent(self) -> float:
        """The change of a rank to the worse, in percent; to the better as far the other way."""
        return round((exp(self.rank_log_ratio) - 1) * 100, 2)


USUAL_RULE = ChangeRule()

_LOST = frozenset({Availability.NO_OFFERS, Availability.UNAVAILABLE})


def find_change(
    prior: DayValues, now: DayValues, listing_changed: bool, rule: ChangeRule = USUAL_RULE
) -> tuple[ChangeKind | None, float]:
    """Return the worst finding between two days' values and its score, or (None, 0).

    The worst by what it costs: removed, out of stock, Buy Box, ratings, rank, price. While a
    product can't be bought, that is what is wrong with it: a rank or a price that worsens then
    is a consequence, and one that improves is no improvement.
    """
    if (state := _state_finding(now)) is not None:
        return _of_unavailable(prior, now, state, rule)
    found = [
        *_stock(prior, now),
        *_buy_box(prior, now),
        *_ratings(prior, now, rule),
        *_rank(prior, now, rule),
        *_price(prior, now, rule),
    ]
    if listing_changed:
        found.append((30.0, ChangeKind.LISTING_CHANGED))
    if not found:
        return None, 0.0
    score, finding = max(found)
    return finding, score


def _state_finding(now: DayValues) -> tuple[float, ChangeKind] | None:
    """Return what keeps a product from being bought at its page, None when nothing does."""
    if now.availability == Availability.GONE:
        return 100.0, ChangeKind.GONE
    if now.availability in _LOST:
        return 90.0, ChangeKind.OUT_OF_STOCK
    if now.availability == Availability.BUY_BOX_SUPPRESSED:
        return 81.0, ChangeKind.BUY_BOX_SUPPRESSED  # above any loss of ratings
    return None


def _of_unavailable(
    prior: DayValues, now: DayValues, state: tuple[float, ChangeKind], rule: ChangeRule
) -> tuple[ChangeKind | None, float]:
    """Return the state as the finding where it, or a figure that suffers from it, is new."""
    score, finding = state
    before = _state_finding(prior)
    is_new = prior.availability is not None and (before is None or before[1] is not finding)
    suffers = [
        each
        for _, each in (*_ratings(prior, now, rule), *_rank(prior, now, rule))
        if each is not ChangeKind.RANK_IMPROVED
    ]
    return (finding, score) if is_new or suffers else (None, 0.0)


def _stock(prior: DayValues, now: DayValues) -> list[tuple[float, ChangeKind]]:
    if now.availability is None or prior.availability in (None, now.availability):
        return []
    was_away = prior.availability in _LOST or prior.availability == Availability.GONE
    return [(15.0, ChangeKind.BACK_IN_STOCK)] if was_away else []


def _buy_box(prior: DayValues, now: DayValues) -> list[tuple[float, ChangeKind]]:
    if prior.seller is None or now.seller is None or prior.seller == now.seller:
        return []
    return [(85.0, ChangeKind.BUY_BOX_MOVED)]


def _ratings(prior: DayValues, now: DayValues, rule: ChangeRule) -> list[tuple[float, ChangeKind]]:
    if not prior.ratings_count or now.ratings_count is None:
        return []
    lost = (prior.ratings_count - now.ratings_count) / prior.ratings_count
    return [(70.0 + 10 * lost, ChangeKind.RATINGS_LOST)] if lost >= rule.ratings_share else []


def _rank(prior: DayValues, now: DayValues, rule: ChangeRule) -> list[tuple[float, ChangeKind]]:
    comparable = prior.bsr_category_id == now.bsr_category_id
    if not prior.bsr or not now.bsr or not comparable:
        return []
    ratio = log(now.bsr / prior.bsr)
    if ratio >= rule.rank_log_ratio:
        return [(min(69.0, 40.0 + 10 * ratio), ChangeKind.RANK_WORSENED)]
    return [(min(14.0, -ratio), ChangeKind.RANK_IMPROVED)] if ratio <= -rule.rank_log_ratio else []


def _price(prior: DayValues, now: DayValues, rule: ChangeRule) -> list[tuple[float, ChangeKind]]:
    if not prior.price or not now.price:
        return []
    share = abs(now.price - prior.price) / prior.price
    return (
        [(min(39.0, 20.0 + 20 * share), ChangeKind.PRICE_MOVED)]
        if share >= rule.price_share
        else []
    )
