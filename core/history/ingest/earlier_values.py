"""Accepted values of products at earlier times, read from their snapshots. Never commits."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from core.database.bulk_write import execute_with_arrays
from core.history.ingest.latest_values import LatestValues
from core.history.ingest.quality_gate import (
    ALL_FLAGS,
    COUNT_FLAGS,
    LIST_PRICE_FLAGS,
    PRICE_FLAGS,
    RANK_FLAGS,
    RATING_FLAGS,
    Reference,
)
from core.history.observation import Seen


def _newest(name: str, columns: str, is_value: str, flags: int) -> str:
    """Return the SQL of the newest value without `flags` before a time, as `name`."""
    return (
        f"LEFT JOIN LATERAL (SELECT captured_at, {columns} FROM snapshot "
        "WHERE product_id = w.product_id AND captured_at < w.at "
        f"AND {is_value} AND flags & {flags} = 0 "
        f"ORDER BY captured_at DESC, source DESC LIMIT 1) AS {name} ON true"
    )


def _statement(columns: str, *joined: str) -> str:
    return (
        f"SELECT w.product_id, {columns} FROM unnest(%s::int8[], %s::timestamptz[]) "
        f"AS w (product_id, at) {' '.join(joined)}"
    )


_PAST: Final = _statement(
    "p.price, c.ratings_count, r.bsr, r.bsr_category_id",
    _newest("p", "price", "price IS NOT NULL", PRICE_FLAGS),
    _newest("c", "ratings_count", "ratings_count IS NOT NULL", COUNT_FLAGS),
    _newest("r", "bsr, bsr_category_id", "bsr IS NOT NULL", RANK_FLAGS),
)


def read_references(
    session: Session, moments: Sequence[tuple[int, datetime]]
) -> dict[int, Reference]:
    """Return products' accepted values before given times, without unconfirmed ones."""
    rows = execute_with_arrays(session, _PAST, moments, fetch=True)
    return {product_id: Reference(*values) for product_id, *values in rows}


def _reported(field: Seen) -> str:
    return f"seen & {int(field)} <> 0"


_PRICE_COLUMNS: Final = (
    "price", "price_basis", "buy_box_price", "coupon_amount", "coupon_percent",
)  # fmt: skip
_ACCEPTED: Final = _statement(
    f"p.captured_at, {', '.join(f'p.{name}' for name in _PRICE_COLUMNS)}, l.list_price, "
    "r.captured_at, r.bsr, r.bsr_category_id, s.rating, c.ratings_count, n.flags",
    _newest("p", ", ".join(_PRICE_COLUMNS), _reported(Seen.PRICE), PRICE_FLAGS),
    _newest("l", "list_price", _reported(Seen.LIST_PRICE), PRICE_FLAGS | LIST_PRICE_FLAGS),
    _newest("r", "bsr, bsr_category_id", _reported(Seen.BSR), RANK_FLAGS),
    _newest("s", "rating", _reported(Seen.RATING), RATING_FLAGS),
    _newest("c", "ratings_count", _reported(Seen.RATINGS_COUNT), COUNT_FLAGS),
    _newest("n", "flags", "true", 0),
)


def reread_accepted(session: Session, states: Sequence[LatestValues]) -> None:
    """Reread the newest values of products with late observations."""
    known = {state.product_id: state for state in states if state.captured_at is not None}
    now = [(number, datetime.max.replace(tzinfo=UTC)) for number in known]
    for number, *values in execute_with_arrays(session, _ACCEPTED, now, fetch=True):
        _set_newest(known[number], values)


def _set_newest(state: LatestValues, values: Sequence[Any]) -> None:
    (
        state.price_at, state.price, state.price_basis, state.buy_box_price,
        state.coupon_amount, state.coupon_percent, state.list_price,
        state.bsr_at, state.bsr, state.bsr_category_id, state.rating, state.ratings_count,
        flags,
    ) = values  # fmt: skip
    state.flags = flags & ALL_FLAGS
