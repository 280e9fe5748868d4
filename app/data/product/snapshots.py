"""A product's stored snapshots, and the versions of its listing."""

from datetime import datetime
from typing import Any

from app.data.cache import cached_read
from app.data.product.period import CACHED_FOR
from core.database.session import read_scope
from core.history.timeline import queries
from core.history.timeline.queries import ListingText


@cached_read(seconds=CACHED_FOR, entries=200)
def list_listing_versions(product_id: int, data_version: int) -> list[ListingText]:
    """Return the versions of a listing, newest first."""
    del data_version  # part of the key
    with read_scope() as session:
        return queries.listing_versions(session, product_id)


@cached_read(seconds=CACHED_FOR, entries=200)
def count_snapshots(product_id: int, since: datetime, until: datetime, data_version: int) -> int:
    """Return how many snapshots a period has."""
    del data_version  # part of the key
    with read_scope() as session:
        return queries.count_snapshots(session, product_id, since, until)


def list_snapshots(
    product_id: int, since: datetime, until: datetime, *, offset: int = 0, limit: int | None = 100
) -> list[dict[str, Any]]:
    """Return the stored snapshots of a period, newest first."""
    with read_scope() as session:
        return queries.snapshot_page(session, product_id, since, until, offset=offset, limit=limit)
