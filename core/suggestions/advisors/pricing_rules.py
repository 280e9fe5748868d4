"""Rules that propose a price or a coupon. Pure.

Each rule compares a product with its own history or with competitors that the team chose,
never with a whole category. Flagged prices, old ones and those in another currency are not
among the figures, so no rule can use them. A product gets one proposal at most.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, floor

from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_price
from core.history.observation import Availability
from core.suggestions.evidence.lookup import EvidenceLookup
from core.suggestions.rules import Advice, Change, Direction, Facts, Metric, ProposedAction
from core.text.numbers import format_rank
from core.tracking.price_caps.rules import PriceCaps


@dataclass(frozen=True, slots=True)
class PriceRule:
    """The limits from which a price is worth a review."""

    long_days: int = 45  # of the last 90 with a price; with fewer there is no usual price
    short_days: int = 14  # of the last 30 with a rank
    above_usual: float = 1.08  # price now / usual price
    below_usual: float = 0.93
    above_competitors: float = 1.10  # price now / median of the competitors
    below_competitors: float = 0.95  # price now / cheapest competitor
    rank_worse: float = 1.2  # rank of 30 days / rank of 90 days
    rank_much_worse: float = 1.5
    fewest_competitors: int = 2  # with a price; one alone may be an exception
    better_rated: float = 3  # tenths of a star that justify a higher price
    out_of_stock: float = 5.0  # percent of the period
    scarce_raise: float = 1.05
    coupon_percent: int = 5
    least_move: float = 0.02  # share of the price: less is not worth a review


USUAL_RULE = PriceRule()


def advise_price(lookup: EvidenceLookup, rule: PriceRule = USUAL_RULE) -> Advice | None:
    """Return the first rule's proposal for the price; None without a current price."""
    if lookup.facts.price is None:
        return None
    return next(
        (advice for find in _RULES if (advice := find(lookup, rule)) is not None),
        None,
    )


