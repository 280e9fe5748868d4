"""One product-year of hours, from the table to a DataFrame."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pandas as pd
import psycopg
from psycopg import pq
from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.figures import Figure, interleaved, milliseconds
from benchmarks.rows import HOURS, build_history, count_snapshots
from benchmarks.servers import Server
from core.database.session import driver_connection, read_scope
from core.history.timeline.queries import snapshot_columns

TARGET_MS = 12.0
_ROW_BYTES = 90  # of a binary COPY, at the least
TARGET_RATIO = 1.6
_FIRST_DAY = "SELECT min(day) FROM product_daily WHERE product_id = 1"
_RAW = (
    "SELECT captured_at, kind, seen, flags, price, list_price, bsr, bsr_category_id, rating, "
    "ratings_count, availability FROM snapshot "
    "WHERE product_id = $1 AND captured_at >= $2 AND captured_at < $3 "
    "ORDER BY captured_at, source"
)


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the milliseconds of a read, and how many times the fastest raw read that is."""
    products = history_size(quick)
    with server.shared("history", lambda: build_history(products)), read_scope() as session:
        rows = count_snapshots()
        reads = _Reads(session, products)
        rounds = 40 if quick else 150
        reading, fetching, copying = interleaved(rounds, reads.frame, reads.fetch, reads.copy)
        page = min(_medians(fetching, copying))
    value, best = milliseconds(reading)
    name = f"History: {HOURS:,} of {rows / 1e6:.1f} million snapshots to a DataFrame"
    raw = f"raw read: fetch {milliseconds(fetching)[0]:.1f}, COPY {milliseconds(copying)[0]:.1f}"
    yield Figure(name, value, "ms", best=best, floor=page, floor_name=raw, target=TARGET_MS)
    yield Figure("History: the same, against the raw read", value / page, "×", target=TARGET_RATIO)


def history_size(quick: bool) -> int:
    """Return how many products have a history: 8.8 million snapshots, or half a million."""
    return 60 if quick else 1000


def _medians(*measured: list[float]) -> list[float]:
    return [milliseconds(seconds)[0] for seconds in measured]


class _Reads:
    """The same rows in three ways, each time of another product."""

    def __init__(self, session: Session, products: int) -> None:
        self._session = session
        self._connection: psycopg.Connection = driver_connection(session)
        self._products = products
        self._until = datetime.now(UTC)
        self._since = self._until - timedelta(days=365)
        self._first_day = session.execute(text(_FIRST_DAY)).scalar_one()  # in the page's summary
        self._taken = 0
        self._connection.pgconn.prepare(b"raw", _RAW.encode())

    def _next(self) -> int:
        # Warm, not the same: every third read of a product is of each kind.
        self._taken += 1
        return 1 + (self._taken // 3) % min(self._products, 40)

    def frame(self) -> None:
        product, since, until = self._next(), self._since, self._until
        columns = snapshot_columns(self._session, product, since, until, self._first_day)
        _check(0 if columns is None else len(pd.DataFrame(columns, copy=False)))

    def fetch(self) -> None:
        """libpq alone, binary, nothing decoded."""
        values = [str(self._next()), self._since.isoformat(), self._until.isoformat()]
        encoded = [value.encode() for value in values]
        result = self._connection.pgconn.exec_prepared(b"raw", encoded, result_format=1)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise RuntimeError(result.error_message.decode())
        _check(result.ntuples)

    def copy(self) -> None:
        """The bytes of a binary COPY, nothing decoded."""
        number, since, until = self._next(), self._since.isoformat(), self._until.isoformat()
        query = _RAW.replace("$1", str(number)).replace("$2", f"'{since}'")
        query = query.replace("$3", f"'{until}'")
        with self._connection.cursor() as cursor:
            with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT binary)") as copy:
                size = sum(len(part) for part in copy)
            _check(size // _ROW_BYTES)


def _check(rows: int) -> None:
    if rows < HOURS - 24:
        raise RuntimeError(f"Only {rows} rows were read: the data is wrong.")
