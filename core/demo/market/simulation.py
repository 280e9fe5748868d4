"""Simulate an invented product hour by hour. Numbers only: no text, no observations.

Every function is pure in (traits, hours): the values of an hour don't depend on the
other hours. Prices are in minor units.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import numpy as np

from core.demo.market.keyed_random import (
    Hours,
    Rhythm,
    Spell,
    Truths,
    Values,
    draw_between,
    draw_trait,
    draw_uniform,
    draw_wave,
    find_spell,
    make_key,
)

ORIGIN: Final = datetime(2020, 1, 1, tzinfo=UTC)  # hour 0 by default, a Wednesday
DAY: Final = 24
YEAR: Final = 365 * DAY

_STEPS: Final = Rhythm(stream=10, every=45 * DAY, chance=1.0, shortest=1, longest=1)
_STEP_SIZES: Final = np.array([-0.12, -0.07, -0.04, 0.0, 0.0, 0.0, 0.04, 0.08, 0.11])
_DEAL: Final = Rhythm(stream=20, every=28 * DAY, chance=0.45, shortest=2 * DAY, longest=7 * DAY)
_COUPON: Final = Rhythm(stream=30, every=60 * DAY, chance=0.4, shortest=9 * DAY, longest=20 * DAY)
_OUT: Final = Rhythm(
    stream=40, every=80 * DAY, chance=0.4, shortest=8, longest=6 * DAY, before=72, after=96
)
_SUPPRESSED: Final = Rhythm(stream=50, every=90 * DAY, chance=0.3, shortest=4, longest=60)
_LOST: Final = Rhythm(stream=60, every=40 * DAY, chance=0.35, shortest=6, longest=96)
_WEEK: Final = np.array([0.05, 0.02, 0.0, 0.01, -0.02, -0.05, -0.06])  # Monday first
_ELASTICITY: Final = 2.2  # log rank per log price
_FELT_LAGS: Final = (0, 12, 36, 60)  # hours
_ORIGIN_WEEKDAY: Final = 2
_GONE_CYCLE: Final = 300 * DAY


class Fate(StrEnum):
    """The special behaviour of a product."""

    USUAL = "usual"
    PURGED = "purged"  # loses over a third of its ratings in one night, once a year
    VANISHING = "vanishing"  # its page is removed for 150 days of every 300
    RETURNING = "returning"  # removed while the vanishing one exists: one of the two always exists
    NEWCOMER = "newcomer"  # few ratings, no rank yet


@dataclass(frozen=True, slots=True)
class Traits:
    """The constants of a product from which its numbers follow."""

    key: np.uint64
    base_price: int  # minor units
    price_unit: int  # prices are whole multiples of it minus `charm`
    charm: int  # minor units below a multiple: 1 makes 19.99
    base_rank: float
    sub_ratio: float  # main rank / sub rank
    season_peak: int  # day of the year when it sells best
    season_strength: float  # log rank
    fate: Fate = Fate.USUAL
    leader: "Traits | None" = None  # its price reacts to this product's some days later

    @property
    def is_restless(self) -> bool:
        """Return whether it is one of the fifth whose price changes several times a day."""
        return draw_trait(self.key, 1) < 0.2

    @property
    def lag_hours(self) -> int:
        """Return the hours until it reacts to its leader: two to six days."""
        return int(draw_between(self.key, 2, 2 * DAY, 6 * DAY))


@dataclass(frozen=True, slots=True)
class SimulatedValues:
    """The values of each hour: one array per value, all of the length of the hours."""

    price: Hours  # of the featured offer, before the coupon
    regular_price: Hours
    is_deal: Truths
    coupon_percent: Hours  # 0: none
    is_gone: Truths
    is_out: Truths
    is_suppressed: Truths
    is_lost: Truths  # another seller has the Buy Box
    stock_left: Hours  # 0: not shown
    rank: Hours
    sub_rank: Hours
    rating: Hours  # tenths
    ratings_count: Hours  # 0: not rated yet
    variant: Hours  # number of the listing's version


def draw_traits(
    seed: int,
    marketplace: str,
    asin: str,
    *,
    typical_price: int,
    price_unit: int,
    charm: int,
    typical_rank: float,
    season_peak: int,
    season_strength: float,
    fate: Fate = Fate.USUAL,
    leader: Traits | None = None,
) -> Traits:
    """Draw a product's traits around the typical values of its category."""
    key = make_key(seed, marketplace, asin)
    return Traits(
        key=key,
        base_price=int(typical_price * draw_between(key, 3, 0.75, 1.35)),
        price_unit=price_unit,
        charm=charm,
        base_rank=typical_rank * math.exp(draw_between(key, 4, -1.6, 1.6)),
        sub_ratio=draw_between(key, 5, 12, 60),
        season_peak=season_peak,
        season_strength=season_strength,
        fate=fate,
        leader=leader,
    )


