"""What deserves a person's attention since the day before, worst first. Pure.

One product has one finding: the worst. The score only orders findings; it is
never shown.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log

from core.history.observation import Availability


class Finding(StrEnum):
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
class AttentionRule:
    """From when on a change deserves attention."""

    price_share: float = 0.05  # of the price before
    rank_log_ratio: float = log(1.5)  # symmetric: ×1.5 worse is as far as ÷1.5 better
    ratings_share: float = 0.05  # of the ratings lost

    @property
    def price_percent(self) -> float:
        """The change of a price, in percent."""
        return round(self.price_share * 100, 2)

    @property
    def rank_percent(self) -> float:
        """The change of a rank to the worse, in percent; to the better as far the other way."""
        return round((exp(self.rank_log_ratio) - 1) * 100, 2)


USUAL_RULE = AttentionRule()

_LOST = frozenset({Availability.NO_OFFERS, Availability.UNAVAILABLE})


def find_attention(
    prior: DayValues, now: DayValues, listing_changed: bool, rule: AttentionRule = USUAL_RULE
) -> tuple[Finding | None, float]:
    """Return the worst finding between two days' values and its score, or (None, 0)."""
    found = [
        *_stock(prior, now),
        *_buy_box(prior, now),
        *_ratings(prior, now, rule),
        *_rank(prior, now, rule),
        *_price(prior, now, rule),
    ]
    if listing_changed:
        found.append((30.0, Finding.LISTING_CHANGED))
    if not found:
        return None, 0.0
    score, finding = max(found)
    return finding, score


def _stock(prior: DayValues, now: DayValues) -> list[tuple[float, Finding]]:
    if now.availability is None or prior.availability in (None, now.availability):
        return []
    if now.availability == Availability.GONE:
        return [(100.0, Finding.GONE)]
    if now.availability in _LOST:
        return [] if prior.availability in _LOST else [(90.0, Finding.OUT_OF_STOCK)]
    if now.availability == Availability.BUY_BOX_SUPPRESSED:
        return [(80.0, Finding.BUY_BOX_SUPPRESSED)]
    was_away = prior.availability in _LOST or prior.availability == Availability.GONE
    return [(15.0, Finding.BACK_IN_STOCK)] if was_away else []


def _buy_box(prior: DayValues, now: DayValues) -> list[tuple[float, Finding]]:
    if prior.seller is None or now.seller is None or prior.seller == now.seller:
        return []
    return [(85.0, Finding.BUY_BOX_MOVED)]


def _ratings(prior: DayValues, now: DayValues, rule: AttentionRule) -> list[tuple[float, Finding]]:
    if not prior.ratings_count or now.ratings_count is None:
        return []
    lost = (prior.ratings_count - now.ratings_count) / prior.ratings_count
    return [(70.0 + 10 * lost, Finding.RATINGS_LOST)] if lost >= rule.ratings_share else []


def _rank(prior: DayValues, now: DayValues, rule: AttentionRule) -> list[tuple[float, Finding]]:
    comparable = prior.bsr_category_id == now.bsr_category_id
    if not prior.bsr or not now.bsr or not comparable:
        return []
    ratio = log(now.bsr / prior.bsr)
    if ratio >= rule.rank_log_ratio:
        return [(min(69.0, 40.0 + 10 * ratio), Finding.RANK_WORSENED)]
    return [(min(14.0, -ratio), Finding.RANK_IMPROVED)] if ratio <= -rule.rank_log_ratio else []


def _price(prior: DayValues, now: DayValues, rule: AttentionRule) -> list[tuple[float, Finding]]:
    if not prior.price or not now.price:
        return []
    share = abs(now.price - prior.price) / prior.price
    return (
        [(min(39.0, 20.0 + 20 * share), Finding.PRICE_MOVED)] if share >= rule.price_share else []
    )
