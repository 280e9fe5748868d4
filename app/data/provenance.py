"""Reads of provenance and raw responses, never cached."""

from datetime import datetime

import orjson

from app.data import get_principal
from core.database.session import read_scope
from core.errors import NotFoundError
from core.history.product_summary import ProductSummary
from core.history.provenance.last_values import format_last_values, read_last_values
from core.history.provenance.provenance import Provenance, read_raw_item
from core.history.provenance.queries import (
    find_origin,
    find_origin_of_snapshot,
    find_origin_of_value,
)


def find_provenance(
    head: ProductSummary, column: str, snapshot: tuple[datetime, int] | None = None
) -> Provenance | None:
    """Return a figure's provenance: in a snapshot (time, source), else of the newest value."""
    with read_scope() as session:
        if snapshot is not None:
            return find_origin_of_snapshot(session, get_principal(), head, column, *snapshot)
        newest = find_origin(session, get_principal(), head, column, None)
    return None if newest is None else newest.provenance


def find_value_provenance(
    head: ProductSummary,
    column: str,
    value: float,
    period: tuple[datetime, datetime],
    *,
    last: bool,
) -> Provenance | None:
    """Return the provenance of a value's first (or last) observation in a period, else None."""
    with read_scope() as session:
        return find_origin_of_value(
            session, get_principal(), head, column, round(value), period, last=last
        )


def describe_last_values(head: ProductSummary) -> str | None:
    """Return a product's last price and rank with their day; None: none is stored."""
    with read_scope() as session:
        return format_last_values(read_last_values(session, head), head.marketplace)


def get_raw_item_json(product_id: int, run_id: int, captured_at: datetime) -> bytes:
    """Return a raw response as indented JSON. Raises NotFoundError after it was purged."""
    from core.scraping.runs.store_items import (
        decode_raw_item,  # imported here: it loads the parsers, and is rarely used
    )

    with read_scope() as session:
        body = read_raw_item(session, product_id, run_id, captured_at)
    if body is None:
        raise NotFoundError("The raw response is no longer stored.")
    return orjson.dumps(decode_raw_item(body), option=orjson.OPT_INDENT_2)
