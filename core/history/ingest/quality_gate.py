"""The quality gate: which values can't be right, each with its reason. Pure; stores nothing.

A product is compared with its own accepted past, never with others. A value that
contradicts it, upwards or downwards, is stored and flagged, and raises nothing
until a second observation agrees. Where the next one contradicts it instead, it
stays flagged, and the next one is compared with the accepted value before it.

The flags of a product depend on its observations in the order of their times
only: `core/history/ingest/replay.py` judges again what a late one changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final, NamedTuple

from core.history.observation import Confirmed, Flag, Kind, Observation

# Which flags make which value doubtful. Plain integers: `&` of two enum members
# costs fifty times as much, and this runs for every observation there is.
PRICE_FLAGS: Final = int(
    Flag.PRICE_JUMP
    | Flag.PRICE_ZERO
    | Flag.CURRENCY_MISMATCH
    | Flag.STALE_VALUE
    | Flag.PRICE_IMPLAUSIBLE
)
LIST_PRICE_FLAGS: Final = int(Flag.LIST_PRICE_INVALID | Flag.CURRENCY_MISMATCH)
RANK_FLAGS: Final = int(Flag.RANK_INVALID | Flag.RANK_SPIKE)
RATING_FLAGS: Final = int(Flag.RATING_OUT_OF_RANGE)
COUNT_FLAGS: Final = int(Flag.RATINGS_COLLAPSED | Flag.RATINGS_JUMPED)
ALL_FLAGS: Final = sum(int(flag) for flag in Flag)  # without the bits of `Confirmed`

_JUMP: Final = int(Flag.PRICE_JUMP)
_IMPLAUSIBLE: Final = int(Flag.PRICE_IMPLAUSIBLE)
_COLLAPSED: Final = int(Flag.RATINGS_COLLAPSED)
_JUMPED: Final = int(Flag.RATINGS_JUMPED)
_SPIKE: Final = int(Flag.RANK_SPIKE)
_STALE: Final = int(Flag.STALE_VALUE)
_DISAGREE: Final = int(Flag.AMOUNTS_DISAGREE)
_OF_PRICE: Final = _JUMP | _IMPLAUSIBLE
_OF_COUNT: Final = _COLLAPSED | _JUMPED
# A price so flagged is neither compared nor does it settle a doubt.
NOT_COMPARED: Final = PRICE_FLAGS & ~_OF_PRICE

# About ten US cents. Below it stand counts, shares and slips, seldom prices.
_SMALLEST_PRICES: Final[Mapping[str, int]] = {
    "USD": 10, "CAD": 13, "MXN": 180, "BRL": 50, "GBP": 8, "EUR": 9, "SEK": 100, "PLN": 38,
    "TRY": 400, "AED": 37, "SAR": 37, "EGP": 480, "ZAR": 180, "INR": 850, "JPY": 15,
    "AUD": 15, "SGD": 13,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GateRule:
    """When a value contradicts a product's own past."""

    jump_factor: int = 20  # of prices: a slip of ×100 shows through any usual price step
    agree_within: float = 0.1  # two prices this close (as a share) confirm each other
    count_factor: float = 1.25  # of ratings counts, both ways: 1,000 → 799 or 1,271
    count_floor: int = 20  # ratings; losing or gaining fewer than these is ordinary
    rank_factor: int = 50  # a sale lifts a slow rank by ×10; a number cut short by ×1,000
    # A series of changes repeats a value until it changes: held so long, it is confirmed.
    hold: timedelta = timedelta(days=1)


USUAL_RULE = GateRule()


class GatedValues(NamedTuple):
    """What the gate looks at in one observation; None: no value."""

    captured_at: datetime
    source: int
    kind: int
    flags: int  # what is wrong with it without any past, see `values_of`
    price: int | None
    ratings_count: int | None
    rank: int | None  # of the main category
    category: int | None  # ranks of different categories are never compared


