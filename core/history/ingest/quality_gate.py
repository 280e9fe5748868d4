"""The quality gate flags values that are probably wrong, each with a reason. Pure.

A product is compared with its own accepted values, never with other products. A value that
contradicts them, upwards or downwards, is stored and flagged. It raises no alert until a
second observation confirms it. If the next observation contradicts it, the value stays
flagged, and the next one is compared with the accepted value before both.

A product's flags depend only on its observations in the order of their times:
`core/history/ingest/replay.py` checks again what a late one changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final, NamedTuple

from core.history.observation import Confirmed, Flag, Kind, Observation

# Which flags concern which value. Plain integers: `&` of two enum members costs fifty
# times as much, and this runs for every observation.
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
# Nothing but the price of such a row is believed, even where the price was confirmed later.
STALE_FLAGS: Final = int(Flag.STALE_VALUE) | int(Confirmed.STALE)
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
# A price with one of these flags is not compared and confirms nothing.
NOT_COMPARED: Final = PRICE_FLAGS & ~_OF_PRICE

# About ten US cents. Smaller amounts are usually counts, shares or slips, not prices.
_SMALLEST_PRICES: Final[Mapping[str, int]] = {
    "USD": 10, "CAD": 13, "MXN": 180, "BRL": 50, "GBP": 8, "EUR": 9, "SEK": 100, "PLN": 38,
    "TRY": 400, "AED": 37, "SAR": 37, "EGP": 480, "ZAR": 180, "INR": 850, "JPY": 15,
    "AUD": 15, "SGD": 13,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GateRule:
    """When a value contradicts a product's accepted values."""

    jump_factor: int = 20  # of prices: more than any real price step, less than a slip of ×100
    agree_within: float = 0.1  # two prices this close (as a share) confirm each other
    count_factor: float = 1.25  # of ratings counts, both ways: 1,000 → 799 or 1,271
    count_floor: int = 20  # ratings; losing or gaining fewer is ordinary
    rank_factor: int = 50  # a sale lifts a slow rank by ×10; a number cut short by ×1,000
    # A change series repeats a value until it changes: one that held this long is confirmed.
    hold: timedelta = timedelta(days=1)


USUAL_RULE = GateRule()


class GatedValues(NamedTuple):
    """What the gate checks of one observation; None: no value."""

    captured_at: datetime
    source: int
    kind: int
    flags: int  # those that need no past, see `make_gated_values`
    price: int | None
    ratings_count: int | None
    rank: int | None  # of the main category
    category: int | None  # ranks of different categories are never compared


class UnconfirmedValue(NamedTuple):
    """A flagged value that a second observation may confirm."""

    flag: int  # bits of Flag that a second observation lifts
    value: int
    captured_at: datetime
    source: int
    kind: int = int(Kind.SAMPLE)
    category: int | None = None  # of a rank

    def as_json(self) -> dict[str, Any]:
        """Return JSON values to store."""
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
        """Return the value that `as_json` stored."""
        return cls(
            stored["flag"],
            stored["value"],
            datetime.fromisoformat(stored["at"]),
            stored["source"],
            stored.get("kind", int(Kind.SAMPLE)),
            stored.get("category"),
        )


class Reference(NamedTuple):
    """A product's accepted values before an observation. None: not known yet."""

    price: int | None = None  # minor units of the marketplace's currency
    ratings_count: int | None = None
    rank: int | None = None
    category: int | None = None  # of the rank
    pending: tuple[UnconfirmedValue, ...] = ()

    def with_fallback(self, earlier: "Reference") -> "Reference":
        """Return these values, with the unknown ones from an earlier reference."""
        of_rank = earlier if self.rank is None else self
        return Reference(
            earlier.price if self.price is None else self.price,
            earlier.ratings_count if self.ratings_count is None else self.ratings_count,
            of_rank.rank,
            of_rank.category,
            self.pending,
        )


class GateResult(NamedTuple):
    """The gate's result for one observation."""

    flags: int  # bits of Flag
    confirmed: tuple[UnconfirmedValue, ...]  # earlier values that this observation confirms
    reference: Reference  # for the next observation


def confirmed_flags(flags: int, lifted: int) -> int:
    """Return a snapshot's flags after a second observation lifted some of them."""
    return flags & ~lifted | confirmed_bits(lifted)