def hours_since(
    origin: datetime, times: "np.ndarray[tuple[int], np.dtype[np.datetime64]]"
) -> Hours:
    """Return the whole hours from an aware origin to UTC times."""
    first = np.datetime64(origin.astimezone(UTC).replace(tzinfo=None), "h")
    return (times.astype("datetime64[h]") - first).astype(np.int64)


def simulate_hours(traits: Traits, hours: Hours) -> SimulatedValues:
    """Return a product's values at each of these hours."""
    moments = _felt_hours(hours)
    regular, deal = _regular_price(traits, moments), find_spell(traits.key, moments, _DEAL)
    offered, coupon = _deal_price(traits, regular, deal), _coupon_percent(traits, moments)
    price = offered[0]
    gone = _is_gone(traits, hours)
    out = find_spell(traits.key, hours, _OUT)
    lost = find_spell(traits.key, hours, _LOST).active
    suppressed = find_spell(traits.key, hours, _SUPPRESSED).active
    rank = np.exp(
        _log_rank_by_itself(traits, hours)
        + _reaction_to_price(traits, offered, coupon)
        + _reaction_to_stock(out, suppressed)
    )
    return SimulatedValues(
        price=np.where(lost, _rival_price(traits, hours, price), price),
        regular_price=regular[0],
        is_deal=deal.active[0] & ~lost,
        coupon_percent=coupon[0],
        is_gone=gone,
        is_out=out.active & ~gone,
        is_suppressed=suppressed & ~out.active & ~gone,
        is_lost=lost & ~suppressed & ~out.active & ~gone,
        stock_left=_stock_left(out.since),
        rank=_whole(rank),
        sub_rank=_whole(
            rank / traits.sub_ratio * np.exp(0.06 * draw_wave(traits.key, 74, hours, 18))
        ),
        rating=_rating(traits, hours),
        ratings_count=_ratings_count(traits, hours),
        variant=_listing_variant(traits, hours),
    )


def _felt_hours(hours: Hours) -> Hours:
    """Return rows of hours: these, and the earlier ones whose price still affects the rank."""
    return np.stack([hours - lag for lag in _FELT_LAGS])


def _deal_price(traits: Traits, regular: Hours, deal: Spell) -> Hours:
    """Return the price of the product's own seller: the regular one minus a deal."""
    discount = 0.12 + 0.18 * draw_uniform(traits.key, 24, deal.number)
    return np.where(deal.active, _charming(traits, regular * (1 - discount)), regular)