class UnconfirmedValue(NamedTuple):
    """A flagged value that waits for a second observation."""

    flag: int  # bits of Flag that a second observation lifts
    value: int
    captured_at: datetime
    source: int
    kind: int = int(Kind.SAMPLE)
    category: int | None = None  # of a rank

    def as_json(self) -> dict[str, Any]:
        """Return plain values for storing."""
        stored: dict[str, Any] = {
            "flag": self.flag,
            "value": self.value,
            "at": self.captured_at.isoformat(),
            "source": self.source,
            "kind": self.kind,
        }
        return stored if self.category is None else stored | {"category": self.category}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "UnconfirmedValue":
        """Return what `as_json` stored."""
        return cls(
            stored["flag"],
            stored["value"],
            datetime.fromisoformat(stored["at"]),
            stored["source"],
            stored.get("kind", int(Kind.SAMPLE)),
            stored.get("category"),
        )


class Reference(NamedTuple):
    """A product's accepted past, as far as the gate needs it. None: not known yet."""

    price: int | None = None  # minor units of the marketplace's currency
    ratings_count: int | None = None
    rank: int | None = None
    category: int | None = None  # of the rank
    pending: tuple[UnconfirmedValue, ...] = ()

    def or_else(self, earlier: "Reference") -> "Reference":
        """Return this past, with what it does not know taken from an earlier one."""
        of_rank = earlier if self.rank is None else self
        return Reference(
            earlier.price if self.price is None else self.price,
            earlier.ratings_count if self.ratings_count is None else self.ratings_count,
            of_rank.rank,
            of_rank.category,
            self.pending,
        )


class GateResult(NamedTuple):
    """What the gate says of one observation."""

    flags: int  # bits of Flag
    confirmed: tuple[UnconfirmedValue, ...]  # earlier values that this observation confirms
    reference: Reference  # the past as the next observation finds it


def confirmed_flags(flags: int, lifted: int) -> int:
    """Return a snapshot's flags after a second observation lifted some of them."""
    return flags & ~lifted | confirmation_of(lifted)


def confirmation_of(lifted: int) -> int:
    """Return the bits of `Confirmed` that stand for flags that were lifted."""
    bits = int(Confirmed.PRICE) if lifted & _OF_PRICE else 0
    bits |= int(Confirmed.RATINGS_COUNT) if lifted & _OF_COUNT else 0
    bits |= int(Confirmed.RANK) if lifted & _SPIKE else 0
    return bits | (int(Confirmed.STALE) if lifted & _STALE else 0)


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


def values_of(
    observation: Observation, currency: str, category: int | None, rule: GateRule = USUAL_RULE
) -> GatedValues:
    """Return what the gate looks at. `currency` is the marketplace's, `category` the rank's."""
    return GatedValues(
        observation.captured_at,
        int(observation.source),
        int(observation.kind),
        int(observation.flags) | _own_flags(observation, currency, rule),
        observation.price,
        observation.ratings_count,
        observation.ranks[0].rank if observation.ranks else None,
        category,
    )


def _own_flags(observation: Observation, currency: str, rule: GateRule) -> int:
    """Return what is wrong with the values by themselves, without any past."""
    flags = 0
    if observation.currency is not None and observation.currency != currency:
        flags |= int(Flag.CURRENCY_MISMATCH)
    if observation.rating is not None and not 0 < observation.rating <= 50:
        flags |= int(Flag.RATING_OUT_OF_RANGE)
    if observation.ranks and observation.ranks[0].rank < 1:
        flags |= int(Flag.RANK_INVALID)
    listed = observation.list_price
    is_odd = listed is not None and (listed <= 0 or _is_list_price_far(observation, rule))
    flags |= int(Flag.LIST_PRICE_INVALID) if is_odd else 0
    return flags | (_DISAGREE if amounts_disagree(observation, rule) else 0)


_amounts_of = attrgetter(
    "price", "buy_box_price", "amazon_price", "new_price", "new_fba_price", "deal_price"
)


def amounts_disagree(observation: Observation, rule: GateRule = USUAL_RULE) -> bool:
    """Return whether a row's list price and prices of new offers can't belong to one product.

    Used offers are left out: a used book for a cent beside a new one is common. So is a
    list price far below the price: it is one of a unit ("$0.17/count"), and wrong alone.
    """
    amounts = {amount for amount in _amounts_of(observation) if amount is not None and amount > 0}
    are_far = len(amounts) > 1 and _is_far(min(amounts), max(amounts), rule.jump_factor)
    price, listed = observation.price, observation.list_price
    is_above = price is not None and listed is not None and listed > price
    return are_far or (is_above and _is_list_price_far(observation, rule))


