"""Stores the rows of an import, a chunk at a time, each with its verdict. Never commits.

Counts in = stored + already there + failed with a reason, contradictions among them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.bulk_write import insert_rows
from core.history.ingest.contradictions import stored_values
from core.history.ingest.differences import differing_fields, snapshot_values
from core.history.ingest.quality_gate import without_zero_amounts
from core.history.ingest.store import SourcedObservation, StoreResult, store_observations
from core.history.observation import Failure, Observation
from core.importing.files.source_file import UnreadableFileError
from core.importing.models import ImportRow, ImportRun
from core.importing.row_outcomes import (
    ADDED,
    CONTRADICTS,
    GOOD,
    KNOWN,
    PART_OF,
    STORED,
    THERE,
    TRACKED,
)
from core.importing.values.rows import (
    ProductHistory,
    Refusal,
    Row,
    RowPart,
    TrackRequest,
    describe_unreadable,
)
from core.tracking.rules import Cadence, Role
from core.tracking.service import NewTracking, pause, track

CHUNK_ROWS = 500  # rows in a transaction
CHUNK_OBSERVATIONS = 4000  # observations in a transaction, where rows carry whole histories


@dataclass(slots=True)
class RowResult:
    """The verdict on one row."""

    number: int
    asked: str
    verdict: str
    detail: str | None = None
    product_id: int | None = None


@dataclass(slots=True)
class Chunk:
    """Some rows of a file, small enough for one transaction."""

    rows: list[Row] = field(default_factory=list)
    observation_count: int = 0


def split_into_chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows in chunks of bounded work; also the rows before a point where the file breaks off.

    Raises UnreadableFileError after those.
    """
    chunk = Chunk()
    try:
        for row in rows:
            chunk.rows.append(row)
            chunk.observation_count += row.observation_count
            if len(chunk.rows) >= CHUNK_ROWS or chunk.observation_count >= CHUNK_OBSERVATIONS:
                yield chunk.rows
                chunk = Chunk()
    except UnreadableFileError:
        if chunk.rows:
            yield chunk.rows
        raise
    if chunk.rows:
        yield chunk.rows


def observation_times(rows: Sequence[Row]) -> list[datetime]:
    """Return the times of all observations, whose partitions must exist."""
    return [observation.captured_at for row in rows for observation in _list_observations(row)]


def _list_observations(row: Row) -> Sequence[Observation]:
    if isinstance(row.result, Observation):
        return [row.result]
    return row.result.observations if isinstance(row.result, ProductHistory) else []


@requires(Permission.TRACK)
def store_chunk(
    session: Session, principal: Principal, run: ImportRun, rows: Sequence[Row], now: datetime
) -> list[RowResult]:
    """Store a chunk, add it to the import's counts, and return a verdict for every row."""
    products = _track_products(session, principal, run, rows)
    count_added = len(products.added)
    observations = [
        SourcedObservation(
            products.ids[observation.marketplace, observation.asin],
            observation,
            import_run_id=run.id,
        )
        for row in rows
        for observation in _list_observations(row)
    ]
    stored = store_observations(session, observations, now)
    differing = _find_differing(session, observations, stored)
    verdicts = _make_row_results(session, run.id, rows, products, stored, differing)
    _store_results(session, run.id, verdicts)
    _add_counts(session, run.id, verdicts, stored, count_added)
    return verdicts


def _find_differing(
    session: Session, observations: Sequence[SourcedObservation], stored: StoreResult
) -> dict[int, list[str]]:
    """Return in which fields observations differ from one already stored of the same moment.

    The keys are the `id()` of the observations. Those just stored are left out.
    """
    new = set(stored.new_keys)
    refused = {id(observation.observation) for observation, _ in stored.refused}
    again = []
    for observation in observations:
        key = _make_key(observation.product_id, observation.observation)
        if key in new:
            new.discard(key)
        elif id(observation.observation) not in refused:
            again.append((key, observation.observation))
    before = stored_values(session, list({key for key, _ in again}))
    differing = {
        id(seen): differing_fields(before[key], snapshot_values(without_zero_amounts(seen)))
        for key, seen in again
        if key in before
    }
    return {number: fields for number, fields in differing.items() if fields}


_STAYS_PAUSED = "The product stays paused: resume it on the Products page to have it checked."


