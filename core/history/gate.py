"""The quality gate: what can't be right, said with its reason. Pure; stores nothing.

A product is compared with its own accepted past, never with others. A value
that contradicts it is stored, drawn as doubtful and raises nothing, until a
second observation confirms it. With no past there is no opinion.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from core.history.observation import Flag, Observation

# Which flags make which value doubtful. Plain integers: `&` of two enum members
# costs fifty times as much, and this runs for every look there is.
PRICE_FLAGS = int(Flag.PRICE_JUMP | Flag.PRICE_ZERO | Flag.CURRENCY_MISMATCH | Flag.STALE_VALUE)
RANK_FLAGS = int(Flag.RANK_INVALID)
RATING_FLAGS = int(Flag.RATING_OUT_OF_RANGE)
COUNT_FLAGS = int(Flag.RATINGS_COLLAPSED)
_JUMP = int(Flag.PRICE_JUMP)
_COLLAPSED = int(Flag.RATINGS_COLLAPSED)
_STALE = int(Flag.STALE_VALUE)
_NOT_COMPARED = PRICE_FLAGS & ~_JUMP

EARLIEST = datetime(1995, 7, 1, tzinfo=UTC)  # Amazon sold its first book that month


@dataclass(frozen=True, slots=True)
class GateRule:
    """When a value contradicts a product's own past."""

    jump_factor: int = 20  # a slip of ×100 stays visible through any usual price step
    collapse_share: float = 0.2  # of the ratings count lost from one look to the next
    collapse_floor: int = 20  # fewer ratings than this: losing some is ordinary
    agree_within: float = 0.1  # two doubtful values this close (as a share) confirm each other
    clock_skew: timedelta = timedelta(minutes=10)


USUAL_RULE = GateRule()


@dataclass(frozen=True, slots=True)
class Pending:
    """A doubtful value that waits for a second observation."""

    flag: int  # one bit of Flag
    value: int
    captured_at: datetime
    source: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values for storing."""
        at = self.captured_at.isoformat()
        return {"flag": self.flag, "value": self.value, "at": at, "source": self.source}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Pending":
        """Return what `as_json` stored."""
        at = datetime.fromisoformat(stored["at"])
        return cls(stored["flag"], stored["value"], at, stored["source"])


def pending_of(
    flags: int | None,
    price: int | None,
    ratings_count: int | None,
    captured_at: datetime | None,
    source: int | None,
) -> tuple[Pending, ...]:
    """Return the doubts of a stored snapshot that a next look may confirm; None: no snapshot."""
    if flags is None or captured_at is None or source is None:
        return ()
    doubtful = ((_JUMP, price), (_COLLAPSED, ratings_count), (_STALE, price))
    return tuple(
        Pending(flag, value, captured_at, source)
        for flag, value in doubtful
        if flags & flag and value is not None
    )


@dataclass(frozen=True, slots=True)
class Reference:
    """A product's accepted past, as far as the gate looks back. None: not known yet."""

    price: int | None = None  # minor units of the marketplace's currency
    ratings_count: int | None = None
    pending: tuple[Pending, ...] = ()

    def or_else(self, earlier: "Reference") -> "Reference":
        """Return this past, with what it does not know taken from an earlier one."""
        price = earlier.price if self.price is None else self.price
        count = earlier.ratings_count if self.ratings_count is None else self.ratings_count
        return Reference(price, count, self.pending)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says of one observation."""

    flags: int  # bits of Flag
    confirmed: tuple[Pending, ...]  # earlier doubts that this observation lifts
    reference: Reference  # the past as the next observation finds it


def refuse(observation: Observation, now: datetime, rule: GateRule = USUAL_RULE) -> str | None:
    """Return why an observation can't be stored at all, or None when it can."""
    if observation.captured_at > now + rule.clock_skew:
        return "Its time lies in the future. Check the file's time and time zone."
    if observation.captured_at < EARLIEST:
        return "Its time lies before Amazon sold anything. Check the file's time."
    if not _fits(observation):
        return "It holds a number that no product has. Check the file's columns and numbers."
    return None