def _regular_price(traits: Traits, hours: Hours) -> Hours:
    level = _price_level(traits, hours)
    if traits.leader is not None:
        followed = _price_level(traits.leader, hours - traits.lag_hours)
        level = level * (1 + 0.6 * (followed - 1))
    if traits.is_restless:
        level = level * (1 + 0.012 * (draw_uniform(traits.key, 16, hours // 6) * 2 - 1))
    return _charming(traits, traits.base_price * level)


def _price_level(traits: Traits, hours: Hours) -> Values:
    """Return the price as a multiple of the base price, changing in steps."""
    step = find_spell(traits.key, hours, _STEPS)
    number = np.where(step.since >= 0, step.number, step.number - 1)
    chosen = (draw_uniform(traits.key, 15, number) * len(_STEP_SIZES)).astype(np.int64)
    return 1 + _STEP_SIZES[chosen]


def _charming(traits: Traits, price: Values) -> Hours:
    """Return the nearest price with the charm ending, at least one unit."""
    units = np.maximum(np.rint(price / traits.price_unit), 1)
    return (units * traits.price_unit - traits.charm).astype(np.int64)


def _rival_price(traits: Traits, hours: Hours, price: Hours) -> Hours:
    undercut = 0.93 + 0.06 * draw_uniform(traits.key, 65, hours // DAY)
    return _charming(traits, price * undercut)


def _coupon_percent(traits: Traits, hours: Hours) -> Hours:
    coupon = find_spell(traits.key, hours, _COUPON)
    sizes = np.array([5, 8, 10, 15, 20])
    chosen = sizes[(draw_uniform(traits.key, 34, coupon.number) * len(sizes)).astype(np.int64)]
    return np.where(coupon.active, chosen, 0)


def _stock_left(since_out: Values) -> Hours:
    """Return the stock left in the three days before it ends; 0: not shown."""
    left = np.where((since_out < 0) & (since_out >= -72), np.ceil(-since_out / 4), 0)
    return left.astype(np.int64)


def _log_rank_by_itself(traits: Traits, hours: Hours) -> Values:
    log_rank: Values = (
        np.log(traits.base_rank)
        + _trend(traits, hours)
        + _WEEK[(hours // DAY + _ORIGIN_WEEKDAY) % 7]
        + _season(traits, hours)
        + 0.10 * draw_wave(traits.key, 71, hours, 9)
        + 0.18 * draw_wave(traits.key, 72, hours, 60)
        + 0.04 * (draw_uniform(traits.key, 73, hours) - 0.5)
    )
    return log_rank


def _trend(traits: Traits, hours: Hours) -> Values:
    return 0.45 * draw_wave(traits.key, 75, hours, 140 * DAY) + 0.2 * draw_wave(
        traits.key, 76, hours, 50 * DAY
    )


def _season(traits: Traits, hours: Hours) -> Values:
    days_from_peak = hours / DAY - traits.season_peak
    return -traits.season_strength * np.cos(2 * np.pi * days_from_peak / 365.25)


def _reaction_to_price(traits: Traits, offered: Hours, coupon_percent: Hours) -> Values:
    """Return the effect of the price on the log rank over two and a half days.

    A cheaper product sells better. Both arguments have the rows of `_felt_hours`.
    """
    paid = offered * (1 - coupon_percent / 100)
    relative: Values = np.log(paid / traits.base_price).mean(axis=0)
    return _ELASTICITY * relative


def _reaction_to_stock(out: Spell, suppressed: Truths) -> Values:
    """Return the effect of stock on the log rank: worse while nothing is sold, then recovering."""
    while_out = np.where(out.active, np.minimum(1.3, out.since / DAY * 0.5), 0.0)
    afterwards = np.where(out.past >= 0, 0.9 * np.exp(-out.past / 40), 0.0)
    reaction: Values = while_out + afterwards + 0.5 * suppressed
    return reaction


def _rating(traits: Traits, hours: Hours) -> Hours:
    usual = draw_between(traits.key, 80, 38.5, 47.5)
    return np.rint(usual + 1.1 * draw_wave(traits.key, 81, hours, 90 * DAY)).astype(np.int64)


def _ratings_count(traits: Traits, hours: Hours) -> Hours:
    """Return the count of ratings: it only grows, except for the product purged once a year."""
    # The slope is always positive.
    days: Values = hours / DAY + 8 * np.sin(2 * np.pi * hours / YEAR)
    if traits.fate is Fate.NEWCOMER:
        return np.maximum(days / 400, 1).astype(np.int64)
    a_day = math.exp(draw_between(traits.key, 82, math.log(0.3), math.log(9)))
    start = draw_between(traits.key, 83, 150, 4_000)
    if traits.fate is Fate.PURGED:
        since_purge: Values = (hours + int(draw_trait(traits.key, 84) * YEAR)) % YEAR / YEAR
        return (start * (1 + 0.6 * since_purge)).astype(np.int64)
    return np.maximum(start + a_day * days, 0).astype(np.int64)


def _is_gone(traits: Traits, hours: Hours) -> Truths:
    second_half = hours % _GONE_CYCLE >= _GONE_CYCLE // 2
    if traits.fate is Fate.VANISHING:
        return second_half
    if traits.fate is Fate.RETURNING:
        return ~second_half
    return np.zeros(hours.shape, dtype=np.bool_)


def _listing_variant(traits: Traits, hours: Hours) -> Hours:
    """Return the number of listing changes so far: one in 70 to 170 days."""
    every = int(draw_between(traits.key, 90, 70 * DAY, 170 * DAY))
    return np.floor_divide(hours + int(draw_trait(traits.key, 91) * every), every)


def _whole(values: Values) -> Hours:
    return np.rint(np.maximum(values, 1)).astype(np.int64)