@dataclass(frozen=True, slots=True)
class _Products:
    """The products that a chunk's rows name."""

    ids: dict[tuple[str, str], int]  # by marketplace and ASIN
    added: set[int]  # not tracked before, and not yet reported by a row
    paused: set[int]  # tracked before and paused, although the import asks for checks


def _track_products(
    session: Session, principal: Principal, run: ImportRun, rows: Sequence[Row]
) -> _Products:
    """Track every product the rows name."""
    # Thousands of rows of one product make the same request: once is enough.
    requests = list(
        dict.fromkeys(
            request for row in rows if (request := _make_tracking_request(row, run)) is not None
        )
    )
    tracked = track(session, principal, requests, fetch=run.is_fetched, is_recorded=False)
    added = {answer.product_id for answer in tracked if answer.is_new}
    if not run.is_fetched:
        # Their history can be seen; checks cost money and begin when a user resumes them.
        pause(session, principal, added, is_recorded=False)
    ids = {
        (request.marketplace, request.asin): answer.product_id
        for request, answer in zip(requests, tracked, strict=True)
    }
    paused = {answer.product_id for answer in tracked if answer.is_paused and run.is_fetched}
    return _Products(ids, added, paused)


def _make_tracking_request(row: Row, run: ImportRun) -> NewTracking | None:
    """Return the tracking a row asks for, None for a row that names no product."""
    result = row.result
    role = _find_chosen_role(run)
    if isinstance(result, TrackRequest):
        return NewTracking(
            result.marketplace,
            result.asin,
            role=Role(result.role) if result.role else role,
            cadence=Cadence(result.cadence) if result.cadence else None,
            tags=(*run.tags, *result.tags),
            note=result.note,
            price_change_percent=result.price_change_percent,
            rank_change_percent=result.rank_change_percent,
        )
    if isinstance(result, Observation | ProductHistory):
        return NewTracking(result.marketplace, result.asin, role=role, tags=tuple(run.tags))
    return None


def _find_chosen_role(run: ImportRun) -> Role | None:
    """Return the role that was chosen, None for the default, watched.

    None leaves the role of tracked products as it is: importing the history of an own
    product must not turn it into a watched one.
    """
    return None if run.role == Role.WATCHED else Role(run.role)


def _make_row_results(
    session: Session,
    run_id: int,
    rows: Sequence[Row],
    products: "_Products",
    stored: StoreResult,
    differing: Mapping[int, list[str]],
) -> list[RowResult]:
    refused = {id(observation.observation): reason for observation, reason in stored.refused}
    outcomes = _ObservationOutcomes(stored, refused, differing)
    parts = [row.result.row for row in rows if isinstance(row.result, RowPart)]
    known = _read_stored_results(session, run_id, parts)  # of rows in an earlier chunk
    for row in rows:
        if isinstance(row.result, RowPart):
            known[row.number] = _make_part_result(row, known[row.result.row])
        else:
            known[row.number] = _make_row_result(row, products, outcomes)
    return [known[row.number] for row in rows]


def _read_stored_results(
    session: Session, run_id: int, numbers: Sequence[int]
) -> dict[int, RowResult]:
    if not numbers:
        return {}
    kept = session.scalars(
        select(ImportRow).where(ImportRow.import_run_id == run_id, ImportRow.number.in_(numbers))
    )
    return {
        row.number: RowResult(row.number, row.asked, row.verdict, row.detail, row.product_id)
        for row in kept
    }


def _make_part_result(row: Row, carrier: RowResult) -> RowResult:
    """Return the verdict of a row whose values an earlier row carries: that row's verdict."""
    verdict = PART_OF if carrier.verdict == STORED else carrier.verdict
    detail = " ".join(filter(None, (f"Read together with row {carrier.number}.", carrier.detail)))
    return RowResult(row.number, row.asked, verdict, detail)


@dataclass(frozen=True, slots=True)
class _ObservationOutcomes:
    """How storing the observations of a chunk went."""

    stored: StoreResult
    refused: Mapping[int, str]  # the reason, by the observation's id()
    differing: Mapping[int, list[str]]  # the fields that differ from the stored ones, by id()