def confirmed_bits(lifted: int) -> int:
    """Return the bits of `Confirmed` for lifted flags."""
    bits = int(Confirmed.PRICE) if lifted & _OF_PRICE else 0
    bits |= int(Confirmed.RATINGS_COUNT) if lifted & _OF_COUNT else 0
    bits |= int(Confirmed.RANK) if lifted & _SPIKE else 0
    return bits | (int(Confirmed.STALE) if lifted & _STALE else 0)


def without_zero_amounts(observation: Observation) -> Observation:
    """Return the observation with a price of 0 or less as unknown, flagged.

    A scraper's 0 means "no price"; stored as an amount it would seem a bargain.
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


def make_gated_values(
    observation: Observation, currency: str, category: int | None, rule: GateRule = USUAL_RULE
) -> GatedValues:
    """Return the values to check. `currency` is the marketplace's, `category` the rank's."""
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
    """Return the flags of values that are wrong by themselves, without any past."""
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

    Used offers don't count: a used book for a cent beside a new one is common. Nor does a
    list price far below the price: it is a unit price ("$0.17/count"), and wrong alone.
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
    values: GatedValues, reference: Reference, currency: str, rule: GateRule = USUAL_RULE
) -> GateResult:
    """Return an observation's flags, what it confirms, and the reference after it."""
    fold = _Fold(values, reference, rule)
    if values.price is not None:
        fold.take_price(values.price, _SMALLEST_PRICES.get(currency, 0))
    if values.ratings_count is not None:
        fold.take_count(values.ratings_count)
    if values.rank is not None and not values.flags & RANK_FLAGS:
        fold.take_rank(values.rank)
    return fold.make_result()


