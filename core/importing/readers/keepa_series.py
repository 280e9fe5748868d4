"""Read Keepa's series as steps of a product's state: minutes, codes, order of columns. Pure.

The rest of a product of Keepa's API is read in `keepa.py`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from core.catalog.sellers import find_seller_id
from core.history.observation import CategoryRank, Seen

EPOCH = datetime(2011, 1, 1, tzinfo=UTC)  # Keepa's minute 0
LAST_MINUTE = 40_000_000  # the year 2087; larger numbers are not times
NONE = -1  # Keepa checked, and there was none
UNKNOWN = -2  # Keepa doesn't know
_LARGEST = 2_147_483_647

# Index in `csv`, the observation's field, and the bit of what Keepa checked.
PLAIN_SERIES: tuple[tuple[int, str, Seen], ...] = (
    (0, "amazon_price", Seen.AMAZON_PRICE),
    (1, "new_price", Seen.NEW_PRICE),
    (2, "used_price", Seen.USED_PRICE),
    (3, "rank", Seen.BSR),
    (4, "list_price", Seen.LIST_PRICE),
    (8, "deal_price", Seen.DEAL),
    (10, "new_fba_price", Seen.NEW_FBA_PRICE),
    (11, "offers_new", Seen.OFFERS_NEW),
    (12, "offers_used", Seen.OFFERS_USED),
    (16, "rating", Seen.RATING),
    (17, "ratings_count", Seen.RATINGS_COUNT),
)
BUY_BOX_INDEX = 18  # triples: minute, price, shipping
ZERO_IS_A_VALUE = frozenset({"offers_new", "offers_used", "ratings_count", "buy_box_shipping"})

Change = tuple[str, Seen, int]  # a field, its bit, Keepa's number


@dataclass(slots=True)
class State:
    """What Keepa knew of a product at a minute, all series carried forward."""

    blind: Seen = Seen.NONE  # what Keepa can't check: its "none" there means unknown
    seen: Seen = Seen.NONE
    values: dict[str, int | None] = field(default_factory=dict)
    further_ranks: dict[str, int] = field(default_factory=dict)  # by category's name
    seller_id: str | None = None  # who holds the Buy Box

    def apply_change(self, name: str, bit: Seen, number: int) -> bool:
        """Apply one number; return whether it changed the state."""
        if name.startswith("#"):
            return self._apply_rank(name[1:], number)
        if name.startswith("@"):
            return self._apply_seller(name[1:] or None, bit, number)
        value = _interpret_number(name, number)
        is_unknown = number == UNKNOWN or bool(bit & self.blind and value is None)
        seen = self.seen & ~bit if is_unknown else self.seen | bit
        if value == self.values.get(name) and seen == self.seen:
            return False
        self.values[name], self.seen = value, seen
        return True

    def _apply_rank(self, category: str, number: int) -> bool:
        before = self.further_ranks.get(category)
        if 0 < number <= _LARGEST:
            self.further_ranks[category] = number
        else:
            self.further_ranks.pop(category, None)
        is_shown = self.values.get("rank") is not None
        return is_shown and before != self.further_ranks.get(category)

    def _apply_seller(self, seller_id: str | None, bit: Seen, number: int) -> bool:
        is_unknown = number == UNKNOWN or bool(bit & self.blind and seller_id is None)
        seen = self.seen & ~bit if is_unknown else self.seen | bit
        if seller_id == self.seller_id and seen == self.seen:
            return False
        self.seller_id, self.seen = seller_id, seen
        return True

    def list_ranks(self, main_category: str) -> tuple[CategoryRank, ...]:
        """Return the main rank, then those of further categories.

        Empty without a main rank, since the first is always the main category's.
        """
        main = self.values.get("rank")
        if main is None:
            return ()
        further = (
            CategoryRank(name, rank)
            for name, rank in sorted(self.further_ranks.items())
            if name != main_category
        )
        return (CategoryRank(main_category, main), *further)


def minute_time(minute: int) -> datetime:
    """Return the time of a Keepa minute."""
    return EPOCH + timedelta(minutes=minute)


def time_minute(milliseconds: int) -> int:
    """Return the Keepa minute of a time in milliseconds since 1970."""
    return milliseconds // 60_000 - 21_564_000


def is_minute(value: object) -> bool:
    """Return whether a value can be a Keepa minute."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LAST_MINUTE


