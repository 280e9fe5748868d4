"""Observations that say something else than the one already stored of their moment and source.

Reads only. The first one stays; the second is told, never stored nor dropped silently.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from core.bulk import run_rows
from core.history.observation import Observation, Seen

Key = tuple[int, Any, int]  # product, time in UTC, source

# Columns of a snapshot, which bit says that they were looked at, and what they are called.
_FIELDS: tuple[tuple[str, Seen, str], ...] = (
    ("price", Seen.PRICE, "price"),
    ("list_price", Seen.LIST_PRICE, "list price"),
    ("buy_box_price", Seen.BUY_BOX, "Buy Box price"),
    ("amazon_price", Seen.AMAZON_PRICE, "Amazon's price"),
    ("new_price", Seen.NEW_PRICE, "new price"),
    ("new_fba_price", Seen.NEW_FBA_PRICE, "new FBA price"),
    ("used_price", Seen.USED_PRICE, "used price"),
    ("deal_price", Seen.DEAL, "deal price"),
    ("coupon_amount", Seen.COUPON, "coupon"),
    ("coupon_percent", Seen.COUPON, "coupon"),
    ("bsr", Seen.BSR, "rank"),
    ("rating", Seen.RATING, "rating"),
    ("ratings_count", Seen.RATINGS_COUNT, "number of ratings"),
    ("reviews_count", Seen.REVIEWS_COUNT, "number of reviews"),
    ("availability", Seen.AVAILABILITY, "availability"),
    ("stock_left", Seen.STOCK_LEFT, "stock"),
    ("buy_box_seller", Seen.SELLER, "Buy Box seller"),
    ("offers_new", Seen.OFFERS_NEW, "new offers"),
    ("offers_used", Seen.OFFERS_USED, "used offers"),
)
_COLUMNS = ", ".join(f"s.{name}" for name, _, _ in _FIELDS)
_STORED = (
    f"SELECT s.product_id, s.captured_at, s.source, s.seen, {_COLUMNS} "
    "FROM unnest(%s::int8[], %s::timestamptz[], %s::int2[]) AS k (product_id, captured_at, source) "
    "JOIN snapshot AS s ON s.product_id = k.product_id AND s.captured_at = k.captured_at "
    "AND s.source = k.source WHERE s.captured_at >= '{first}' AND s.captured_at <= '{last}'"
)


def stored_values(session: Session, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
    """Return the values of the snapshots with these keys, by column, "seen" among them."""
    if not keys:
        return {}
    times = [at for _, at, _ in keys]
    # The bounds are in the text, so that the plan opens only the partitions it needs.
    statement = _STORED.format(first=min(times).isoformat(), last=max(times).isoformat())
    names = ["seen", *(name for name, _, _ in _FIELDS)]
    rows = run_rows(session, statement, list(keys), fetch=True)
    return {(row[0], row[1], row[2]): dict(zip(names, row[3:], strict=True)) for row in rows}


def values_of(seen: Observation) -> dict[str, Any]:
    """Return an observation's values as a snapshot's columns hold them."""
    values = {name: getattr(seen, name) for name, _, _ in _FIELDS if name != "bsr"}
    return values | {"bsr": seen.ranks[0].rank if seen.ranks else None, "seen": int(seen.seen)}


def differing_fields(stored: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields of which the second says something that the first doesn't."""
    return list(dict.fromkeys(_differing(stored, again)))


def _differing(stored: Mapping[str, Any], again: Mapping[str, Any]) -> Iterable[str]:
    for name, bit, called in _FIELDS:
        first, second = stored[name], again[name]
        if first == second:
            continue
        # "There was none" contradicts a value; "not looked at" contradicts nothing.
        if second is not None or again["seen"] & int(bit):
            yield called
