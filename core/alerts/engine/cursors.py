"""Until where products were evaluated, and what rules keep of them: read, locked, written.

A product's cursor is locked while it is evaluated, so that no other worker does. Never commits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy.orm import Session

from core.alerts.evaluation.readings import Known
from core.database.bulk_write import execute_with_arrays, insert_rows
from core.database.session import driver_connection

NEVER: Final = -1  # the data version of a product that was never evaluated
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

StoredMemory = Mapping[str, Any]  # as `memory_json` writes it
MemoryKey = tuple[int, int]  # rule, product


@dataclass(slots=True)
class Cursor:
    """A locked cursor, and the product's newest data."""

    product_id: int
    marketplace: str
    evaluated_version: int  # NEVER: it was not evaluated yet
    data_version: int  # the newest
    observed_until: datetime
    captured_at: datetime  # of the newest snapshot
    known_json: str  # the newest values until `observed_until`

    def load_known(self) -> Known:
        """Return the newest values until `observed_until`."""
        known: Known = orjson.loads(self.known_json)
        return known


_CANDIDATES: Final = """
SELECT l.product_id, c.product_id IS NULL OR k.product_id IS NOT NULL OR c.data_version < 0
FROM product_latest AS l
LEFT JOIN alert_cursor AS c ON c.product_id = l.product_id
LEFT JOIN snapshot_correction AS k ON k.product_id = l.product_id
WHERE l.product_id > %(after)s AND l.captured_at IS NOT NULL
    AND (c.product_id IS NULL OR c.data_version < l.data_version OR k.product_id IS NOT NULL)
    AND EXISTS (SELECT 1 FROM tracking AS t WHERE t.product_id = l.product_id
        AND t.paused_at IS NULL)
    {among}
ORDER BY l.product_id LIMIT %(limit)s
"""


def list_changed_products(
    session: Session, after: int, limit: int, among: Collection[int] | None = None
) -> list[tuple[int, bool]]:
    """Return tracked products with data that was not evaluated, in the order of their ids.

    For each, whether its past must be evaluated again. `after`: only later ids.
    """
    statement = _CANDIDATES.format(
        among="" if among is None else "AND l.product_id = ANY(%(among)s)"
    )
    values = {"after": after, "limit": limit, "among": None if among is None else list(among)}
    return driver_connection(session).execute(statement, values).fetchall()


def lock_cursors(
    session: Session, product_ids: Sequence[int], *, wait: bool = False
) -> list[Cursor]:
    """Return these products' cursors, locked; without those that another worker has.

    `wait`: wait for those.
    """
    execute_with_arrays(
        session,
        "INSERT INTO alert_cursor (product_id, data_version, observed_until, known) "
        f"SELECT n.id, {NEVER}, '{_EPOCH.isoformat()}', '{{}}' FROM unnest(%s::int8[]) AS n (id) "
        "WHERE NOT EXISTS (SELECT 1 FROM alert_cursor AS c WHERE c.product_id = n.id) "
        "ORDER BY n.id ON CONFLICT DO NOTHING",
        [(each,) for each in product_ids],
    )
    statement = (
        "SELECT c.product_id, p.marketplace, c.data_version, l.data_version, c.observed_until, "
        "l.captured_at, c.known::text FROM alert_cursor AS c "
        "JOIN product AS p ON p.id = c.product_id "
        "JOIN product_latest AS l ON l.product_id = c.product_id "
        "WHERE c.product_id = ANY(%s) AND l.captured_at IS NOT NULL "
        f"ORDER BY c.product_id FOR UPDATE OF c{'' if wait else ' SKIP LOCKED'}"
    )
    with driver_connection(session).cursor(binary=True) as cursor:
        cursor.execute(statement, [list(product_ids)])
        return [Cursor(*row) for row in cursor]


def take_corrections(session: Session, product_ids: Collection[int]) -> dict[int, datetime]:
    """Delete and return since when products' snapshots differ from those that were evaluated."""
    statement = (
        # One that is being written is left for the next time: waiting for it could be in vain.
        "DELETE FROM snapshot_correction WHERE product_id IN (SELECT product_id "
        "FROM snapshot_correction WHERE product_id = ANY(%s) FOR UPDATE SKIP LOCKED) "
        "RETURNING product_id, since"
    )
    with driver_connection(session).cursor(binary=True) as cursor:
        return dict(cursor.execute(statement, [list(product_ids)]).fetchall())


def write_cursors(session: Session, rows: Sequence[tuple[Cursor, Known]]) -> None:
    """Write that products were evaluated until their newest data, with their newest values."""
    execute_with_arrays(
        session,
        "UPDATE alert_cursor AS c SET data_version = n.version, observed_until = n.until, "
        "known = n.known::jsonb "
        "FROM unnest(%s::int8[], %s::int8[], %s::timestamptz[], %s::text[]) "
        "AS n (product_id, version, until, known) WHERE c.product_id = n.product_id",
        [
            (
                each.product_id,
                each.data_version,
                max(each.captured_at, each.observed_until),
                orjson.dumps(known).decode(),
            )
            for each, known in rows
        ],
    )


# Memories


def read_memories(
    session: Session, product_ids: Collection[int]
) -> dict[MemoryKey, tuple[int, StoredMemory]]:
    """Return what rules keep of products, each with the version of its rule."""
    statement = (
        "SELECT rule_id, product_id, rule_version, memory::text FROM alert_memory "
        "WHERE product_id = ANY(%s)"
    )
    with driver_connection(session).cursor(binary=True) as cursor:
        rows = cursor.execute(statement, [list(product_ids)])
        return {
            (rule, product): (number, orjson.loads(text)) for rule, product, number, text in rows
        }


def write_memories(
    session: Session, changed: Mapping[MemoryKey, tuple[int, StoredMemory] | None]
) -> None:
    """Write what rules keep of products; None: nothing any more."""
    gone = [key for key, each in changed.items() if each is None]
    execute_with_arrays(
        session,
        "DELETE FROM alert_memory AS m USING unnest(%s::int8[], %s::int8[]) AS n (rule, product) "
        "WHERE m.rule_id = n.rule AND m.product_id = n.product",
        gone,
    )
    rows = [
        (rule, product, each[0], orjson.dumps(each[1]).decode())
        for (rule, product), each in sorted(changed.items())
        if each is not None
    ]
    if rows:
        insert_rows(
            session,
            "alert_memory",
            {"rule_id": "int8", "product_id": "int8", "rule_version": "int4", "memory": "text"},
            rows,
            on_conflict="ON CONFLICT (rule_id, product_id) DO UPDATE SET "
            "rule_version = excluded.rule_version, memory = excluded.memory",
            expressions={"memory": "memory::jsonb"},
        )
