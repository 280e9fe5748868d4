"""When a product's price deserves a change. Pure.

Each rule compares a product with its own past or with competitors that somebody chose,
never with all of a category. Prices that are doubtful, old or in another currency are
not among the figures, so no rule can rest on one. One product gets one proposal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, floor

from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_price
from core.history.observation import Availability
from core.suggestions.evidence.lookup import EvidenceLookup
from core.suggestions.rules import (
    Advice,
    Change,
    Direction,
    Facts,
    Metric,
    PriceCaps,
    ProposedAction,
)
from core.text.numbers import format_rank


@dataclass(frozen=True, slots=True)
class PriceRule:
    """From when on a price is worth a manager's time."""

    long_days: int = 45  # of the last 90 with a price: fewer, and nothing is usual yet
    short_days: int = 14  # of the last 30 with a rank
    above_usual: float = 1.08  # price now / usual price
    below_usual: float = 0.93
    above_rivals: float = 1.10  # price now / median of the competitors
    below_rivals: float = 0.95  # price now / cheapest competitor
    rank_worse: float = 1.2  # rank of 30 days / rank of 90 days
    rank_much_worse: float = 1.5
    rivals: int = 2  # competitors with a price; one alone may be an exception
    better_rated: float = 3  # tenths of a star that make a higher price fair
    out_of_stock: float = 5.0  # percent of 90 days
    scarce_raise: float = 1.05
    coupon_percent: int = 5
    least_move: float = 0.02  # of the price: less is not worth a review


USUAL_RULE = PriceRule()


def advise_price(known: EvidenceLookup, rule: PriceRule = USUAL_RULE) -> Advice | None:
    """Return the first opinion on the price, or None. Without a current price there is none."""
    if known.facts.price is None:
        return None
    return next(
        (advice for find in _RULES if (advice := find(known, rule)) is not None),
        None,
    )