def _is_list_price_far(observation: Observation, rule: GateRule) -> bool:
    price, listed = observation.price, observation.list_price
    return bool(price and listed and listed > 0 and _is_far(price, listed, rule.jump_factor))


def check_values(
    seen: GatedValues, reference: Reference, currency: str, rule: GateRule = USUAL_RULE
) -> GateResult:
    """Return the flags of an observation, what it confirms, and the past after it."""
    fold = _Fold(seen, reference, rule)
    if seen.price is not None:
        fold.take_price(seen.price, _SMALLEST_PRICES.get(currency, 0))
    if seen.ratings_count is not None:
        fold.take_count(seen.ratings_count)
    if seen.rank is not None and not seen.flags & RANK_FLAGS:
        fold.take_rank(seen.rank)
    return fold.judgement()


class _Fold:
    """One step: what is accepted and what waits before an observation, moved on by it."""

    __slots__ = (
        "category", "confirmed", "count", "flags", "pending", "price", "rank", "rule", "seen",
    )  # fmt: skip

    def __init__(self, seen: GatedValues, reference: Reference, rule: GateRule) -> None:
        self.seen, self.rule, self.flags = seen, rule, seen.flags
        self.price, self.count, self.rank, self.category, self.pending = reference
        self.confirmed: list[UnconfirmedValue] = []

    def judgement(self) -> GateResult:
        past = Reference(self.price, self.count, self.rank, self.category, self.pending)
        return GateResult(self.flags, tuple(self.confirmed), past)

    def take_price(self, price: int, smallest: int) -> None:
        if self.flags & NOT_COMPARED:
            if self.flags & _STALE:
                self._drop(_STALE)
                self._wait(_STALE, price)
            return
        waiting = self._waiting(_OF_PRICE, price)
        if waiting is None:
            return
        if waiting and self._is_close(waiting[-1].value, price):
            self.confirmed += waiting
        else:
            flag = self._price_flag(price, smallest)
            if flag:
                self._drop(_STALE)
                self._doubt(flag, _OF_PRICE, price)
                return
        self.price = price
        self.confirmed += [
            each
            for each in self.pending
            if each.flag & _STALE and self._is_close(each.value, price)
        ]
        self._drop(_OF_PRICE | _STALE)

    def take_count(self, count: int) -> None:
        waiting = self._waiting(_OF_COUNT, count)
        if waiting is None:
            return
        flag = self._count_flag(self.count, count)
        if waiting and self._agrees_with(
            waiting, self.count, count, is_far=self._is_count_far(waiting[-1].value, count)
        ):
            self.confirmed += waiting
        elif flag:
            self._doubt(flag, _OF_COUNT, count)
            return
        self.count = count
        self._drop(_OF_COUNT)

    def take_rank(self, rank: int) -> None:
        waiting = self._waiting(_SPIKE, rank)
        if waiting is None:
            return
        factor, category = self.rule.rank_factor, self.seen.category
        known = self.rank if self.category == category else None
        is_doubted = bool(waiting) and waiting[-1].category == category
        if is_doubted and self._agrees_with(
            waiting, known, rank, is_far=_is_far(waiting[-1].value, rank, factor)
        ):
            self.confirmed += waiting
        elif known is not None and _is_far(known, rank, factor):
            self._doubt(_SPIKE, _SPIKE, rank, category)
            return
        self.rank, self.category = rank, category
        self._drop(_SPIKE)

    def _waiting(self, bits: int, value: int) -> list[UnconfirmedValue] | None:
        """Return a field's values that wait for this one; None where it only repeats them.

        What a series of changes repeats is no second observation, unless it held for long:
        then the waiting value is confirmed here, and this one is compared with it.
        """
        if not self.pending:
            return []
        waiting = [each for each in self.pending if each.flag & bits]
        if not waiting or waiting[-1].kind != Kind.CHANGE:
            return waiting
        newest, seen = waiting[-1], self.seen
        if seen.captured_at - waiting[0].captured_at >= self.rule.hold:
            self.confirmed += waiting
            self._accept(bits, newest)
            return []
        is_repeated = seen.kind == Kind.CHANGE and seen.source == newest.source
        if is_repeated and (value, seen.category if bits == _SPIKE else None) == (
            newest.value, newest.category,
        ):  # fmt: skip
            self.flags |= newest.flag
            self._wait(newest.flag, value, newest.category)
            return None
        return waiting

    def _accept(self, bits: int, held: UnconfirmedValue) -> None:
        """Take a value that held for long as the accepted one."""
        if bits == _OF_PRICE:
            self.price = held.value
        elif bits == _OF_COUNT:
            self.count = held.value
        else:
            self.rank, self.category = held.value, held.category
        self._drop(bits)

    def _price_flag(self, price: int, smallest: int) -> int:
        known = self.price
        if known is not None and _is_far(price, known, self.rule.jump_factor):
            return _JUMP
        is_low = price < smallest and (known is None or known >= smallest)
        is_odd = known is None and bool(self.flags & _DISAGREE)
        return _IMPLAUSIBLE if is_low or is_odd else 0

    def _count_flag(self, known: int | None, count: int) -> int:
        rule = self.rule
        if known is None:
            return 0
        if known >= rule.count_floor and count * rule.count_factor < known:
            return _COLLAPSED
        is_above = count > known * rule.count_factor + rule.count_floor
        return _JUMPED if is_above else 0

    def _is_count_far(self, waited: int, count: int) -> bool:
        """Return whether a count contradicts a waiting one; a further rise does not."""
        if count > waited:
            return _is_far(waited, count, self.rule.jump_factor)
        return bool(self._count_flag(waited, count))

    def _agrees_with(
        self, waiting: list[UnconfirmedValue], known: int | None, value: int, *, is_far: bool
    ) -> bool:
        """Return whether a value belongs to the waiting one rather than to the accepted one."""
        waited = waiting[-1].value
        return not is_far and (known is None or _ratio(waited, value) <= _ratio(known, value))

    def _is_close(self, one: int, other: int) -> bool:
        return abs(one - other) <= self.rule.agree_within * max(one, other)

    def _doubt(self, flag: int, bits: int, value: int, category: int | None = None) -> None:
        self.flags |= flag
        self._drop(bits)
        self._wait(flag, value, category)

    def _wait(self, flag: int, value: int, category: int | None = None) -> None:
        seen = self.seen
        new = UnconfirmedValue(flag, value, seen.captured_at, seen.source, seen.kind, category)
        self.pending = (*self.pending, new)

    def _drop(self, bits: int) -> None:
        if self.pending:
            self.pending = tuple(each for each in self.pending if not each.flag & bits)


def _is_far(one: int, other: int, factor: int) -> bool:
    return one >= other * factor or one * factor <= other


def _ratio(one: int, other: int) -> float:
    """Return how far two numbers lie apart, as a factor of 1 or more; 0 counts as 1."""
    low, high = sorted((max(one, 1), max(other, 1)))
    return high / low


def is_clean(flags: int, field: int) -> bool:
    """Return whether one of `FIELDS` was accepted at once: neither flagged nor confirmed later."""
    return not flags & (field | confirmation_of(field))


# What a late observation may change, field by field: the flags that its past decides.
FIELDS: Final = (_OF_PRICE | _STALE, _OF_COUNT, _SPIKE)
PRICE_FIELD, COUNT_FIELD, RANK_FIELD = FIELDS


def value_of(seen: GatedValues, field: int) -> int | None:
    """Return an observation's value of one of `FIELDS`."""
    if field == PRICE_FIELD:
        return seen.price
    return seen.ratings_count if field == COUNT_FIELD else seen.rank


def fields_of(observations: Iterable[GatedValues]) -> set[int]:
    """Return the fields that some observations hold a value of."""
    return {field for seen in observations for field in FIELDS if value_of(seen, field) is not None}
