"""The newest accepted values of products: read, updated by observations, written back.

`LatestValues` is a row of `product_latest` in memory. Never commits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy.orm import Session

from core.catalog.models import ProductLatest
from core.database.bulk_write import column_types, execute_with_arrays
from core.history.ingest.quality_gate import (
    ALL_FLAGS,
    COUNT_FLAGS,
    LIST_PRICE_FLAGS,
    PRICE_FLAGS,
    RANK_FLAGS,
    RATING_FLAGS,
    STALE_FLAGS,
    Reference,
    UnconfirmedValue,
)
from core.history.observation import Observation, Seen, field_names

# Plain integers: see quality_gate.py.
_PRICE, _LIST_PRICE, _BSR = int(Seen.PRICE), int(Seen.LIST_PRICE), int(Seen.BSR)
_RATING, _RATINGS_COUNT = int(Seen.RATING), int(Seen.RATINGS_COUNT)
_REVIEWS_COUNT = int(Seen.REVIEWS_COUNT)
_AVAILABILITY = int(Seen.AVAILABILITY)
_SELLER, _SELLER_ID = int(Seen.SELLER), int(Seen.SELLER_ID)

# The time of a field's newest value; other fields have that of the newest observation.
_READ_AT = {
    **dict.fromkeys(("price", "list_price", "buy_box", "coupon"), "price_at"),
    "bsr": "bsr_at",
    **dict.fromkeys(("rating", "ratings_count", "reviews_count"), "rating_at"),
    **dict.fromkeys(("availability", "stock_left", "seller", "seller_id"), "availability_at"),
}


@dataclass(slots=True)
class LatestValues:
    """The values of a row of `product_latest` in memory, to which observations are applied.

    `core.catalog.models.ProductLatest` is the table, with the meaning of each column.
    """

    product_id: int
    captured_at: datetime | None
    listing_hash: bytes | None
    listing_source: int | None
    listing_changed_at: datetime | None
    carried_until: datetime | None
    flags: int
    pending: list[dict[str, Any]] | None
    unreadable: dict[str, dict[str, str]] | None
    price: int | None
    price_basis: int | None
    list_price: int | None
    buy_box_price: int | None
    coupon_amount: int | None
    coupon_percent: int | None
    price_at: datetime | None
    bsr: int | None
    bsr_category_id: int | None
    bsr_at: datetime | None
    rating: int | None
    ratings_count: int | None
    reviews_count: int | None
    rating_at: datetime | None
    availability: int | None
    stock_left: int | None
    buy_box_seller: str | None
    buy_box_seller_id: str | None
    availability_at: datetime | None

    def make_reference(self) -> Reference:
        """Return the accepted values as the quality gate compares with them."""
        pending = tuple(map(UnconfirmedValue.from_json, self.pending)) if self.pending else ()
        return Reference(self.price, self.ratings_count, self.bsr, self.bsr_category_id, pending)


_NAMES = [field.name for field in fields(LatestValues)]
_values_of = attrgetter(*_NAMES)
_JSON = frozenset({"pending", "unreadable"})
_JSON_PLACES = tuple(_NAMES.index(name) for name in sorted(_JSON))
_TYPES = column_types(ProductLatest.__table__) | dict.fromkeys(_JSON, "text")


def lock_latest(session: Session, product_ids: Iterable[int]) -> dict[int, LatestValues]:
    """Read and lock the rows of these products, by product.

    Always in the order of their ids, so that two sessions never deadlock.
    """
    statement = (
        f"SELECT {', '.join(_NAMES)} FROM product_latest WHERE product_id = ANY(%s::int8[]) "
        "ORDER BY product_id FOR UPDATE"
    )
    given = [(number,) for number in set(product_ids)]
    rows = execute_with_arrays(session, statement, given, fetch=True)
    return {row[0]: LatestValues(*row) for row in rows}


def write_latest(session: Session, states: Sequence[LatestValues]) -> None:
    """Write rows back and raise each product's `data_version`."""
    changed = [name for name in _NAMES if name != "product_id"]
    assignments = ", ".join(
        f"{name} = n.{name}::jsonb" if name in _JSON else f"{name} = n.{name}" for name in changed
    )
    arrays = ", ".join(f"%s::{_TYPES[name]}[]" for name in _NAMES)
    statement = (
        f"UPDATE product_latest AS l SET {assignments}, data_version = l.data_version + 1 "
        f"FROM unnest({arrays}) AS n ({', '.join(_NAMES)}) WHERE l.product_id = n.product_id"
    )
    execute_with_arrays(session, statement, [_row(state) for state in states])


