"""Store the items of a run: the original, its observation, the outcome. Never commits.

Reading the same page twice stores nothing twice.
"""

import json
from collections.abc import Container, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import zstandard
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database.bulk_write import copy_rows, execute_with_arrays
from core.database.partitions import create_partitions, day_of
from core.history.ingest.store import SourcedObservation, store_observations
from core.history.observation import Failure, Observation, Outcome
from core.runtime import gc_pause
from core.scraping.parsers.identity import read_asin
from core.scraping.parsers.registry import Actor, RequestedProduct

# Raise it whenever a parser reads items differently: provenance shows it.
PARSER_VERSION = 4
# A readable item wins over a failed one of the same product, also on another page.
_ANSWERS = ",".join(outcome.value for outcome in Outcome if outcome.is_about_product)
_LEVEL = 1  # three times as fast as the default level, with a tenth more bytes
_AT_ONCE = 100  # items encoded before they are compressed: two megabytes stay in the cache


@dataclass(frozen=True, slots=True)
class Batch:
    """What a run was to fetch, and how its items are parsed."""

    run_id: int
    actor: Actor
    marketplace: str
    captured_at: datetime  # the time of items without one
    products: dict[str, int]  # ASIN → product id


@dataclass(slots=True)
class StoreItemsResult:
    """The result of storing a page of items, or all pages of a run."""

    stored: int = 0
    already_stored: int = 0
    failed: int = 0  # products whose page gave no information about them
    unmatched: int = 0  # items of no product of the batch
    other_asins: set[str] = field(default_factory=set)  # the products of those items

    def add_page(self, page: "StoreItemsResult") -> None:
        """Add the counts of another page."""
        self.stored += page.stored
        self.already_stored += page.already_stored
        self.failed += page.failed
        self.unmatched += page.unmatched
        self.other_asins |= page.other_asins


def get_batch(session: Session, run_id: int, actor: Actor, captured_at: datetime) -> Batch:
    """Return what a run was to fetch."""
    rows = session.execute(
        text(
            "SELECT p.asin, p.id, p.marketplace FROM fetch_item i JOIN product p "
            "ON p.id = i.product_id WHERE i.fetch_run_id = :run"
        ),
        {"run": run_id},
    ).all()
    marketplace = rows[0][2] if rows else ""
    return Batch(
        run_id, actor, marketplace, captured_at, {asin: number for asin, number, _ in rows}
    )


def ensure_raw_partition(session: Session, now: datetime) -> None:
    """Create the partition of today's original items. Call it in its own scope."""
    create_partitions(session, [day_of(now.astimezone(UTC).date(), "raw_item")])


def store_items(
    session: Session, batch: Batch, items: Sequence[Any], now: datetime
) -> StoreItemsResult:
    """Store a page of a data set and return the result."""
    with gc_pause.paused_gc():
        return _store_items(session, batch, items, now)


def _store_items(
    session: Session, batch: Batch, items: Sequence[Any], now: datetime
) -> StoreItemsResult:
    result = StoreItemsResult()
    read = _parse_items(batch, items, result)
    with ThreadPoolExecutor(1) as beside:  # while this thread waits for the database
        bodies = beside.submit(_compress_items, [item for _, item, _ in read])
        stored = store_observations(session, _add_sources(batch, read), now)
        answered = {number for number, _, parsed in read if isinstance(parsed, Observation)}
        numbers = [number for number, _, _ in read]
        packed = dict(zip(numbers, bodies.result(), strict=True))
        _store_raw(session, batch, packed, answered, now)
    refused = {observation.product_id: reason for observation, reason in stored.refused}
    result.stored, result.already_stored = stored.stored, stored.known
    _store_outcomes(
        session, batch, [(number, parsed) for number, _, parsed in read], refused, result
    )
    return result


def _parse_items(
    batch: Batch, items: Sequence[Any], result: StoreItemsResult
) -> list[tuple[int, dict[str, Any], Observation | Failure]]:
    """Return (product id, item, parsed item) for the items of the batch's products.

    Of several items of a product one counts; a readable one wins over a failed one.
    """
    found: dict[int, tuple[int, dict[str, Any], Observation | Failure]] = {}
    for item in items:
        if not isinstance(item, dict):
            result.unmatched += 1
            continue
        asin = _requested_asin(batch, item)
        if asin is None:
            result.unmatched += 1
            result.other_asins.update(filter(None, [read_asin(item.get("asin"))]))
            continue
        number = batch.products[asin]
        parsed = batch.actor.parse_item(
            item, RequestedProduct(batch.marketplace, asin), batch.captured_at
        )
        if number not in found or isinstance(found[number][2], Failure):
            found[number] = (number, item, parsed)
    return list(found.values())


