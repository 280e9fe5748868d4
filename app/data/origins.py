"""Where figures come from, and the original items. Read when asked, never kept."""

from datetime import UTC, datetime, timedelta

import orjson

from core.db import read_scope
from core.errors import NotFoundError
from core.history.product_head import ProductHead
from core.history.provenance import (
    Provenance,
    find_latest_provenance,
    find_provenance,
    find_value_provenance,
    raw_body,
)


def origin(
    product_id: int, column: str, snapshot: tuple[datetime, int] | None = None
) -> Provenance | None:
    """Return a figure's origin: of the snapshot of that time and source, else of the newest."""
    with read_scope() as session:
        if snapshot is None:
            return find_latest_provenance(session, product_id, column)
        return find_provenance(session, product_id, column, *snapshot)


def origin_of_value(
    head: ProductHead, column: str, value: float, period: tuple[datetime, datetime]
) -> Provenance | None:
    """Return where a value of a period was first said, None when no kept snapshot says it."""
    first = head.first_day or period[0].date()
    # A day of a marketplace begins up to 14 hours before UTC's.
    oldest = datetime.combine(first, datetime.min.time(), UTC) - timedelta(days=1)
    category = head.bsr_category_id if column == "bsr" else None
    with read_scope() as session:
        return find_value_provenance(
            session, head.product_id, column, round(value), period, oldest, category
        )


def original_json(product_id: int, run_id: int, captured_at: datetime) -> bytes:
    """Return an original item as readable JSON. Raises NotFoundError once it was let go."""
    from core.scraping.collecting import raw_item  # brings the actors along: few ask for it

    with read_scope() as session:
        body = raw_body(session, product_id, run_id, captured_at)
    if body is None:
        raise NotFoundError("The original item is no longer kept.")
    return orjson.dumps(raw_item(body), option=orjson.OPT_INDENT_2)