def find_scarce(known: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """Stock is short and ran out before: a higher price makes it last."""
    facts, price = known.facts, known.facts.price or 0
    found = known.numbers("out_of_stock_90", "stock_days_90", "price_high_90")
    if facts.availability != Availability.LIMITED or found is None:
        return None
    away, days, high = found
    if away < rule.out_of_stock or days < rule.long_days:
        return None
    target = min(price * rule.scarce_raise, high)
    reasoning = (
        f"Stock is limited now, and the product was out of stock for {away:g} % of the last "
        "90 days. Selling the rest a little dearer bridges the time until it is restocked."
    )
    keys = ("price_now", "availability_now", "stock_left_now", "out_of_stock_90", "price_high_90")
    return _moved(known, rule, target, reasoning, keys, Metric.IN_STOCK_SHARE, Direction.RISES, 0.5)


def find_dearer_than_usual(known: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """The price is above its own usual one, and since then the rank is worse than usual."""
    found = _own_past(known, rule)
    if found is None:
        return None
    usual, rank_now, rank_usual = found
    price, ratio = known.facts.price or 0, rank_now / rank_usual
    if price < usual * rule.above_usual or ratio < rule.rank_worse:
        return None
    reasoning = (
        f"The price is {_percent(price, usual)} above its usual {_money(known, usual)} of the last "
        f"90 days, and the rank of the last 30 days, {format_rank(rank_now)}, is worse than its "
        f"usual {format_rank(rank_usual)}."
    )
    keys = ("price_now", "price_median_90", "bsr_median_30", "bsr_median_90", "bsr_now")
    sure = 0.75 if ratio >= rule.rank_much_worse else 0.6
    return _moved(known, rule, usual, reasoning, keys, Metric.BSR, Direction.IMPROVES, sure)


def find_dearer_than_rivals(known: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """Most competitors are cheaper, better ranked and no worse rated."""
    price, prices = known.facts.price or 0, known.keys_of_competitors("price")
    theirs, low = known.median_of(prices), known.number("price_low_90")
    if theirs is None or low is None or len(prices) < rule.rivals:
        return None
    if not known.has("price_days_90", rule.long_days) or price < theirs * rule.above_rivals:
        return None
    before, ratings = known.better_ranked(), known.keys_of_competitors("rating")
    rating, usual_rating = known.number("rating_now"), known.median_of(ratings)
    if len(before) < rule.rivals or _is_better_rated(rating, usual_rating, rule):
        return None
    reasoning = (
        f"The price is {_percent(price, theirs)} above the {_money(known, theirs)} that chosen "
        f"competitors ask in the middle, {len(before)} of them rank better in the same category, "
        "and the rating is no reason to pay more."
    )
    ranks = [f"{each}_bsr" for each in before]
    keys = ("price_now", "price_low_90", *prices, "bsr_now", *ranks, "rating_now", *ratings)
    target = max(theirs, low)
    return _moved(known, rule, target, reasoning, keys, Metric.BSR, Direction.IMPROVES, 0.6)


def _is_better_rated(own: float | None, theirs: float | None, rule: PriceRule) -> bool:
    """Return whether a rating explains a higher price; one that is unknown may."""
    return own is None or theirs is None or own - theirs >= rule.better_rated


def find_cheaper_than_needed(known: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """It is the cheapest by far and ranks before all competitors: it would sell dearer."""
    price, usual = known.facts.price or 0, known.number("price_median_90")
    prices, ranks = known.keys_of_competitors("price"), known.keys_of_competitors("bsr")
    theirs = [number for number in map(known.number, prices) if number is not None]
    if usual is None or len(theirs) < rule.rivals or len(ranks) < rule.rivals:
        return None
    if not known.has("price_days_90", rule.long_days) or known.better_ranked():
        return None
    if price > min(theirs) * rule.below_rivals or price > usual * rule.below_usual:
        return None
    reasoning = (
        f"The price is {_percent(min(theirs), price)} below the cheapest chosen competitor and "
        f"below its usual {_money(known, usual)}, and the product ranks before all of them."
    )
    keys = ("price_now", "price_median_90", *prices, "bsr_now", *ranks)
    target = min(usual, min(theirs))
    return _moved(known, rule, target, reasoning, keys, Metric.PRICE, Direction.RISES, 0.5)


def find_discount_without_effect(known: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """It has been cheaper than usual for weeks, and the rank is no better for it."""
    found, month = _own_past(known, rule), known.number("price_median_30")
    if found is None or month is None:
        return None
    usual, rank_now, rank_usual = found
    price = known.facts.price or 0
    if max(price, month) > usual * rule.below_usual or rank_now < rank_usual:
        return None
    reasoning = (
        f"For most of 30 days the price has been below its usual {_money(known, usual)}, and the "
        f"rank, {format_rank(rank_now)}, is no better than its usual {format_rank(rank_usual)}: "
        "the discount costs margin and brings nothing."
    )
    keys = ("price_now", "price_median_30", "price_median_90", "bsr_median_30", "bsr_median_90")
    return _moved(known, rule, usual, reasoning, keys, Metric.PRICE, Direction.RISES, 0.5)


def find_coupon(known: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """The rank is much worse than usual at the usual price: a coupon tells what price would do."""
    found, price = _own_past(known, rule), known.facts.price or 0
    away = known.number("out_of_stock_30")
    if found is None or away is None or away > rule.out_of_stock or known.number("coupon_now"):
        return None
    usual, rank_now, rank_usual = found
    is_usual = usual * rule.below_usual < price < usual * rule.above_usual
    paid = price - floor(price * rule.coupon_percent / 100)
    if not is_usual or rank_now < rank_usual * rule.rank_much_worse:
        return None
    if known.facts.caps.problem(price, paid):
        return None
    reasoning = (
        f"The rank of the last 30 days, {format_rank(rank_now)}, is much worse than its usual "
        f"{format_rank(rank_usual)}, at the usual price and with stock. A coupon can be taken "
        "back without a trace in the price."
    )
    keys = ("bsr_median_30", "bsr_median_90", "price_now", "price_median_90", "out_of_stock_30")
    percent = rule.coupon_percent
    proposed = ProposedAction(Change.SET_COUPON, {"percent": None}, {"percent": percent}, reasoning)
    return Advice(
        title=f"Try a coupon of {percent} %",
        reasoning=reasoning,
        priority=3,
        confidence=0.45,
        metric=Metric.BSR,
        direction=Direction.IMPROVES,
        window_days=14,
        evidence=known.cite(*keys),
        actions=(proposed,),
    )


Find = Callable[[EvidenceLookup, PriceRule], Advice | None]
_RULES: tuple[Find, ...] = (
    find_scarce,
    find_dearer_than_usual,
    find_dearer_than_rivals,
    find_cheaper_than_needed,
    find_discount_without_effect,
    find_coupon,
)


def _own_past(known: EvidenceLookup, rule: PriceRule) -> tuple[float, float, float] | None:
    """Return usual price, rank of 30 and of 90 days; None with too little history."""
    enough = (
        known.has("price_days_90", rule.long_days)
        and known.has("rank_days_90", rule.long_days)
        and known.has("rank_days_30", rule.short_days)
    )
    found = known.numbers("price_median_90", "bsr_median_30", "bsr_median_90")
    return (found[0], found[1], found[2]) if enough and found is not None else None


def _moved(
    known: EvidenceLookup,
    rule: PriceRule,
    target: float,
    reasoning: str,
    keys: tuple[str, ...],
    metric: Metric,
    direction: Direction,
    confidence: float,
) -> Advice | None:
    """Return the proposal of a price near the target, None where the caps leave no move."""
    facts = known.facts
    now, then = facts.price or 0, price_near(facts, target)
    if then is None or abs(then - now) < rule.least_move * now or (then > now) != (target > now):
        return None
    verb = "Raise" if then > now else "Lower"
    return Advice(
        title=f"{verb} the price from {_money(known, now)} to {_money(known, then)}",
        reasoning=reasoning,
        priority=2,
        confidence=confidence,
        metric=metric,
        direction=direction,
        window_days=14,
        evidence=known.cite(*keys),
        actions=(ProposedAction(Change.UPDATE_PRICE, {"price": now}, {"price": then}, reasoning),),
    )


# A price inside the caps


def price_near(facts: Facts, target: float) -> int | None:
    """Return the price nearest to a target that the caps allow, None where they allow none.

    It ends as the price ends now (19.99 becomes 18.99) where that fits between the caps.
    """
    now = facts.price
    if now is None:
        return None
    low, high = price_bounds(facts.caps, now)
    if low > high:
        return None
    wanted = min(max(round(target), low), high)
    charming = [each for each in _same_ending(facts, wanted) if low <= each <= high]
    chosen = min(charming, key=lambda each: abs(each - wanted), default=wanted)
    return None if facts.caps.problem(now, chosen) else chosen


def price_bounds(caps: PriceCaps, now: int) -> tuple[int, int]:
    """Return the lowest and the highest allowed price, both included; low > high: none."""
    step = caps.step_percent * now / 100
    low, high = max(1, ceil(now - step)), floor(now + step)
    if caps.floor is not None:
        low = max(low, caps.floor)
    return low, high if caps.ceiling is None else min(high, caps.ceiling)


def _same_ending(facts: Facts, wanted: int) -> Iterator[int]:
    """Return the nearest prices below and above that end like the price now."""
    unit = 100 if get_marketplace(facts.marketplace).decimals else 10
    below = wanted - (wanted - (facts.price or 0)) % unit
    yield from (below, below + unit)


# Words


def _money(known: EvidenceLookup, minor: float) -> str:
    return format_price(round(minor), known.facts.marketplace)


def _percent(more: float, less: float) -> str:
    return f"{round((more / less - 1) * 100)} %"
