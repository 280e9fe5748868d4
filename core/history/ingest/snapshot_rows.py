"""Turns an observation into a row of `snapshot`. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from core.history.ingest.latest_values import unreadable_names
from core.history.observation import Observation

Categories = Mapping[tuple[str, str], int]  # ids by marketplace and name
Origin = tuple[int, int | None, int | None]  # product, fetch run, import run

SNAPSHOT = {
    "product_id": "int8",
    "captured_at": "timestamptz",
    "source": "int2",
    "kind": "int2",
    "seen": "int4",
    "unreadable": "jsonb",
    "flags": "int4",
    "outcome": "text",
    "currency": "text",
    "price": "int8",
    "price_basis": "int2",
    "list_price": "int8",
    "buy_box_price": "int8",
    "buy_box_shipping": "int8",
    "buy_box_seller": "text",
    "amazon_price": "int8",
    "new_price": "int8",
    "new_fba_price": "int8",
    "used_price": "int8",
    "deal_price": "int8",
    "coupon_amount": "int8",
    "coupon_percent": "int2",
    "fulfilment": "int2",
    "bsr": "int4",
    "bsr_category_id": "int4",
    "sub_rank": "int4",
    "sub_category_id": "int4",
    "rating": "int2",
    "ratings_count": "int4",
    "reviews_count": "int4",
    "availability": "int2",
    "stock_left": "int4",
    "offers_new": "int4",
    "offers_used": "int4",
    "fetch_run_id": "int8",
    "import_run_id": "int8",
}


def snapshot_row(
    categories: Categories, origin: Origin, seen: Observation, flags: int, currency: str
) -> Sequence[Any]:
    """Return the row in the order of `SNAPSHOT`. `origin`: product, fetch run, import run."""
    product_id, fetch_run_id, import_run_id = origin
    main, sub = _rank(categories, seen, 0), _rank(categories, seen, 1)
    return (
        product_id,
        seen.captured_at,
        int(seen.source),
        int(seen.kind),
        int(seen.seen),
        Jsonb(unreadable_names(seen)) if seen.unreadable else None,
        flags,
        seen.outcome.value,
        seen.currency or currency,
        seen.price,
        seen.price_basis,
        seen.list_price,
        seen.buy_box_price,
        seen.buy_box_shipping,
        seen.buy_box_seller,
        seen.amazon_price,
        seen.new_price,
        seen.new_fba_price,
        seen.used_price,
        seen.deal_price,
        seen.coupon_amount,
        seen.coupon_percent,
        seen.fulfilment,
        *main,
        *sub,
        seen.rating,
        seen.ratings_count,
        seen.reviews_count,
        seen.availability,
        seen.stock_left,
        seen.offers_new,
        seen.offers_used,
        fetch_run_id,
        import_run_id,
    )


def _rank(categories: Categories, seen: Observation, number: int) -> tuple[int | None, int | None]:
    if len(seen.ranks) <= number:
        return None, None
    rank = seen.ranks[number]
    return rank.rank, categories[seen.marketplace, rank.category]
