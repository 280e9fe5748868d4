"""Finds the worst change of a product since the day before. Pure.

Each product has one change: the worst that counts by the given thresholds. The score only orders
changes; it is never shown.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import log, log1p

from core.history.accepted_values import AcceptedValues
from core.history.observation import Availability
from core.thresholds import Thresholds


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
class ChangeRule:
    """How large a change must be to count."""

    price_share: float  # of the price before
    rank_log_ratio: float  # symmetric: ×1.5 worse is as far as ÷1.5 better
    ratings_share: float = 0.05  # of the ratings lost


_ROUNDING = 1 - 1e-9  # a change exactly at a threshold counts


@lru_cache(maxsize=1024)
def make_change_rule(thresholds: Thresholds) -> ChangeRule:
    """Return the rule of a user's thresholds."""
    return ChangeRule(
        price_share=float(thresholds.price_percent) / 100 * _ROUNDING,
        rank_log_ratio=log1p(float(thresholds.rank_percent) / 100) * _ROUNDING,
    )


_LOST = frozenset({Availability.NO_OFFERS, Availability.UNAVAILABLE})


def find_change(
    prior: AcceptedValues, now: AcceptedValues, listing_changed: bool, rule: ChangeRule
) -> tuple[ChangeKind | None, float]:
    """Return the worst change between two days' values and its score, or (None, 0).

    Worst first, by what it costs: removed, out of stock, Buy Box, ratings, rank, price.
    While a product can't be bought, only that counts: a worse rank or price is a
    consequence, and a better one is no improvement.
    """
    if (state := _blocking_state(now)) is not None:
        return _find_unavailable(prior, now, state, rule)
    changes = [
        *_find_stock(prior, now),
        *_find_buy_box(prior, now),
        *_find_ratings(prior, now, rule),
        *_find_rank(prior, now, rule),
        *_find_price(prior, now, rule),
    ]
    if listing_changed:
        changes.append((30.0, ChangeKind.LISTING_CHANGED))
    if not changes:
        return None, 0.0
    score, kind = max(changes)
    return kind, score


def _blocking_state(now: AcceptedValues) -> tuple[float, ChangeKind] | None:
    """Return the state that keeps the product from being bought, with its score, or None."""
    if now.availability == Availability.GONE:
        return 100.0, ChangeKind.GONE
    if now.availability in _LOST:
        return 90.0, ChangeKind.OUT_OF_STOCK
    if now.availability == Availability.BUY_BOX_SUPPRESSED:
        return 81.0, ChangeKind.BUY_BOX_SUPPRESSED  # above any loss of ratings
    return None


def _find_unavailable(
    prior: AcceptedValues, now: AcceptedValues, state: tuple[float, ChangeKind], rule: ChangeRule
) -> tuple[ChangeKind | None, float]:
    """Return the blocking state if it is new, or if ratings or rank got worse meanwhile."""
    score, kind = state
    before = _blocking_state(prior)
    is_new = prior.availability is not None and (before is None or before[1] is not kind)
    worse = [
        each
        for _, each in (*_find_ratings(prior, now, rule), *_find_rank(prior, now, rule))
        if each is not ChangeKind.RANK_IMPROVED
    ]
    return (kind, score) if is_new or worse else (None, 0.0)


def _find_stock(prior: AcceptedValues, now: AcceptedValues) -> list[tuple[float, ChangeKind]]:
    if now.availability is None or prior.availability in (None, now.availability):
        return []
    was_unavailable = prior.availability in _LOST or prior.availability == Availability.GONE
    return [(15.0, ChangeKind.BACK_IN_STOCK)] if was_unavailable else []


def _find_buy_box(prior: AcceptedValues, now: AcceptedValues) -> list[tuple[float, ChangeKind]]:
    if prior.seller is None or now.seller is None or prior.seller == now.seller:
        return []
    return [(85.0, ChangeKind.BUY_BOX_MOVED)]


def _find_ratings(
    prior: AcceptedValues, now: AcceptedValues, rule: ChangeRule
) -> list[tuple[float, ChangeKind]]:
    if not prior.ratings_count or now.ratings_count is None:
        return []
    lost = (prior.ratings_count - now.ratings_count) / prior.ratings_count
    return [(70.0 + 10 * lost, ChangeKind.RATINGS_LOST)] if lost >= rule.ratings_share else []


def _find_rank(
    prior: AcceptedValues, now: AcceptedValues, rule: ChangeRule
) -> list[tuple[float, ChangeKind]]:
    comparable = prior.bsr_category_id == now.bsr_category_id
    if not prior.bsr or not now.bsr or not comparable:
        return []
    ratio = log(now.bsr / prior.bsr)
    if ratio >= rule.rank_log_ratio:
        return [(min(69.0, 40.0 + 10 * ratio), ChangeKind.RANK_WORSENED)]
    return [(min(14.0, -ratio), ChangeKind.RANK_IMPROVED)] if ratio <= -rule.rank_log_ratio else []


def _find_price(
    prior: AcceptedValues, now: AcceptedValues, rule: ChangeRule
) -> list[tuple[float, ChangeKind]]:
    if not prior.price or not now.price:
        return []
    share = abs(now.price - prior.price) / prior.price
    return (
        [(min(39.0, 20.0 + 20 * share), ChangeKind.PRICE_MOVED)]
        if share >= rule.price_share
        else []
    )
