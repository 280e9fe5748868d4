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
from core.history.ingest.differences import differing_fields, values_of
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
    PartOf,
    ProductHistory,
    Refusal,
    Row,
    TrackRequest,
    unreadable_words,
)
from core.tracking.rules import Cadence, Role
from core.tracking.service import NewTracking, pause, track

CHUNK_ROWS = 500  # rows in a transaction
CHUNK_OBSERVATIONS = 4000  # observations in a transaction, where rows carry whole histories


@dataclass(slots=True)
class RowResult:
    """What became of one row."""

    number: int
    asked: str
    verdict: str
    detail: str | None = None
    product_id: int | None = None


@dataclass(slots=True)
class Chunk:
    """Some rows of a file, small enough for one transaction."""

    rows: list[Row] = field(default_factory=list)
    looks: int = 0


def split_into_chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows in chunks of bounded work. Where they break off, those before are yielded."""
    chunk = Chunk()
    try:
        for row in rows:
            chunk.rows.append(row)
            chunk.looks += row.observations
            if len(chunk.rows) >= CHUNK_ROWS or chunk.looks >= CHUNK_OBSERVATIONS:
                yield chunk.rows
                chunk = Chunk()
    except UnreadableFileError:
        if chunk.rows:
            yield chunk.rows
        raise
    if chunk.rows:
        yield chunk.rows


def observation_times(rows: Sequence[Row]) -> list[datetime]:
    """Return the times of all observations, for which there must be room."""
    return [look.captured_at for row in rows for look in _observations(row)]


def _observations(row: Row) -> Sequence[Observation]:
    if isinstance(row.result, Observation):
        return [row.result]
    return row.result.observations if isinstance(row.result, ProductHistory) else []


@requires(Permission.TRACK)
def store_chunk(
    session: Session, principal: Principal, run: ImportRun, rows: Sequence[Row], now: datetime
) -> list[RowResult]:
    """Store a chunk and count it; return a verdict for every row."""
    products = _follow(session, principal, run, rows)
    count_added = len(products.added)
    looks = [
        SourcedObservation(products.ids[look.marketplace, look.asin], look, import_run_id=run.id)
        for row in rows
        for look in _observations(row)
    ]
    stored = store_observations(session, looks, now)
    differing = _differing(session, looks, stored)
    verdicts = _row_results(session, run.id, rows, products, stored, differing)
    _store_results(session, run.id, verdicts)
    _count(session, run.id, verdicts, stored, count_added)
    return verdicts


def _differing(
    session: Session, looks: Sequence[SourcedObservation], stored: StoreResult
) -> dict[int, list[str]]:
    """Return, for observations of moments that are stored, in which fields they differ from it.

    By the id of the observation; those that were stored right now are not among them.
    """
    new = set(stored.kept)
    refused = {id(look.observation) for look, _ in stored.refused}
    again = []
    for look in looks:
        key = _key(look.product_id, look.observation)
        if key in new:
            new.discard(key)
        elif id(look.observation) not in refused:
            again.append((key, look.observation))
    before = stored_values(session, list({key for key, _ in again}))
    differing = {
        id(seen): differing_fields(before[key], values_of(without_zero_amounts(seen)))
        for key, seen in again
        if key in before
    }
    return {number: fields for number, fields in differing.items() if fields}


_STAYS_PAUSED = "It is paused and stays so: resume it on the products page to have it fetched."


@dataclass(frozen=True, slots=True)
class _Products:
    """The products that a chunk's rows name."""

    ids: dict[tuple[str, str], int]  # by marketplace and ASIN
    added: set[int]  # not followed before, and no row has told so yet
    paused: set[int]  # followed before, to be fetched by this import, and paused


def _follow(
    session: Session, principal: Principal, run: ImportRun, rows: Sequence[Row]
) -> _Products:
    """Follow every product the rows name."""
    # Thousands of rows about one product wish the same: once is enough.
    wishes = list(dict.fromkeys(wish for row in rows if (wish := _wish(row, run)) is not None))
    followed = track(session, principal, wishes, fetch=run.is_fetched, noted=False)
    added = {answer.product_id for answer in followed if answer.is_new}
    if not run.is_fetched:
        # Their history is there to see; nothing is spent on them until somebody says so.
        pause(session, principal, added, noted=False)
    ids = {
        (wish.marketplace, wish.asin): answer.product_id
        for wish, answer in zip(wishes, followed, strict=True)
    }
    paused = {answer.product_id for answer in followed if answer.is_paused and run.is_fetched}
    return _Products(ids, added, paused)


def _wish(row: Row, run: ImportRun) -> NewTracking | None:
    """Return what a row wants followed, None for a row that names no product."""
    said = row.result
    role = _role_of(run)
    if isinstance(said, TrackRequest):
        return NewTracking(
            said.marketplace,
            said.asin,
            role=Role(said.role) if said.role else role,
            cadence=Cadence(said.cadence) if said.cadence else None,
            tags=(*run.tags, *said.tags),
            note=said.note,
            price_change_percent=said.price_change_percent,
            rank_change_percent=said.rank_change_percent,
        )
    if isinstance(said, Observation | ProductHistory):
        return NewTracking(said.marketplace, said.asin, role=role, tags=tuple(run.tags))
    return None


