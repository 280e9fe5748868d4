"""Stored products per second: fetched items through parser, gate and every table."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

from psycopg import sql

from benchmarks.figures import Figure, seconds_of
from benchmarks.items import asin_of, page_of_items
from benchmarks.servers import Server
from core.accounts.people.membership import get_owner_principal
from core.database.bulk_write import insert_rows
from core.database.session import driver_connection, read_scope, write_scope
from core.history.ingest.store import ensure_partitions
from core.runtime import gc_pause
from core.scraping.parsers.registry import AXESSO_DETAILS
from core.scraping.runs.models import FetchRun
from core.scraping.runs.store_items import Batch, ensure_raw_partition, get_batch, store_items
from core.tracking.service import NewTracking, track

PRODUCTS = 1000
TARGET = 3_000  # products stored in a second


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield products per second with and without reading the page's JSON."""
    rounds = 6 if quick else 16
    with server.database("ingest", _build):
        reading, storing, copying = _rounds(rounds)
    both = [PRODUCTS / (one + other) for one, other in zip(reading, storing, strict=True)]
    alone = [PRODUCTS / seconds for seconds in storing]
    floor = median(PRODUCTS / seconds for seconds in copying)
    yield _figure("Ingest: parse, gate and store 1,000 items of 20 kB", alone, floor)
    yield _figure("Ingest: the same, with json.loads of the page", both, floor)


def _figure(name: str, per_second: Sequence[float], floor: float) -> Figure:
    return Figure(
        name,
        median(per_second),
        "products/s",
        best=max(per_second),
        floor=floor,
        floor_name="COPY of the snapshot rows",
        target=TARGET,
        more_is_better=True,
    )


def _build() -> None:
    """Follow the products and make room for what comes."""
    now = datetime.now(UTC)
    with write_scope() as session:
        track(
            session,
            get_owner_principal(session),
            [NewTracking("US", asin_of(number)) for number in range(PRODUCTS)],
        )
        ensure_raw_partition(session, now)
        ensure_partitions(session, [now - timedelta(hours=hours) for hours in range(0, 900, 24)])
        # A table alike, for the floor.
        connection = driver_connection(session)
        connection.execute("CREATE TABLE floor (LIKE snapshot INCLUDING ALL)")
        connection.execute("ANALYZE product, product_latest, tracking")


def _rounds(rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Return the seconds of reading, storing and the floor for each round but the first two.

    In the first round every product and listing is new, which is not the usual case.
    """
    now = datetime.now(UTC)
    reading, storing, copying = [], [], []
    for number in range(rounds + 2):
        captured_at = now - timedelta(hours=rounds + 2 - number)
        batch = _planned_batch(captured_at)
        body = json.dumps(page_of_items(range(PRODUCTS), number)).encode()
        reading.append(seconds_of(partial(_load, body)))
        storing.append(seconds_of(partial(_store, batch, json.loads(body))))
        copying.append(_floor(captured_at))
    return reading[2:], storing[2:], copying[2:]


def _load(body: bytes) -> None:
    """Read a page as the client does, the collector at rest as in `Apify.list_items`."""
    with gc_pause.paused_gc():
        json.loads(body)


def _planned_batch(captured_at: datetime) -> Batch:
    """Return a batch as a finished run leaves it."""
    with write_scope() as session:
        run = FetchRun(
            provider="apify",
            actor=AXESSO_DETAILS.id,
            marketplace="US",
            input={},
            input_hash=b"",
            state="finished",
            batch_size=PRODUCTS,
        )
        session.add(run)
        session.flush()
        ids = session.connection().exec_driver_sql("SELECT id FROM product").scalars().all()
        columns = {"fetch_run_id": "int8", "product_id": "int8"}
        insert_rows(session, "fetch_item", columns, [(run.id, number) for number in ids])
        run_id = run.id
    with read_scope() as session:
        return get_batch(session, run_id, AXESSO_DETAILS, captured_at)


def _store(batch: Batch, items: list[object]) -> None:
    with write_scope() as session:
        result = store_items(session, batch, items, datetime.now(UTC))
    if result.stored != PRODUCTS:
        raise RuntimeError(f"Of {PRODUCTS} items {result} were stored: the data is wrong.")


def _floor(captured_at: datetime) -> float:
    """Return the seconds of a binary COPY of the rows that were just stored."""
    rows = sql.SQL("SELECT * FROM snapshot WHERE captured_at = {}").format(captured_at)
    with write_scope() as session:
        cursor = driver_connection(session).cursor()
        out = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(rows)
        with cursor.copy(out) as copy:
            body = b"".join(bytes(part) for part in copy)
    return seconds_of(lambda: _copy_in(body))


def _copy_in(body: bytes) -> None:
    with write_scope() as session:
        cursor = driver_connection(session).cursor()
        with cursor.copy("COPY floor FROM STDIN (FORMAT binary)") as copy:
            copy.write(body)