def find_scarce_stock(lookup: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """Propose a higher price if stock is limited and ran out before."""
    facts, price = lookup.facts, lookup.facts.price or 0
    found = lookup.find_numbers("out_of_stock_90", "stock_days_90", "price_high_90")
    if facts.availability != Availability.LIMITED or found is None:
        return None
    out_of_stock, days, high = found
    if out_of_stock < rule.out_of_stock or days < rule.long_days:
        return None
    target = min(price * rule.scarce_raise, high)
    reasoning = (
        f"Stock is limited now, and the product was out of stock for {out_of_stock:g} % of the "
        "last 90 days. A slightly higher price makes the stock last until it is restocked."
    )
    keys = ("price_now", "availability_now", "stock_left_now", "out_of_stock_90", "price_high_90")
    return _make_price_advice(
        lookup, rule, target, reasoning, keys, Metric.IN_STOCK_SHARE, Direction.RISES, 0.5
    )


def find_price_above_usual(lookup: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """Propose the usual price if the price is above it and the rank worse than usual."""
    found = _read_own_history(lookup, rule)
    if found is None:
        return None
    usual, rank_now, rank_usual = found
    price, ratio = lookup.facts.price or 0, rank_now / rank_usual
    if price < usual * rule.above_usual or ratio < rule.rank_worse:
        return None
    reasoning = (
        f"The price is {_percent(price, usual)} above its usual {_money(lookup, usual)} of the "
        f"last 90 days, and the rank of the last 30 days, {format_rank(rank_now)}, is worse than "
        f"its usual {format_rank(rank_usual)}."
    )
    keys = ("price_now", "price_median_90", "bsr_median_30", "bsr_median_90", "bsr_now")
    confidence = 0.75 if ratio >= rule.rank_much_worse else 0.6
    return _make_price_advice(
        lookup, rule, usual, reasoning, keys, Metric.BSR, Direction.IMPROVES, confidence
    )


def find_price_above_competitors(lookup: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """Propose the competitors' median price if they are cheaper, ranked better, rated as well."""
    price, prices = lookup.facts.price or 0, lookup.list_competitor_keys("price")
    theirs, low = lookup.find_median(prices), lookup.find_number("price_low_90")
    if theirs is None or low is None or len(prices) < rule.fewest_competitors:
        return None
    if (
        not lookup.has_at_least("price_days_90", rule.long_days)
        or price < theirs * rule.above_competitors
    ):
        return None
    before, ratings = lookup.list_better_ranked(), lookup.list_competitor_keys("rating")
    rating, usual_rating = lookup.find_number("rating_now"), lookup.find_median(ratings)
    if len(before) < rule.fewest_competitors or _is_better_rated(rating, usual_rating, rule):
        return None
    reasoning = (
        f"The price is {_percent(price, theirs)} above the {_money(lookup, theirs)} median of the "
        f"chosen competitors, {len(before)} of them rank better in the same category, and the "
        "rating does not justify a higher price."
    )
    ranks = [f"{each}_bsr" for each in before]
    keys = ("price_now", "price_low_90", *prices, "bsr_now", *ranks, "rating_now", *ratings)
    target = max(theirs, low)
    return _make_price_advice(
        lookup, rule, target, reasoning, keys, Metric.BSR, Direction.IMPROVES, 0.6
    )


def _is_better_rated(own: float | None, theirs: float | None, rule: PriceRule) -> bool:
    """Return whether a rating justifies a higher price; an unknown one may."""
    return own is None or theirs is None or own - theirs >= rule.better_rated


def find_price_below_need(lookup: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """Propose a higher price if the product is the cheapest by far and ranks best."""
    price, usual = lookup.facts.price or 0, lookup.find_number("price_median_90")
    prices, ranks = lookup.list_competitor_keys("price"), lookup.list_competitor_keys("bsr")
    theirs = [number for number in map(lookup.find_number, prices) if number is not None]
    if (
        usual is None
        or len(theirs) < rule.fewest_competitors
        or len(ranks) < rule.fewest_competitors
    ):
        return None
    if not lookup.has_at_least("price_days_90", rule.long_days) or lookup.list_better_ranked():
        return None
    if price > min(theirs) * rule.below_competitors or price > usual * rule.below_usual:
        return None
    reasoning = (
        f"The price is {_percent(min(theirs), price)} below the cheapest chosen competitor and "
        f"below its usual {_money(lookup, usual)}, and the product ranks better than all of them."
    )
    keys = ("price_now", "price_median_90", *prices, "bsr_now", *ranks)
    target = min(usual, min(theirs))
    return _make_price_advice(
        lookup, rule, target, reasoning, keys, Metric.PRICE, Direction.RISES, 0.5
    )


def find_discount_without_effect(lookup: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """Propose the usual price if weeks of a lower one have not improved the rank."""
    found, month = _read_own_history(lookup, rule), lookup.find_number("price_median_30")
    if found is None or month is None:
        return None
    usual, rank_now, rank_usual = found
    price = lookup.facts.price or 0
    if max(price, month) > usual * rule.below_usual or rank_now < rank_usual:
        return None
    reasoning = (
        f"For most of 30 days the price has been below its usual {_money(lookup, usual)}, and the "
        f"rank, {format_rank(rank_now)}, is no better than its usual {format_rank(rank_usual)}: "
        "the discount costs margin without improving the rank."
    )
    keys = ("price_now", "price_median_30", "price_median_90", "bsr_median_30", "bsr_median_90")
    return _make_price_advice(
        lookup, rule, usual, reasoning, keys, Metric.PRICE, Direction.RISES, 0.5
    )


def find_coupon_trial(lookup: EvidenceLookup, rule: PriceRule) -> Advice | None:
    """Propose a coupon, to try a lower price, if the rank is much worse at the usual price."""
    found, price = _read_own_history(lookup, rule), lookup.facts.price or 0
    out_of_stock = lookup.find_number("out_of_stock_30")
    if found is None or out_of_stock is None or out_of_stock > rule.out_of_stock:
        return None
    if lookup.find_number("coupon_now"):
        return None
    usual, rank_now, rank_usual = found
    is_usual = usual * rule.below_usual < price < usual * rule.above_usual
    paid = price - floor(price * rule.coupon_percent / 100)
    if not is_usual or rank_now < rank_usual * rule.rank_much_worse:
        return None
    if lookup.facts.caps.find_problem(price, paid):
        return None
    reasoning = (
        f"The rank of the last 30 days, {format_rank(rank_now)}, is much worse than its usual "
        f"{format_rank(rank_usual)}, at the usual price and in stock. A coupon can be ended "
        "without a change in the price history."
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
        evidence=lookup.cite(*keys),
        actions=(proposed,),
    )


Find = Callable[[EvidenceLookup, PriceRule], Advice | None]
_RULES: tuple[Find, ...] = (
    find_scarce_stock,
    find_price_above_usual,
    find_price_above_competitors,
    find_price_below_need,
    find_discount_without_effect,
    find_coupon_trial,
)


def _read_own_history(lookup: EvidenceLookup, rule: PriceRule) -> tuple[float, float, float] | None:
    """Return the usual price, the median rank of 30 and of 90 days; None if history is short."""
    enough = (
        lookup.has_at_least("price_days_90", rule.long_days)
        and lookup.has_at_least("rank_days_90", rule.long_days)
        and lookup.has_at_least("rank_days_30", rule.short_days)
    )
    found = lookup.find_numbers("price_median_90", "bsr_median_30", "bsr_median_90")
    return (found[0], found[1], found[2]) if enough and found is not None else None


def _make_price_advice(
    lookup: EvidenceLookup,
    rule: PriceRule,
    target: float,
    reasoning: str,
    keys: tuple[str, ...],
    metric: Metric,
    direction: Direction,
    confidence: float,
) -> Advice | None:
    """Return advice for a price near the target, None if the price caps allow no such move."""
    facts = lookup.facts
    now, then = facts.price or 0, find_allowed_price(facts, target)
    if then is None or abs(then - now) < rule.least_move * now or (then > now) != (target > now):
        return None
    verb = "Raise" if then > now else "Lower"
    return Advice(
        title=f"{verb} the price from {_money(lookup, now)} to {_money(lookup, then)}",
        reasoning=reasoning,
        priority=2,
        confidence=confidence,
        metric=metric,
        direction=direction,
        window_days=14,
        evidence=lookup.cite(*keys),
        actions=(ProposedAction(Change.UPDATE_PRICE, {"price": now}, {"price": then}, reasoning),),
    )


# A price inside the caps


def find_allowed_price(facts: Facts, target: float) -> int | None:
    """Return the price nearest to a target that the caps allow, None if they allow none.

    It keeps the last digits of the current price (19.99 becomes 18.99) if the caps allow it.
    """
    now = facts.price
    if now is None:
        return None
    low, high = get_price_bounds(facts.caps, now)
    if low > high:
        return None
    nearest = min(max(round(target), low), high)
    same_ending = [each for each in _same_ending(facts, nearest) if low <= each <= high]
    chosen = min(same_ending, key=lambda each: abs(each - nearest), default=nearest)
    return None if facts.caps.find_problem(now, chosen) else chosen


def get_price_bounds(caps: PriceCaps, now: int) -> tuple[int, int]:
    """Return the lowest and highest allowed price, both included. Low > high: none is allowed."""
    step = caps.step_percent * now / 100
    low, high = max(1, ceil(now - step)), floor(now + step)
    if caps.floor is not None:
        low = max(low, caps.floor)
    return low, high if caps.ceiling is None else min(high, caps.ceiling)


def _same_ending(facts: Facts, nearest: int) -> Iterator[int]:
    """Return the next prices below and above that end like the current price."""
    unit = 100 if get_marketplace(facts.marketplace).decimals else 10
    below = nearest - (nearest - (facts.price or 0)) % unit
    yield from (below, below + unit)


# Text


def _money(lookup: EvidenceLookup, minor: float) -> str:
    return format_price(round(minor), lookup.facts.marketplace)


def _percent(more: float, less: float) -> str:
    return f"{round((more / less - 1) * 100)} %"