def _requested_asin(batch: Batch, item: dict[str, Any]) -> str | None:
    """Return the ASIN of the batch that an item answers, None for an unrequested product."""
    asin, _ = batch.actor.find_requested_product(item)
    if asin in batch.products:
        return asin
    named = item.get("asin")
    if isinstance(named, str) and named in batch.products:
        return named
    # After a redirect an item may no longer name the requested ASIN.
    return next(iter(batch.products)) if len(batch.products) == 1 else None


def _add_sources(
    batch: Batch, read: Iterable[tuple[int, dict[str, Any], Observation | Failure]]
) -> list[SourcedObservation]:
    return [
        SourcedObservation(number, parsed, fetch_run_id=batch.run_id)
        for number, _, parsed in read
        if isinstance(parsed, Observation)
    ]


def _compress_items(items: Sequence[dict[str, Any]]) -> list[bytes]:
    """Return each item as compressed JSON; other threads run while it is compressed."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    packed: list[bytes] = []
    for start in range(0, len(items), _AT_ONCE):
        bodies = [_encode_json(item) for item in items[start : start + _AT_ONCE]]
        parts = compressor.multi_compress_to_buffer([*bodies])
        packed += [parts[place].tobytes() for place in range(len(bodies))]
    return packed


def _store_raw(
    session: Session,
    batch: Batch,
    bodies: dict[int, bytes],
    answered: Container[int],
    now: datetime,
) -> None:
    """Store one original per product: the readable item's, otherwise the first failure's."""
    known = execute_with_arrays(
        session,
        "SELECT product_id, i.outcome FROM unnest(%s::int8[], %s::int8[]) AS k (run, product_id) "
        "JOIN fetch_item i USING (product_id) WHERE i.fetch_run_id = k.run "
        "AND i.outcome IS NOT NULL",
        [(batch.run_id, number) for number in bodies],
        fetch=True,
    )
    failed_before = {number for number, outcome in known if not Outcome(outcome).is_about_product}
    replaced = [number for number in failed_before if number in answered]
    stored_before = {number for number, _ in known}.difference(replaced)
    execute_with_arrays(
        session,
        "DELETE FROM raw_item AS r USING unnest(%s::int8[], %s::int8[]) AS k (run, product_id) "
        "WHERE r.fetch_run_id = k.run AND r.product_id = k.product_id",
        [(batch.run_id, number) for number in replaced],
    )
    copy_rows(
        session,
        "raw_item",
        {
            "fetch_run_id": "int8",
            "product_id": "int8",
            "stored_at": "timestamptz",
            "parser_version": "int4",
            "body": "bytea",
        },
        [
            (batch.run_id, number, now, PARSER_VERSION, body)
            for number, body in bodies.items()
            if number not in stored_before
        ],
    )


_STORE_OUTCOMES = f"""
UPDATE fetch_item AS i SET outcome = n.outcome, detail = n.detail,
    captured_at = n.captured_at, parser_version = {PARSER_VERSION}
FROM unnest(%s::int8[], %s::int8[], %s::text[], %s::text[], %s::timestamptz[])
    AS n (run, product_id, outcome, detail, captured_at)
WHERE i.fetch_run_id = n.run AND i.product_id = n.product_id
AND (i.outcome IS NULL OR NOT i.outcome = ANY('{{{_ANSWERS}}}'))
"""


def _store_outcomes(
    session: Session,
    batch: Batch,
    parsed: Iterable[tuple[int, Observation | Failure]],
    refused: dict[int, str],
    result: StoreItemsResult,
) -> None:
    rows = [_outcome_row(batch, number, item, refused.get(number)) for number, item in parsed]
    result.failed += sum(1 for row in rows if not Outcome(row[2]).is_about_product)
    execute_with_arrays(
        session,
        _STORE_OUTCOMES,
        rows,
    )


def _outcome_row(
    batch: Batch, number: int, parsed: Observation | Failure, refused: str | None
) -> tuple[int, int, str, str | None, datetime | None]:
    if refused is not None:
        return batch.run_id, number, Outcome.BAD_INPUT.value, refused, None
    detail = parsed.detail if isinstance(parsed, Failure) else None
    return batch.run_id, number, parsed.outcome.value, detail, parsed.captured_at


def _encode_json(item: dict[str, Any]) -> bytes:
    """Return an original as JSON, also with lone surrogates and huge numbers, unlike orjson."""
    try:
        return orjson.dumps(item)
    except TypeError:
        return json.dumps(item).encode()


def decode_raw_item(body: bytes) -> Any:
    """Return a stored original as JSON values."""
    return json.loads(zstandard.ZstdDecompressor().decompress(body))