def _make_row_result(row: Row, products: "_Products", outcomes: _ObservationOutcomes) -> RowResult:
    result = row.result
    assert not isinstance(result, RowPart)
    if isinstance(result, Failure):
        return RowResult(row.number, row.asked, result.outcome.value, result.detail)
    if isinstance(result, Refusal):
        return RowResult(row.number, row.asked, result.why.value, result.detail)
    product_id = products.ids[result.marketplace, result.asin]
    if isinstance(result, TrackRequest):
        return _make_track_result(row, product_id, products)
    return _make_history_result(row, product_id, outcomes)


def _make_track_result(row: Row, product_id: int, products: "_Products") -> RowResult:
    if product_id in products.added:
        products.added.discard(product_id)  # its next row reports "already tracked"
        return RowResult(row.number, row.asked, ADDED, None, product_id)
    detail = _STAYS_PAUSED if product_id in products.paused else None
    return RowResult(row.number, row.asked, TRACKED, detail, product_id)


def _make_history_result(row: Row, product_id: int, outcomes: _ObservationOutcomes) -> RowResult:
    """Return the verdict of a row that carries observations."""
    observations = _list_observations(row)
    kept = outcomes.stored.new_keys
    new = [
        observation for observation in observations if _make_key(product_id, observation) in kept
    ]
    for observation in new:
        kept.discard(_make_key(product_id, observation))  # its next row reports "already there"
    reasons = sorted(
        {
            outcomes.refused[id(observation)]
            for observation in observations
            if id(observation) in outcomes.refused
        }
    )
    reasons += filter(
        None, [describe_unreadable(row.unreadable), _describe_contradiction(observations, outcomes)]
    )
    if new:
        verdict = STORED
        counted = f"{len(new)} of {len(observations)} observations are new."
        reasons = [counted, *reasons] if len(observations) > 1 else reasons
    elif any(id(observation) in outcomes.refused for observation in observations):
        verdict = "bad_input"
    else:
        verdict = (
            CONTRADICTS
            if any(id(observation) in outcomes.differing for observation in observations)
            else KNOWN
        )
    return RowResult(row.number, row.asked, verdict, " ".join(reasons) or None, product_id)


def _describe_contradiction(
    observations: Sequence[Observation], outcomes: _ObservationOutcomes
) -> str:
    """Return a sentence with the fields that differ from the stored observations, "" if none."""
    differing = [
        outcomes.differing[id(observation)]
        for observation in observations
        if id(observation) in outcomes.differing
    ]
    if not differing:
        return ""
    fields = ", ".join(dict.fromkeys(name for each in differing for name in each))
    if len(observations) == 1:
        return (
            f"A different observation of this product at this time is stored and stays; "
            f"this one differs in: {fields}."
        )
    return (
        f"{len(differing)} of {len(observations)} observations differ from the stored ones of the "
        f"same times in: {fields}. The stored ones stay."
    )


def _make_key(product_id: int, observation: Observation) -> tuple[int, datetime, int]:
    return product_id, observation.captured_at.astimezone(UTC), int(observation.source)


def _store_results(session: Session, run_id: int, verdicts: Sequence[RowResult]) -> None:
    rows = [
        (run_id, v.number, _clean_text(v.asked), v.verdict, _clean_text(v.detail), v.product_id)
        for v in verdicts
    ]
    columns = {
        "import_run_id": "int8",
        "number": "int4",
        "asked": "text",
        "verdict": "text",
        "detail": "text",
        "product_id": "int8",
    }
    insert_rows(session, "import_row", columns, rows, on_conflict="ON CONFLICT DO NOTHING")


def _clean_text(words: str | None) -> str | None:
    """Return text that PostgreSQL accepts: no NUL, no lone surrogates."""
    if words is None:
        return None
    return words.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _add_counts(
    session: Session, run_id: int, verdicts: Sequence[RowResult], stored: StoreResult, added: int
) -> None:
    good = sum(v.verdict in GOOD for v in verdicts)
    there = sum(v.verdict in THERE for v in verdicts)
    session.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id)
        .values(
            rows_read=ImportRun.rows_read + len(verdicts),
            rows_stored=ImportRun.rows_stored + good,
            rows_known=ImportRun.rows_known + there,
            rows_failed=ImportRun.rows_failed + len(verdicts) - good - there,
            snapshots_stored=ImportRun.snapshots_stored + stored.stored,
            products_added=ImportRun.products_added + added,
        )
    )