def _row(state: LatestValues) -> Sequence[Any]:
    values: tuple[Any, ...] = _values_of(state)
    if state.pending is None and state.unreadable is None:
        return values
    row = list(values)
    for place in _JSON_PLACES:
        if row[place] is not None:
            row[place] = orjson.dumps(row[place]).decode()
    return row


def apply_observation(
    state: LatestValues, observation: Observation, flags: int, category_id: int | None
) -> None:
    """Update the newest values from an observation.

    Older values never replace newer ones. A flagged value never replaces an accepted one.
    """
    at = observation.captured_at
    if observation.unreadable or state.unreadable:
        _record_unreadable(state, observation)
    if state.captured_at is None or at >= state.captured_at:
        state.captured_at, state.flags = at, flags & ALL_FLAGS
    seen = int(observation.seen)
    if seen & _PRICE and not flags & PRICE_FLAGS and _is_newer(at, state.price_at):
        _set_price(state, observation, flags)
    if seen & _BSR and not flags & RANK_FLAGS and _is_newer(at, state.bsr_at):
        state.bsr = observation.ranks[0].rank if observation.ranks else None
        state.bsr_category_id, state.bsr_at = category_id, at
    if seen & (_RATING | _RATINGS_COUNT) and _is_newer(at, state.rating_at):
        _set_rating(state, observation, flags)
    is_stale = bool(flags & STALE_FLAGS)
    if seen & _AVAILABILITY and not is_stale and _is_newer(at, state.availability_at):
        state.availability, state.availability_at = _number(observation.availability), at
        state.stock_left = observation.stock_left
        if seen & (_SELLER | _SELLER_ID):
            _set_seller(state, observation)


def unreadable_names(observation: Observation) -> dict[str, str]:
    """Return the unreadable texts, by the names of their fields."""
    return {name: text for bit, text in observation.unreadable.items() for name in field_names(bit)}


def _record_unreadable(state: LatestValues, observation: Observation) -> None:
    """Keep the fields that were unreadable last, until a newer observation can be read."""
    at, seen = observation.captured_at, int(observation.seen)
    recorded = {
        name: text
        for name, text in (state.unreadable or {}).items()
        if not seen & Seen[name.upper()] or at < datetime.fromisoformat(text["at"])
    }
    for name, text in unreadable_names(observation).items():
        known_at = getattr(state, _READ_AT.get(name, "captured_at"))
        earlier = recorded.get(name)
        if _is_newer(at, known_at) and (
            earlier is None or _is_newer(at, datetime.fromisoformat(earlier["at"]))
        ):
            recorded[name] = {"text": text, "at": at.isoformat()}
    state.unreadable = recorded or None


def _is_newer(at: datetime, than: datetime | None) -> bool:
    return than is None or at >= than


def _set_price(state: LatestValues, observation: Observation, flags: int) -> None:
    state.price, state.price_basis = observation.price, _number(observation.price_basis)
    state.buy_box_price = observation.buy_box_price
    state.coupon_amount = observation.coupon_amount
    state.coupon_percent = observation.coupon_percent
    if int(observation.seen) & _LIST_PRICE and not flags & LIST_PRICE_FLAGS:
        state.list_price = observation.list_price
    state.price_at = observation.captured_at


def _set_rating(state: LatestValues, observation: Observation, flags: int) -> None:
    seen = int(observation.seen)
    if seen & _RATING and not flags & RATING_FLAGS:
        state.rating = observation.rating
    if seen & _RATINGS_COUNT and not flags & COUNT_FLAGS:
        state.ratings_count = observation.ratings_count
    if seen & _REVIEWS_COUNT:
        state.reviews_count = observation.reviews_count
    state.rating_at = observation.captured_at


def _set_seller(state: LatestValues, observation: Observation) -> None:
    """Set the Buy Box seller's name and id, of which a source may report one alone.

    A name and an id of different sellers are never kept together.
    """
    seen = int(observation.seen)
    name, seller_id = observation.buy_box_seller, observation.buy_box_seller_id
    if not seen & _SELLER_ID:
        seller_id = state.buy_box_seller_id if name == state.buy_box_seller else None
    if not seen & _SELLER:
        name = state.buy_box_seller if seller_id == state.buy_box_seller_id else None
    state.buy_box_seller, state.buy_box_seller_id = name, seller_id


def _number(value: int | None) -> int | None:
    return None if value is None else int(value)
