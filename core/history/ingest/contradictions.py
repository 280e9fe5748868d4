"""Reads the stored values that a second observation of the same moment and source repeats.

The first one stays. If the second contradicts it, the import reports it. Never writes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from core.database.bulk_write import execute_with_arrays
from core.history.ingest.differences import FIELDS

Key = tuple[int, Any, int]  # product, time in UTC, source

_COLUMNS = ", ".join(f"s.{name}" for name, _, _ in FIELDS)
_STORED = (
    f"SELECT s.product_id, s.captured_at, s.source, s.seen, {_COLUMNS} "
    "FROM unnest(%s::int8[], %s::timestamptz[], %s::int2[]) AS k (product_id, captured_at, source) "
    "JOIN snapshot AS s ON s.product_id = k.product_id AND s.captured_at = k.captured_at "
    "AND s.source = k.source WHERE s.captured_at >= '{first}' AND s.captured_at <= '{last}'"
)


def stored_values(session: Session, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
    """Return the values of the snapshots with these keys, by column, with "seen"."""
    if not keys:
        return {}
    times = [at for _, at, _ in keys]
    # The bounds are in the text, so that the plan opens only the partitions it needs.
    statement = _STORED.format(first=min(times).isoformat(), last=max(times).isoformat())
    names = ["seen", *(name for name, _, _ in FIELDS)]
    rows = execute_with_arrays(session, statement, list(keys), fetch=True)
    return {(row[0], row[1], row[2]): dict(zip(names, row[3:], strict=True)) for row in rows}