class _Fold:
    """The accepted and the unconfirmed values, updated by one observation."""

    __slots__ = (
        "category", "confirmed", "count", "flags", "pending", "price", "rank", "rule", "values",
    )  # fmt: skip

    def __init__(self, values: GatedValues, reference: Reference, rule: GateRule) -> None:
        self.values, self.rule, self.flags = values, rule, values.flags
        self.price, self.count, self.rank, self.category, self.pending = reference
        self.confirmed: list[UnconfirmedValue] = []

    def make_result(self) -> GateResult:
        past = Reference(self.price, self.count, self.rank, self.category, self.pending)
        return GateResult(self.flags, tuple(self.confirmed), past)

    def take_price(self, price: int, smallest: int) -> None:
        if self.flags & NOT_COMPARED:
            if self.flags & _STALE:
                self._drop_pending(_STALE)
                self._add_pending(_STALE, price)
            return
        unconfirmed = self._find_unconfirmed(_OF_PRICE, price)
        if unconfirmed is None:
            return
        if unconfirmed and self._is_close(unconfirmed[-1].value, price):
            self.confirmed += unconfirmed
        else:
            flag = self._price_flag(price, smallest)
            if flag:
                self._drop_pending(_STALE)
                self._flag(flag, _OF_PRICE, price)
                return
        self.price = price
        self.confirmed += [
            each
            for each in self.pending
            if each.flag & _STALE and self._is_close(each.value, price)
        ]
        self._drop_pending(_OF_PRICE | _STALE)

    def take_count(self, count: int) -> None:
        unconfirmed = self._find_unconfirmed(_OF_COUNT, count)
        if unconfirmed is None:
            return
        flag = self._count_flag(self.count, count)
        if unconfirmed and self._agrees_with(
            unconfirmed, self.count, count, is_far=self._is_count_far(unconfirmed[-1].value, count)
        ):
            self.confirmed += unconfirmed
        elif flag:
            self._flag(flag, _OF_COUNT, count)
            return
        self.count = count
        self._drop_pending(_OF_COUNT)

    def take_rank(self, rank: int) -> None:
        unconfirmed = self._find_unconfirmed(_SPIKE, rank)
        if unconfirmed is None:
            return
        factor, category = self.rule.rank_factor, self.values.category
        known = self.rank if self.category == category else None
        is_pending = bool(unconfirmed) and unconfirmed[-1].category == category
        if is_pending and self._agrees_with(
            unconfirmed, known, rank, is_far=_is_far(unconfirmed[-1].value, rank, factor)
        ):
            self.confirmed += unconfirmed
        elif known is not None and _is_far(known, rank, factor):
            self._flag(_SPIKE, _SPIKE, rank, category)
            return
        self.rank, self.category = rank, category
        self._drop_pending(_SPIKE)

    def _find_unconfirmed(self, bits: int, value: int) -> list[UnconfirmedValue] | None:
        """Return a field's unconfirmed values; None if this value only repeats them.

        A repetition within a change series is no second observation. But a value that held
        for long is confirmed here, and this value is compared with it.
        """
        if not self.pending:
            return []
        unconfirmed = [each for each in self.pending if each.flag & bits]
        if not unconfirmed or unconfirmed[-1].kind != Kind.CHANGE:
            return unconfirmed
        newest, values = unconfirmed[-1], self.values
        if values.captured_at - unconfirmed[0].captured_at >= self.rule.hold:
            self.confirmed += unconfirmed
            self._accept(bits, newest)
            return []
        is_repeated = values.kind == Kind.CHANGE and values.source == newest.source
        if is_repeated and (value, values.category if bits == _SPIKE else None) == (
            newest.value, newest.category,
        ):  # fmt: skip
            self.flags |= newest.flag
            self._add_pending(newest.flag, value, newest.category)
            return None
        return unconfirmed

    def _accept(self, bits: int, long_held: UnconfirmedValue) -> None:
        """Accept a value that held for long."""
        if bits == _OF_PRICE:
            self.price = long_held.value
        elif bits == _OF_COUNT:
            self.count = long_held.value
        else:
            self.rank, self.category = long_held.value, long_held.category
        self._drop_pending(bits)

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

    def _is_count_far(self, unconfirmed_value: int, count: int) -> bool:
        """Return whether a count contradicts an unconfirmed one; a further rise does not."""
        if count > unconfirmed_value:
            return _is_far(unconfirmed_value, count, self.rule.jump_factor)
        return bool(self._count_flag(unconfirmed_value, count))

    def _agrees_with(
        self, unconfirmed: list[UnconfirmedValue], known: int | None, value: int, *, is_far: bool
    ) -> bool:
        """Return whether a value is closer to the unconfirmed one than to the accepted one."""
        unconfirmed_value = unconfirmed[-1].value
        return not is_far and (
            known is None or _ratio(unconfirmed_value, value) <= _ratio(known, value)
        )

    def _is_close(self, one: int, other: int) -> bool:
        return abs(one - other) <= self.rule.agree_within * max(one, other)

    def _flag(self, flag: int, bits: int, value: int, category: int | None = None) -> None:
        self.flags |= flag
        self._drop_pending(bits)
        self._add_pending(flag, value, category)

    def _add_pending(self, flag: int, value: int, category: int | None = None) -> None:
        values = self.values
        new = UnconfirmedValue(
            flag, value, values.captured_at, values.source, values.kind, category
        )
        self.pending = (*self.pending, new)

    def _drop_pending(self, bits: int) -> None:
        if self.pending:
            self.pending = tuple(each for each in self.pending if not each.flag & bits)


def _is_far(one: int, other: int, factor: int) -> bool:
    return one >= other * factor or one * factor <= other


def _ratio(one: int, other: int) -> float:
    """Return the ratio of the larger number to the smaller; 0 counts as 1."""
    low, high = sorted((max(one, 1), max(other, 1)))
    return high / low


def is_clean(flags: int, field: int) -> bool:
    """Return whether a confirmable field was accepted at once: never flagged nor confirmed."""
    return not flags & (field | confirmed_bits(field))


# What a late observation may change: by field, the flags that depend on the past.
CONFIRMABLE: Final = (_OF_PRICE | _STALE, _OF_COUNT, _SPIKE)
PRICE_FIELD, COUNT_FIELD, RANK_FIELD = CONFIRMABLE


def get_value(values: GatedValues, field: int) -> int | None:
    """Return an observation's value of one of `CONFIRMABLE`."""
    if field == PRICE_FIELD:
        return values.price
    return values.ratings_count if field == COUNT_FIELD else values.rank


def list_fields(observations: Iterable[GatedValues]) -> set[int]:
    """Return the fields of which at least one observation has a value."""
    return {
        each
        for values in observations
        for each in CONFIRMABLE
        if get_value(values, each) is not None
    }