def read_steps(
    series: Any,
    further_ranks: Mapping[str, Any],
    horizon: int,
    blind: Seen = Seen.NONE,
    sellers: Any = None,
) -> Iterator[tuple[int, State]]:
    """Yield (minute, state) for each minute in which something changed, in time order.

    `series` is the product's unchanged `csv`; `further_ranks` maps the names of
    categories to their series; `sellers` is `buyBoxSellerIdHistory`.
    Minutes after `horizon` are left out: they are not history.
    For what Keepa can't check (`blind`), its "none" is read as unknown.
    The same State object is yielded each time.
    """
    changes = _collect_changes(series, further_ranks, sellers)
    state = State(blind)
    for minute in sorted(changes):
        if minute > horizon:
            return
        changed = [state.apply_change(*change) for change in changes[minute]]
        if any(changed):
            yield minute, state


def _collect_changes(
    series: Any, further_ranks: Mapping[str, Any], sellers: Any
) -> dict[int, list[Change]]:
    changes: dict[int, list[Change]] = defaultdict(list)
    for index, name, bit in PLAIN_SERIES:
        for minute, number in _split_pairs(_get_series(series, index)):
            changes[minute].append((name, bit, number))
    for minute, price, shipping in _split_triples(_get_series(series, BUY_BOX_INDEX)):
        changes[minute].append(("buy_box_price", Seen.BUY_BOX, price))
        changes[minute].append(("buy_box_shipping", Seen.NONE, shipping if price > 0 else NONE))
    for name, ranks in further_ranks.items():
        for minute, number in _split_pairs(ranks):
            changes[minute].append((f"#{name}", Seen.NONE, number))
    for minute, seller_id, number in _split_sellers(sellers):
        changes[minute].append((f"@{seller_id}", Seen.SELLER_ID, number))
    return changes


def _get_series(series: Any, index: int) -> Any:
    if isinstance(series, list):
        return series[index] if index < len(series) else None
    return series.get(str(index)) if isinstance(series, dict) else None


def _split_pairs(flat: Any) -> Iterator[tuple[int, int]]:
    """Yield (minute, number) from a flat array, without an incomplete end and invalid values."""
    if isinstance(flat, list):
        for minute, number in zip(flat[::2], flat[1::2], strict=False):
            if is_minute(minute) and _is_number(number):
                yield minute, number


def _split_triples(flat: Any) -> Iterator[tuple[int, int, int]]:
    if isinstance(flat, list):
        for minute, price, shipping in zip(flat[::3], flat[1::3], flat[2::3], strict=False):
            if is_minute(minute) and _is_number(price) and _is_number(shipping):
                yield minute, price, shipping


def _split_sellers(flat: Any) -> Iterator[tuple[int, str, int]]:
    """Yield (minute, the seller's id or "", NONE or UNKNOWN or 0) from minutes and ids as texts.

    "-1" means that no seller qualified. "-2" also occurs beside a Buy Box price: unknown.
    """
    if not isinstance(flat, list):
        return
    for written, holder in zip(flat[::2], flat[1::2], strict=False):
        minute = int(written) if str(written).isdecimal() and len(str(written)) < 9 else None
        if not is_minute(minute) or minute is None or not isinstance(holder, str):
            continue
        seller_id = find_seller_id(holder)
        yield minute, seller_id or "", 0 if seller_id else NONE if holder == "-1" else UNKNOWN


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _interpret_number(name: str, number: int) -> int | None:
    """Return a number's value; None for "none", which is also written as 0 for prices and ranks."""
    if number < 0 or (number == 0 and name not in ZERO_IS_A_VALUE):
        return None
    return number
