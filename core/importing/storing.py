"""Stores the rows of an import, a chunk at a time, each with its verdict. Never commits.

Counts in = stored + already there + failed with a reason.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.rules import Acting, Right
from core.accounts.verbs import verb
from core.bulk import insert_rows
from core.history.observation import Failure, Observation
from core.history.store import Look, Stored, store_looks
from core.importing.models import ImportRun
from core.importing.rows import PartOf, ProductHistory, Refusal, Row, TrackRequest
from core.importing.verdicts import ADDED, GOOD, KNOWN, PART_OF, STORED, THERE, TRACKED
from core.tracking.rules import Cadence, Role
from core.tracking.service import LONGEST_NOTE, Wish, follow, pause

ROWS = 500  # rows in a transaction
LOOKS = 4000  # observations in a transaction, where rows carry whole histories


@dataclass(slots=True)
class Verdict:
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


def chunks(rows: Iterable[Row], skip: int) -> Iterator[list[Row]]:
    """Yield rows in chunks of bounded work, without the first `skip`."""
    chunk = Chunk()
    for row in islice(rows, skip, None):
        chunk.rows.append(row)
        chunk.looks += _size(row)
        if len(chunk.rows) >= ROWS or chunk.looks >= LOOKS:
            yield chunk.rows
            chunk = Chunk()
    if chunk.rows:
        yield chunk.rows


def _size(row: Row) -> int:
    return len(row.result.observations) if isinstance(row.result, ProductHistory) else 1


def times_of(rows: Sequence[Row]) -> list[datetime]:
    """Return the times of all observations, for which there must be room."""
    return [look.captured_at for row in rows for look in _observations(row)]


def _observations(row: Row) -> Sequence[Observation]:
    if isinstance(row.result, Observation):
        return [row.result]
    return row.result.observations if isinstance(row.result, ProductHistory) else []


@verb(Right.TRACK)
def store_chunk(
    session: Session, acting: Acting, run: ImportRun, rows: Sequence[Row], now: datetime
) -> list[Verdict]:
    """Store a chunk and count it; return a verdict for every row."""
    products, added = _follow(session, acting, run, rows)
    count_added = len(added)
    looks = [
        Look(products[look.marketplace, look.asin], look, import_run_id=run.id)
        for row in rows
        for look in _observations(row)
    ]
    stored = store_looks(session, looks, now)
    verdicts = [_verdict(row, products, added, stored) for row in rows]
    _keep_verdicts(session, run.id, verdicts)
    _count(session, run.id, verdicts, stored, count_added)
    return verdicts


def _follow(
    session: Session, acting: Acting, run: ImportRun, rows: Sequence[Row]
) -> tuple[dict[tuple[str, str], int], set[int]]:
    """Follow every product the rows name; return their ids and which were not followed before."""
    # Thousands of rows about one product wish the same: once is enough.
    wishes = list(dict.fromkeys(wish for row in rows if (wish := _wish(row, run)) is not None))
    followed = follow(session, acting, wishes, fetch=run.is_fetched, noted=False)
    added = {answer.product_id for answer in followed if answer.is_new}
    if not run.is_fetched:
        # Their history is there to see; nothing is spent on them until somebody says so.
        pause(session, acting, added, noted=False)
    ids = [answer.product_id for answer in followed]
    keys = [(wish.marketplace, wish.asin) for wish in wishes]
    return dict(zip(keys, ids, strict=True)), added


def _wish(row: Row, run: ImportRun) -> Wish | None:
    """Return what a row wants followed, None for a row that names no product."""
    said = row.result
    role = _role_of(run)
    if isinstance(said, TrackRequest):
        return Wish(
            said.marketplace,
            said.asin,
            role=Role(said.role) if said.role else role,
            cadence=Cadence(said.cadence) if said.cadence else None,
            tags=(*run.tags, *said.tags),
            note=said.note[:LONGEST_NOTE] if said.note else None,
            price_change_percent=said.price_change_percent,
            rank_change_percent=said.rank_change_percent,
        )
    if isinstance(said, Observation | ProductHistory):
        return Wish(said.marketplace, said.asin, role=role, tags=tuple(run.tags))
    return None


def _role_of(run: ImportRun) -> Role | None:
    """Return the role that was chosen, None for the usual one.

    New products are watched without a word; a product that is one's own already
    must not become a watched one because its history was imported.
    """
    return None if run.role == Role.WATCHED else Role(run.role)


def _verdict(
    row: Row, products: dict[tuple[str, str], int], added: set[int], stored: Stored
) -> Verdict:
    said = row.result
    if isinstance(said, PartOf):
        return Verdict(row.number, row.asked, PART_OF, f"Read together with row {said.row}.")
    if isinstance(said, Failure):
        return Verdict(row.number, row.asked, said.outcome.value, said.detail)
    if isinstance(said, Refusal):
        return Verdict(row.number, row.asked, said.why.value, said.detail)
    product_id = products[said.marketplace, said.asin]
    if isinstance(said, TrackRequest):
        is_new = product_id in added
        added.discard(product_id)  # a second row of it finds it tracked
        return Verdict(row.number, row.asked, ADDED if is_new else TRACKED, None, product_id)
    return _history_verdict(row, product_id, stored)


def _history_verdict(row: Row, product_id: int, stored: Stored) -> Verdict:
    """Return the verdict of a row that carries observations."""
    looks = _observations(row)
    new = [look for look in looks if _key(product_id, look) in stored.kept]
    for look in new:
        stored.kept.discard(_key(product_id, look))  # a second row of it finds it stored
    if new:
        detail = f"{len(new)} of {len(looks)} observations are new." if len(looks) > 1 else None
        return Verdict(row.number, row.asked, STORED, detail, product_id)
    reasons = {
        reason for look, reason in stored.refused if any(look.observation is said for said in looks)
    }
    if reasons:
        return Verdict(row.number, row.asked, "bad_input", " ".join(sorted(reasons)), product_id)
    return Verdict(row.number, row.asked, KNOWN, None, product_id)


def _key(product_id: int, look: Observation) -> tuple[int, datetime, int]:
    return product_id, look.captured_at.astimezone(UTC), int(look.source)


def _keep_verdicts(session: Session, run_id: int, verdicts: Sequence[Verdict]) -> None:
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
    session: Session, run_id: int, verdicts: Sequence[Verdict], stored: Stored, added: int
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