def _role_of(run: ImportRun) -> Role | None:
    """Return the role that was chosen, None for the usual one.

    New products are watched without a word; a product that is one's own already
    must not become a watched one because its history was imported.
    """
    return None if run.role == Role.WATCHED else Role(run.role)


def _row_results(
    session: Session,
    run_id: int,
    rows: Sequence[Row],
    products: "_Products",
    stored: StoreResult,
    differing: Mapping[int, list[str]],
) -> list[RowResult]:
    refused = {id(look.observation): reason for look, reason in stored.refused}
    fate = _Outcome(stored, refused, differing)
    parts = [row.result.row for row in rows if isinstance(row.result, PartOf)]
    known = _stored_results(session, run_id, parts)  # of rows in an earlier chunk
    for row in rows:
        if isinstance(row.result, PartOf):
            known[row.number] = _part_result(row, known[row.result.row])
        else:
            known[row.number] = _row_result(row, products, fate)
    return [known[row.number] for row in rows]


def _stored_results(session: Session, run_id: int, numbers: Sequence[int]) -> dict[int, RowResult]:
    if not numbers:
        return {}
    kept = session.scalars(
        select(ImportRow).where(ImportRow.import_run_id == run_id, ImportRow.number.in_(numbers))
    )
    return {
        row.number: RowResult(row.number, row.asked, row.verdict, row.detail, row.product_id)
        for row in kept
    }


def _part_result(row: Row, carrier: RowResult) -> RowResult:
    """Return the verdict of a row whose values another one carries: what became of that one."""
    verdict = PART_OF if carrier.verdict == STORED else carrier.verdict
    detail = " ".join(filter(None, (f"Read together with row {carrier.number}.", carrier.detail)))
    return RowResult(row.number, row.asked, verdict, detail)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of the observations of a chunk."""

    stored: StoreResult
    refused: Mapping[int, str]  # why, by the observation's id
    differing: Mapping[int, list[str]]  # in which fields from what is stored, by id


def _row_result(row: Row, products: "_Products", fate: _Outcome) -> RowResult:
    said = row.result
    assert not isinstance(said, PartOf)
    if isinstance(said, Failure):
        return RowResult(row.number, row.asked, said.outcome.value, said.detail)
    if isinstance(said, Refusal):
        return RowResult(row.number, row.asked, said.why.value, said.detail)
    product_id = products.ids[said.marketplace, said.asin]
    if isinstance(said, TrackRequest):
        return _track_result(row, product_id, products)
    return _history_result(row, product_id, fate)


def _track_result(row: Row, product_id: int, products: "_Products") -> RowResult:
    if product_id in products.added:
        products.added.discard(product_id)  # a second row of it finds it tracked
        return RowResult(row.number, row.asked, ADDED, None, product_id)
    detail = _STAYS_PAUSED if product_id in products.paused else None
    return RowResult(row.number, row.asked, TRACKED, detail, product_id)


def _history_result(row: Row, product_id: int, fate: _Outcome) -> RowResult:
    """Return the verdict of a row that carries observations."""
    looks = _observations(row)
    kept = fate.stored.kept
    new = [look for look in looks if _key(product_id, look) in kept]
    for look in new:
        kept.discard(_key(product_id, look))  # a second row of it finds it stored
    reasons = sorted({fate.refused[id(look)] for look in looks if id(look) in fate.refused})
    reasons += filter(None, [unreadable_words(row.unreadable), _contradiction(looks, fate)])
    if new:
        verdict = STORED
        counted = f"{len(new)} of {len(looks)} observations are new."
        reasons = [counted, *reasons] if len(looks) > 1 else reasons
    elif any(id(look) in fate.refused for look in looks):
        verdict = "bad_input"
    else:
        verdict = CONTRADICTS if any(id(look) in fate.differing for look in looks) else KNOWN
    return RowResult(row.number, row.asked, verdict, " ".join(reasons) or None, product_id)


def _contradiction(looks: Sequence[Observation], fate: _Outcome) -> str:
    """Return in what observations differ from those stored of their moments, "" if in nothing."""
    differing = [fate.differing[id(look)] for look in looks if id(look) in fate.differing]
    if not differing:
        return ""
    fields = ", ".join(dict.fromkeys(name for each in differing for name in each))
    if len(looks) == 1:
        return (
            f"Another observation of this product and moment is stored and stays; "
            f"this one differs in: {fields}."
        )
    return (
        f"{len(differing)} of {len(looks)} observations differ from those stored of the same "
        f"moments, in: {fields}. The stored ones stay."
    )


def _key(product_id: int, look: Observation) -> tuple[int, datetime, int]:
    return product_id, look.captured_at.astimezone(UTC), int(look.source)


def _store_results(session: Session, run_id: int, verdicts: Sequence[RowResult]) -> None:
    rows = [
        (run_id, v.number, _storable(v.asked), v.verdict, _storable(v.detail), v.product_id)
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


def _storable(words: str | None) -> str | None:
    """Return text that PostgreSQL takes: no NUL, no lone surrogates."""
    if words is None:
        return None
    return words.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _count(
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
