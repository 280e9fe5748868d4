"""Where figures come from, and the original items. Read when asked, never kept."""

from datetime import datetime

import orjson

from app.data import get_principal
from core.database.session import read_scope
from core.errors import NotFoundError
from core.history.product_summary import ProductSummary
from core.history.provenance.provenance import Provenance, read_raw_item
from core.history.provenance.queries import (
    find_origin,
    find_origin_of_snapshot,
    find_origin_of_value,
)


def find_provenance(
    head: ProductSummary, column: str, snapshot: tuple[datetime, int] | None = None
) -> Provenance | None:
    """Return a figure's origin: of the snapshot of that time and source, else of the newest."""
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
    """Return where a value of a period was first (last) said, None when no kept snapshot does."""
    with read_scope() as session:
        return find_origin_of_value(
            session, get_principal(), head, column, round(value), period, last=last
        )


def get_raw_item_json(product_id: int, run_id: int, captured_at: datetime) -> bytes:
    """Return an original item as readable JSON. Raises NotFoundError once it was let go."""
    from core.scraping.runs.store_items import (
        decode_raw_item,  # brings the actors along: few ask for it
    )

    with read_scope() as session:
        body = read_raw_item(session, product_id, run_id, captured_at)
    if body is None:
        raise NotFoundError("The original item is no longer kept.")
    return orjson.dumps(decode_raw_item(body), option=orjson.OPT_INDENT_2)
