"""The first rows of a file, read as an import would: what its columns are taken for, what fails.

Told before anything is confirmed. Nothing is stored.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from core.history.observation import Failure
from core.importing.reading import column_meanings, read_rows
from core.importing.rows import FileKind, ReadContext, Refusal, Refused, Row, TrackRequest
from core.importing.source_file import UnreadableFileError
from core.importing.verdicts import label_of

TRIAL_ROWS = 500
# Stands in for the time that will be confirmed; nothing keeps it.
_TRIAL_TIME = datetime(2020, 1, 1, tzinfo=UTC)
_ANY_MARKETPLACE = "US"
_MOST_REASONS = 4


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """What one column of a table is taken for. `meaning` None: it is not used."""

    column: str
    meaning: str | None
    unreadable: int  # of the rows tried
    rows: int  # tried


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a file's first rows."""

    needs_marketplace: bool
    problems: list[str]
    uses: tuple[ColumnUse, ...]
    rows: int = 0  # tried
    products: int = 0  # that they name in a way that can be tracked

    def products_among(self, rows: int | None) -> int | None:
        """Return how many products a list of so many rows names; None: can't be told."""
        if self.rows < TRIAL_ROWS:
            return self.products
        return None if rows is None else round(rows * self.products / self.rows)


def try_out(path: Path, kind: FileKind, marketplace: str | None) -> Trial:
    """Return what became of the first rows; `marketplace` is the one that will be suggested."""
    try:
        rows = _first_rows(path, kind, None)
        needs = any(_needs_marketplace(row) for row in rows)
        if needs:
            rows = _first_rows(path, kind, marketplace or _ANY_MARKETPLACE)
        uses = _uses(column_meanings(path, kind), rows)
    except UnreadableFileError as error:
        return Trial(False, [str(error)], ())
    problems = list(_failing(rows)) if rows else ["The file has a header and no rows."]
    return Trial(needs, problems, uses, len(rows), _count_products(rows))


def _first_rows(path: Path, kind: FileKind, marketplace: str | None) -> list[Row]:
    context = ReadContext(captured_at=_TRIAL_TIME, default_marketplace=marketplace)
    return list(islice(read_rows(path, kind, context), TRIAL_ROWS))


def _count_products(rows: Sequence[Row]) -> int:
    asked = (row.result for row in rows)
    return len({(e.marketplace, e.asin) for e in asked if isinstance(e, TrackRequest)})


def _needs_marketplace(row: Row) -> bool:
    return isinstance(row.result, Refusal) and row.result.why is Refused.NEEDS_MARKETPLACE


def _uses(meanings: Mapping[str, str | None], rows: Sequence[Row]) -> tuple[ColumnUse, ...]:
    unreadable = Counter(column for row in rows for column in row.unreadable)
    return tuple(
        ColumnUse(column, meaning, unreadable[column], len(rows))
        for column, meaning in meanings.items()
    )


def _failing(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence for each kind of verdict with which rows will fail."""
    failed: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        said = row.result
        if isinstance(said, Failure | Refusal):
            verdict = said.outcome.value if isinstance(said, Failure) else said.why.value
            failed.setdefault(verdict, []).append((row.number, said.detail))
    of = f"of the first {len(rows)} rows" if len(rows) == TRIAL_ROWS else f"of {len(rows)} rows"
    for verdict, found in islice(failed.items(), _MOST_REASONS):
        number, detail = found[0]
        yield f"{len(found)} {of} will not be stored ({label_of(verdict)}). Row {number}: {detail}"
