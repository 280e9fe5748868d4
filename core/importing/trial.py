"""A trial of a file's first rows: what its columns are read as, and which rows would fail.

It is shown before the import is confirmed. Nothing is stored.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from core.history.ingest.differences import differing_fields, snapshot_values
from core.history.ingest.rejections import check_storable
from core.history.observation import Failure, Observation, Outcome
from core.importing.files.source_file import UnreadableFileError
from core.importing.read_rows import column_meanings, needs_day_order, read_rows
from core.importing.row_outcomes import outcome_label
from core.importing.values.rows import (
    DayOrder,
    FileKind,
    ReadContext,
    Refusal,
    RefusalReason,
    Row,
    TrackRequest,
)
from core.text.numbers import format_counted

TRIAL_ROWS = 500
# Stands in for the time that will be confirmed; it is never stored.
_TRIAL_TIME = datetime(2020, 1, 1, tzinfo=UTC)
_ANY_MARKETPLACE = "US"
_MOST_REASONS = 4


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """What one column of a table is read as. `meaning` None: it is not used."""

    column: str
    meaning: str | None
    unreadable: int  # of the rows tried
    rows: int  # tried


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of reading a file's first rows."""

    needs_marketplace: bool
    problems: list[str]
    uses: tuple[ColumnUse, ...]
    rows: int = 0  # tried
    products: int = 0  # distinct ones in these rows that can be tracked
    needs_day_order: bool = False

    def products_among(self, rows: int | None) -> int | None:
        """Return how many products a list of so many rows names; None if unknown."""
        if self.rows < TRIAL_ROWS:
            return self.products
        return None if rows is None else round(rows * self.products / self.rows)


@dataclass(frozen=True, slots=True)
class TrialContext:
    """By what the first rows are read. None: not known yet."""

    time_zone: str = "UTC"  # IANA name, of who will confirm the import
    now: datetime | None = None  # aware; times behind it are no observations
    marketplace: str | None = None  # the one that will be suggested
    day_order: DayOrder | None = None


def try_file(path: Path, kind: FileKind, context: TrialContext) -> Trial:
    """Return what became of the first rows."""
    try:
        asks = needs_day_order(path, kind)
    except UnreadableFileError as error:
        return Trial(False, [str(error)], ())
    if not asks:
        return _try_rows(path, kind, context)
    # Either order shows what else fails; which dates lie in the future is not known yet.
    open_order = replace(context, now=None, day_order=DayOrder.DAY_FIRST)
    return replace(_try_rows(path, kind, open_order), needs_day_order=True)


def _try_rows(path: Path, kind: FileKind, context: TrialContext) -> Trial:
    try:
        rows = _read_first_rows(path, kind, context, None)
        needs = any(map(_needs_marketplace, rows))
        if needs:
            rows = _read_first_rows(path, kind, context, context.marketplace or _ANY_MARKETPLACE)
        meanings = column_meanings(path, kind)
    except UnreadableFileError as error:
        return Trial(False, [str(error)], ())
    if not rows:
        return Trial(
            needs, ["The file has a header and no rows."], _count_column_uses(meanings, [])
        )
    products = _count_products(rows)
    if needs and context.marketplace is None:  # how amounts are to be read is not known yet
        own = [row for row in rows if not _is_foreign(row)]
        problems = list(_describe_failures(own, context.now))
        return Trial(needs, problems, _count_column_uses(meanings, []), len(rows), products)
    problems = [*_describe_failures(rows, context.now), *_describe_contradictions(rows)]
    return Trial(needs, problems, _count_column_uses(meanings, rows), len(rows), products)


def _read_first_rows(
    path: Path, kind: FileKind, context: TrialContext, marketplace: str | None
) -> list[Row]:
    given = ReadContext(_TRIAL_TIME, marketplace, context.time_zone, context.day_order)
    return list(islice(read_rows(path, kind, given), TRIAL_ROWS))


def _is_foreign(row: Row) -> bool:
    """Return whether the row's currency differs from that of the marketplace of the trial."""
    return isinstance(row.result, Failure) and row.result.outcome is Outcome.WRONG_LOCALE


def _count_products(rows: Sequence[Row]) -> int:
    asked = (row.result for row in rows)
    return len({(e.marketplace, e.asin) for e in asked if isinstance(e, TrackRequest)})


def _needs_marketplace(row: Row) -> bool:
    return isinstance(row.result, Refusal) and row.result.why is RefusalReason.NEEDS_MARKETPLACE


def _count_column_uses(
    meanings: Mapping[str, str | None], rows: Sequence[Row]
) -> tuple[ColumnUse, ...]:
    unreadable = Counter(column for row in rows for column in row.unreadable)
    return tuple(
        ColumnUse(column, meaning, unreadable[column], len(rows))
        for column, meaning in meanings.items()
    )


def _describe_failures(rows: Sequence[Row], now: datetime | None) -> Iterator[str]:
    """Yield a sentence for each verdict with which rows will fail."""
    failed: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        result = row.result
        if isinstance(result, Failure | Refusal):
            verdict = result.outcome.value if isinstance(result, Failure) else result.why.value
            failed.setdefault(verdict, []).append((row.number, result.detail))
        elif isinstance(result, Observation) and now and (why := check_storable(result, now)):
            failed.setdefault(Outcome.BAD_INPUT.value, []).append((row.number, why))
    for verdict, found in islice(failed.items(), _MOST_REASONS):
        number, detail = found[0]
        share = (
            f"{len(found)} {_describe_share(rows)} will not be stored ({outcome_label(verdict)})"
        )
        yield f"{share}. Row {number}: {detail}"


def _describe_contradictions(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence if rows contradict an earlier row of the same product and moment."""
    first: dict[tuple[str, str, datetime], dict[str, Any]] = {}
    found = []
    for row in rows:
        if isinstance(row.result, Observation):
            seen = row.result
            values = snapshot_values(seen)
            before = first.setdefault((seen.marketplace, seen.asin, seen.captured_at), values)
            if differing_fields(before, values):
                found.append(row.number)
    if found:
        yield (
            f"{len(found)} {_describe_share(rows)} will not be stored: each contradicts an earlier "
            f"row of the same product and time, which stays. The first is row {found[0]}."
        )


def _describe_share(rows: Sequence[Row]) -> str:
    if len(rows) == TRIAL_ROWS:
        return f"of the first {TRIAL_ROWS} rows"
    return f"of {format_counted(len(rows), 'row')}"