# Beyond this a number drawn on a chart (float64) is no longer the number stored.
_LARGEST_AMOUNT = 2**53
_LARGEST_COUNT = 2**31 - 1
_LARGEST_SHARE = 2**15 - 1  # percent, and tenths of a star
_amounts_of = attrgetter(
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
_counts_of = attrgetter("ratings_count", "reviews_count", "stock_left", "offers_new", "offers_used")
_shares_of = attrgetter("coupon_percent", "rating")


def _fits(observation: Observation) -> bool:
    """Return whether every number has room where it is stored."""
    ranks = [ranked.rank for ranked in observation.ranks]
    return (
        _within(_amounts_of(observation), _LARGEST_AMOUNT)
        and _within(_counts_of(observation), _LARGEST_COUNT)
        and _within(_shares_of(observation), _LARGEST_SHARE)
        and _within(ranks, _LARGEST_COUNT)
    )


def _within(numbers: Iterable[int | None], largest: int) -> bool:
    return all(-largest <= number <= largest for number in numbers if number is not None)


def judge(
    observation: Observation, reference: Reference, currency: str, rule: GateRule = USUAL_RULE
) -> Judgement:
    """Return the flags of an observation, what it confirms, and the past after it.

    `currency` is the marketplace's.
    """
    flags = int(observation.flags) | _own_flags(observation, currency)
    doubts: list[Pending] = []
    confirmed: list[Pending] = []
    for flag, value in _contradictions(observation, flags, reference, rule):
        earlier = _agreeing(reference.pending, flag, value, rule)
        if earlier is None:
            flags |= flag
            doubts.append(Pending(flag, value, observation.captured_at, int(observation.source)))
        else:
            confirmed.append(earlier)
    confirmed += _no_longer_stale(observation, flags, reference, rule)
    if flags & _STALE and observation.price is not None:
        at, source = observation.captured_at, int(observation.source)
        doubts.append(Pending(_STALE, observation.price, at, source))
    return Judgement(flags, tuple(confirmed), _next(observation, flags, reference, tuple(doubts)))


def without_zero_amounts(observation: Observation) -> Observation:
    """Return the observation with prices of 0 or less as unknown, flagged.

    A scraper's 0 means "no price"; stored as an amount it would be a bargain.
    """
    if observation.price is None or observation.price > 0:
        return observation
    return replace(
        observation,
        price=None,
        price_basis=None,
        buy_box_price=None,
        flags=observation.flags | Flag.PRICE_ZERO,
    )


def _own_flags(observation: Observation, currency: str) -> int:
    """Return what is wrong with the values by themselves, without any past."""
    flags = 0
    if observation.currency is not None and observation.currency != currency:
        flags |= int(Flag.CURRENCY_MISMATCH)
    if observation.rating is not None and not 0 < observation.rating <= 50:
        flags |= int(Flag.RATING_OUT_OF_RANGE)
    if observation.ranks and observation.ranks[0].rank < 1:
        flags |= int(Flag.RANK_INVALID)
    if observation.list_price is not None and observation.list_price <= 0:
        flags |= int(Flag.LIST_PRICE_INVALID)
    return flags


def _contradictions(
    observation: Observation, flags: int, reference: Reference, rule: GateRule
) -> list[tuple[int, int]]:
    """Return the values that contradict the past, each with its flag."""
    found: list[tuple[int, int]] = []
    price, usual = observation.price, reference.price
    if price and usual and not flags & PRICE_FLAGS and _is_jump(price, usual, rule):
        found.append((_JUMP, price))
    count, known = observation.ratings_count, reference.ratings_count
    if count is not None and known is not None and _is_collapse(count, known, rule):
        found.append((_COLLAPSED, count))
    return found


def _is_jump(price: int, usual: int, rule: GateRule) -> bool:
    return price >= usual * rule.jump_factor or price * rule.jump_factor <= usual


def _is_collapse(count: int, known: int, rule: GateRule) -> bool:
    return known >= rule.collapse_floor and count < known * (1 - rule.collapse_share)


def _agreeing(
    pending: tuple[Pending, ...], flag: int, value: int, rule: GateRule
) -> Pending | None:
    """Return the waiting doubt that this value confirms, if there is one."""
    for doubt in pending:
        if doubt.flag == flag and _agree(doubt.value, value, rule):
            return doubt
    return None


def _no_longer_stale(
    observation: Observation, flags: int, reference: Reference, rule: GateRule
) -> list[Pending]:
    """Return the stale values that a fresh look now sees as well."""
    if not reference.pending or observation.price is None or flags & PRICE_FLAGS:
        return []
    earlier = _agreeing(reference.pending, _STALE, observation.price, rule)
    return [earlier] if earlier else []


def _agree(one: int, other: int, rule: GateRule) -> bool:
    return abs(one - other) <= rule.agree_within * max(one, other)


def _next(
    observation: Observation, flags: int, reference: Reference, doubts: tuple[Pending, ...]
) -> Reference:
    """Return the past after this observation: accepted values, and doubts still waiting."""
    price, count = reference.price, reference.ratings_count
    if observation.price is not None and not flags & PRICE_FLAGS:
        price = observation.price
    if observation.ratings_count is not None and not flags & COUNT_FLAGS:
        count = observation.ratings_count
    if not doubts and not reference.pending:
        return Reference(price, count)
    waiting = _still_waiting(observation, flags, reference.pending)
    fresh = {doubt.flag for doubt in doubts}
    return Reference(price, count, (*(w for w in waiting if w.flag not in fresh), *doubts))


def _still_waiting(
    observation: Observation, flags: int, pending: tuple[Pending, ...]
) -> list[Pending]:
    """Return the doubts that this observation says nothing about."""
    settled = 0
    # A repeated old price, or one in another currency, neither confirms nor refutes.
    if observation.price is not None and not flags & _NOT_COMPARED:
        settled |= _JUMP | _STALE
    if observation.ratings_count is not None:
        settled |= _COLLAPSED
    return [doubt for doubt in pending if not doubt.flag & settled]
