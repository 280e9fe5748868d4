"""Reads for screens: an import, earlier imports, the verdicts of their rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.importing.models import ImportRun
from core.importing.row_outcomes import outcome_label
from core.importing.service import find_earlier_import
from core.text.spreadsheets import Cell, csv_lines

SHOWN_ROWS = 200
_CSV_COLUMNS = ("row", "asked", "verdict", "detail", "marketplace", "asin")
_CSV_PIECE = 2000  # rows fetched and written at a time


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import as shown. Counts are rows of the file; `snapshots_stored` counts observations."""

    id: int
    name: str
    kind: str
    state: str  # offered, queued, running, done, failed
    reason: str | None
    error: str | None
    preview: list[dict[str, Any]]
    columns: list[dict[str, Any]]  # what each is read as: column, meaning, unreadable, rows
    problems: list[str]
    times: str | None
    needs_time: bool
    needs_marketplace: bool
    needs_day_order: bool
    marketplace: str | None
    captured_at: datetime | None
    is_fetched: bool
    role: str
    tags: list[str]
    file_bytes: int
    rows_estimated: int | None
    products_estimated: int | None  # of a list: products that can be tracked
    rows_read: int
    rows_stored: int
    rows_known: int
    rows_failed: int
    snapshots_stored: int
    products_added: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    claimed_until: datetime | None
    is_confirmed_before: bool = False  # the same bytes were imported before

    @property
    def is_open(self) -> bool:
        """Return whether the worker still has to process it."""
        return self.state in ("queued", "running")


@dataclass(frozen=True, slots=True)
class ResultGroup:
    """All rows with one verdict, with the first as the example."""

    verdict: str
    rows: int
    asked: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """The verdict of one row, with its product."""

    number: int
    asked: str
    verdict: str
    detail: str | None
    marketplace: str | None
    asin: str | None


_FIELDS = tuple(ImportView.__dataclass_fields__)[:-1]


def _make_view(run: ImportRun, *, is_confirmed_before: bool = False) -> ImportView:
    values = {name: getattr(run, name) for name in _FIELDS}
    return ImportView(**values, is_confirmed_before=is_confirmed_before)


@requires(Permission.READ)
def find_import(session: Session, principal: Principal, run_id: int) -> ImportView | None:
    """Return an import of the user's team, None if there is none."""
    run = session.get(ImportRun, run_id, populate_existing=True)
    if run is None or run.team_id != principal.team_id or run.state == "discarded":
        return None
    earlier = (
        find_earlier_import(session, principal, run.file_hash) if run.state == "offered" else None
    )
    return _make_view(run, is_confirmed_before=earlier is not None)


@requires(Permission.READ)
def list_imports(session: Session, principal: Principal, limit: int = 20) -> list[ImportView]:
    """Return the team's newest confirmed imports, newest first."""
    runs = session.scalars(
        select(ImportRun)
        .where(
            ImportRun.team_id == principal.team_id, ImportRun.state.not_in(("offered", "discarded"))
        )
        .order_by(ImportRun.created_at.desc())
        .limit(limit)
    )
    return [_make_view(run) for run in runs]


@requires(Permission.READ)
def count_row_results(session: Session, principal: Principal, run_id: int) -> list[ResultGroup]:
    """Return the number of an import's rows per verdict, the most frequent first."""
    rows = session.execute(
        text(
            "SELECT g.verdict, g.rows, r.asked, r.detail FROM ("
            "  SELECT verdict, count(*) AS rows, min(number) AS first FROM import_row"
            "  WHERE import_run_id = :run GROUP BY verdict) AS g "
            "JOIN import_row r ON r.import_run_id = :run AND r.number = g.first "
            "JOIN import_run i ON i.id = :run AND i.team_id = :team "
            "ORDER BY g.rows DESC, g.verdict"
        ),
        {"run": run_id, "team": principal.team_id},
    )
    return [ResultGroup(*row) for row in rows]


_VERDICT_ROWS = (
    "SELECT r.number, r.asked, r.verdict, r.detail, p.marketplace, p.asin FROM import_row r "
    "JOIN import_run i ON i.id = r.import_run_id LEFT JOIN product p ON p.id = r.product_id "
    "WHERE r.import_run_id = %(run)s AND i.team_id = %(team)s AND r.number > %(after)s "
)


@requires(Permission.READ)
def list_row_results(
    session: Session, principal: Principal, run_id: int, verdict: str, limit: int = SHOWN_ROWS
) -> list[ResultRow]:
    """Return the first rows of an import with one verdict, in the file's order."""
    statement = _VERDICT_ROWS + "AND r.verdict = %(verdict)s ORDER BY r.number LIMIT %(limit)s"
    given = _make_parameters(principal, run_id) | {"verdict": verdict, "limit": limit}
    rows = driver_connection(session).execute(statement, given).fetchall()
    return [ResultRow(*row) for row in rows]


@requires(Permission.READ)
def export_row_results(session: Session, principal: Principal, run_id: int) -> Iterator[str]:
    """Yield the verdicts of all rows as pieces of a CSV that spreadsheets may open."""
    yield csv_lines([_CSV_COLUMNS])
    statement = _VERDICT_ROWS + "ORDER BY r.number LIMIT %(limit)s"
    given: dict[str, Any] = _make_parameters(principal, run_id) | {"limit": _CSV_PIECE}
    while rows := driver_connection(session).execute(statement, given).fetchall():
        yield csv_lines([_csv_cells(ResultRow(*row)) for row in rows])
        given["after"] = rows[-1][0]


def _make_parameters(principal: Principal, run_id: int) -> dict[str, Any]:
    # Row numbers begin at 1, so "after 0" is all rows.
    return {"run": run_id, "team": principal.team_id, "after": 0}


def _csv_cells(row: ResultRow) -> tuple[Cell, ...]:
    verdict = outcome_label(row.verdict)
    return row.number, row.asked, verdict, row.detail, row.marketplace, row.asin


@requires(Permission.READ)
def find_only_product(
    session: Session, principal: Principal, run_id: int
) -> tuple[str, str] | None:
    """Return (marketplace, ASIN) if all rows of an import are of one product, else None."""
    found = session.execute(
        text(
            "SELECT p.marketplace, p.asin FROM ("
            "  SELECT DISTINCT r.product_id FROM import_row r "
            "  JOIN import_run i ON i.id = r.import_run_id "
            "  WHERE r.import_run_id = :run AND i.team_id = :team "
            "  AND r.product_id IS NOT NULL LIMIT 2) AS d JOIN product p ON p.id = d.product_id"
        ),
        {"run": run_id, "team": principal.team_id},
    ).all()
    return (found[0][0], found[0][1]) if len(found) == 1 else None
