"""The steps of an import: offer, confirm, claim, store row by row, end. Never commits.

An interrupted import continues after the last row it stored. Importing the same
file again stores nothing twice: a file without times keeps the time that was
confirmed at its first import.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.marketplaces import get_marketplace
from core.database.leases import LeaseLostError
from core.errors import InvalidInputError, NotFoundError
from core.importing.detect import DetectedFile, detect_file
from core.importing.files.isolation import call_isolated
from core.importing.models import ImportPiece, ImportRun
from core.importing.read_rows import file_sha256
from core.importing.trial import TrialContext
from core.importing.values.rows import LISTS, DayOrder, FileKind, ReadContext
from core.tracking.rules import Role
from core.tracking.service import clean_tags

PIECE = 1 << 20
SHOWN_COLUMNS = 200  # of which the meaning is stored and shown
LONGEST_CLAIM = timedelta(minutes=10)
TRIED_AGAIN_AFTER = timedelta(minutes=5)
CONFIRMED = ("queued", "running", "done", "failed")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the user confirms before anything is stored."""

    marketplace: str | None = None  # for rows that name none
    captured_at: datetime | None = None  # for rows without a time
    day_order: DayOrder | None = None  # for dates that can be read in two ways
    role: Role = Role.WATCHED
    tags: tuple[str, ...] = ()
    is_fetched: bool = False  # also check the products from now on


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """A file that can be imported, with what was detected and the hash of its bytes."""

    name: str
    path: Path
    size: int  # bytes
    digest: bytes  # SHA-256
    found: DetectedFile


def examine_file(
    path: Path,
    name: str,
    limit_mb: int,
    *,
    is_pasted: bool = False,
    trial: TrialContext | None = None,
) -> ExaminedFile:
    """Detect the kind of a file and hash it. Reads it to its end: call it with no scope open.

    `trial` gives the clock and time zone for the trial of its first rows.
    `is_pasted`: the text comes from the paste box; a line may name several products, and
    each mention gets its own verdict.
    Raises InvalidInputError for a file that is too large, empty or unreadable, and what
    `isolation.call_isolated` raises: no content is parsed in this process.
    """
    size = path.stat().st_size
    if size > limit_mb << 20:
        raise InvalidInputError(f"The file is larger than {limit_mb} MB. Split it, or gzip it.")
    found = call_isolated(detect_file, path, name, is_pasted, trial or TrialContext())
    if found.kind is FileKind.UNKNOWN:
        raise InvalidInputError(" ".join(dict.fromkeys([found.reason, *found.problems])))
    return ExaminedFile(name, path, size, bytes.fromhex(file_sha256(path)), found)


@requires(Permission.TRACK)
def offer_import(session: Session, principal: Principal, examined: ExaminedFile) -> ImportRun:
    """Store an examined file as an offered import, ready to be confirmed."""
    run = _make_offer(principal, examined)
    earlier = _find_earlier(session, principal, examined.digest)
    if earlier is not None:
        run.captured_at = earlier.captured_at
        run.marketplace = earlier.marketplace or run.marketplace
    session.add(run)
    session.flush()
    _keep_pieces(session, run.id, examined.path)
    audit.record(session, principal, "offered import", f"import:{run.id}", new={"kind": run.kind})
    return run


def _make_offer(principal: Principal, examined: ExaminedFile) -> ImportRun:
    found = examined.found
    return ImportRun(
        team_id=principal.team_id,
        person_id=principal.person_id,
        name=examined.name[:200],
        kind=found.kind.value,
        reason=found.reason,
        state="offered",
        file_hash=examined.digest,
        file_bytes=examined.size,
        preview=[dict(row) for row in found.preview],
        columns=[asdict(use) for use in found.uses[:SHOWN_COLUMNS]],
        problems=list(found.problems),
        times=found.times,
        needs_time=found.needs_captured_at,
        needs_marketplace=found.needs_marketplace,
        needs_day_order=found.needs_day_order,
        marketplace=found.suggested_marketplace,
        captured_at=found.suggested_captured_at,
        rows_estimated=found.row_estimate,
        products_estimated=found.product_estimate,
        is_fetched=found.kind in LISTS,
    )


def _keep_pieces(session: Session, run_id: int, path: Path) -> None:
    with path.open("rb") as file:
        for number, body in enumerate(iter(lambda: file.read(PIECE), b"")):
            session.add(ImportPiece(import_run_id=run_id, number=number, body=body))
            session.flush()
            session.expunge_all()


@requires(Permission.READ)
def find_earlier_import(session: Session, principal: Principal, digest: bytes) -> ImportRun | None:
    """Return the team's first confirmed import of the same bytes, also a failed one.

    Imports with a time come before those without: what they stored has that time.
    """
    return _find_earlier(session, principal, digest)


def _find_earlier(session: Session, principal: Principal, digest: bytes) -> ImportRun | None:
    return session.scalars(
        select(ImportRun)
        .where(
            ImportRun.team_id == principal.team_id,
            ImportRun.file_hash == digest,
            ImportRun.state.in_(CONFIRMED),
        )
        .order_by(ImportRun.captured_at.is_(None), ImportRun.id)
        .limit(1)
    ).first()


@requires(Permission.READ)
def get_import(session: Session, principal: Principal, run_id: int) -> ImportRun:
    """Return an import of the user's team. Raises NotFoundError."""
    return _get_team_import(session, principal, run_id)


def _lock_import(session: Session, principal: Principal, run_id: int) -> ImportRun:
    """Lock and return an import that the user may confirm or discard.

    That is their own, or for managers any of the team. All imports of the same bytes are
    locked: of a simultaneous confirmation and discard only one counts, and two that are
    confirmed at once get the same time.
    """
    run = _get_team_import(session, principal, run_id)
    if run.person_id != principal.person_id and not principal.may(Permission.TEAM):
        raise NotFoundError("There is no such import.")
    same = select(ImportRun.id).where(
        ImportRun.team_id == principal.team_id, ImportRun.file_hash == run.file_hash
    )
    session.execute(same.order_by(ImportRun.id).with_for_update())
    session.refresh(run)
    return run


def _get_team_import(session: Session, principal: Principal, run_id: int) -> ImportRun:
    run = session.get(ImportRun, run_id)
    if run is None or run.team_id != principal.team_id:
        raise NotFoundError("There is no such import.")
    return run


@requires(Permission.TRACK)
def confirm_import(
    session: Session, principal: Principal, run_id: int, confirmed: Confirmation, now: datetime
) -> bool:
    """Queue an offered import with what was confirmed; False if it was queued before.

    Raises InvalidInputError if a required time, marketplace or order of dates is
    missing, or if the marketplace doesn't exist.
    """
    run = _lock_import(session, principal, run_id)
    if run.state != "offered":
        return False
    if run.needs_marketplace and confirmed.marketplace is None:
        raise InvalidInputError("Choose the marketplace: the file does not name one.")
    if confirmed.marketplace is not None:
        _check_marketplace(confirmed.marketplace)
    if run.needs_day_order and confirmed.day_order is None:
        raise InvalidInputError(
            "Choose how the file writes its dates: none shows whether day or month comes first."
        )
    run.captured_at = _choose_time(session, principal, run, confirmed.captured_at, now)
    run.marketplace, run.day_order = confirmed.marketplace, confirmed.day_order
    run.role, run.tags = confirmed.role.value, clean_tags(confirmed.tags)
    run.is_fetched = confirmed.is_fetched
    run.state = "queued"
    # The import runs with the permissions of the user who confirmed it, not the uploader's.
    run.person_id = principal.person_id
    audit.record(
        session, principal, "confirmed import", f"import:{run.id}", new=_list_audited_values(run)
    )
    return True


def _list_audited_values(run: ImportRun) -> dict[str, object]:
    """Return what the audit records of an import: not the file name, which may name a person."""
    return {
        "kind": run.kind,
        "file": run.file_hash.hex(),
        "marketplace": run.marketplace,
        "captured_at": run.captured_at,
        "day_order": run.day_order,
        "role": run.role,
        "tags": list(run.tags),
        "is_fetched": run.is_fetched,
    }


def _check_marketplace(code: str) -> None:
    try:
        get_marketplace(code)
    except NotFoundError as error:
        raise InvalidInputError(str(error)) from None


def _choose_time(
    session: Session, principal: Principal, run: ImportRun, given: datetime | None, now: datetime
) -> datetime | None:
    """Return the time for rows without one; it is always the same for the same file."""
    if not run.needs_time:
        return given
    earlier = _find_earlier(session, principal, run.file_hash)
    if earlier is not None and earlier.captured_at is not None:
        return earlier.captured_at
    if given is None:
        raise InvalidInputError("Enter when the file was captured: it contains no times.")
    if given > now + timedelta(minutes=10):
        raise InvalidInputError("The file can't have been captured in the future.")
    return given


@requires(Permission.TRACK)
def discard_import(session: Session, principal: Principal, run_id: int) -> None:
    """Discard an offered import and delete its bytes."""
    run = _lock_import(session, principal, run_id)
    if run.state == "offered":
        run.state = "discarded"
        _drop_pieces(session, run_id)
        audit.record(session, principal, "discarded import", f"import:{run_id}")


def claim_import(
    session: Session, holder: UUID, term: timedelta, run_id: int | None = None
) -> ImportRun | None:
    """Claim the oldest import that is queued or was interrupted; None if there is none.

    The database's clock decides which claims have expired.
    """
    now = session.execute(select(func.clock_timestamp())).scalar_one()
    waiting = (
        select(ImportRun)
        .where(
            ImportRun.state.in_(("queued", "running")),
            or_(
                ImportRun.claimed_until.is_(None),
                ImportRun.claimed_until < now,
                # Such a claim was made while that clock was ahead.
                ImportRun.claimed_until > now + LONGEST_CLAIM,
            ),
        )
        .order_by(ImportRun.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if run_id is not None:
        waiting = waiting.where(ImportRun.id == run_id)
    run = session.scalars(waiting).first()
    if run is not None:
        run.state, run.claimed_by, run.claimed_until = "running", holder, now + term
        run.started_at = run.started_at or now
    return run


def write_import_file(session: Session, run_id: int, path: Path) -> None:
    """Write the uploaded bytes to a file."""
    with path.open("wb") as file:
        for number in count():
            # One piece at a time, so that a large file is never in memory whole.
            body = session.scalar(_select_piece(run_id, number))
            if body is None:
                return
            file.write(body)


def _select_piece(run_id: int, number: int) -> Select[bytes]:
    return select(ImportPiece.body).where(
        ImportPiece.import_run_id == run_id, ImportPiece.number == number
    )


def lock_claimed_import(session: Session, run_id: int, holder: UUID, rows_read: int) -> None:
    """Lock an import that this worker holds and has read up to this row, before writing more.

    Raises LeaseLostError if the worker was held up for longer than its claim and another
    one continued or ended the import: nothing may be counted twice.
    """
    held = select(ImportRun.id).where(
        ImportRun.id == run_id,
        ImportRun.state == "running",
        ImportRun.claimed_by == holder,
        ImportRun.rows_read == rows_read,
    )
    if session.scalar(held.with_for_update()) is None:
        raise LeaseLostError(f"Another worker continued import {run_id}.")


def renew_import_claim(session: Session, run_id: int, holder: UUID, term: timedelta) -> bool:
    """Extend the claim on an import; False if another worker has claimed it meanwhile."""
    renewed = (
        update(ImportRun)
        .where(ImportRun.id == run_id, ImportRun.claimed_by == holder)
        .values(claimed_until=func.clock_timestamp() + term)
    )
    return session.execute(renewed.returning(ImportRun.id)).first() is not None


def clear_failures(session: Session, run_id: int) -> None:
    """Clear an import's error once it has continued."""
    session.execute(update(ImportRun).where(ImportRun.id == run_id).values(error=None))


def has_claimed_imports(session: Session) -> bool:
    """Return whether an import is running, or was when its worker died."""
    running = select(ImportRun.id).where(ImportRun.state == "running")
    return session.scalar(running.limit(1)) is not None


def read_context(run: ImportRun, time_zone: str) -> ReadContext:
    """Return what was confirmed, as the readers take it."""
    return ReadContext(
        captured_at=run.captured_at,
        default_marketplace=run.marketplace,
        time_zone=time_zone,
        day_order=DayOrder(run.day_order) if run.day_order else None,
    )


def record_failure(session: Session, run_id: int, now: datetime) -> None:
    """Record that an import was interrupted by a fault other than its file's.

    It is tried once more after `TRIED_AGAIN_AFTER`. A second fault at the same rows
    ends it.
    """
    run = session.get(ImportRun, run_id)
    if run is None:
        return
    if run.error is not None:
        end_import(session, run_id, now, f"{_GAVE_UP} It got to row {run.rows_read}.")
    else:
        run.error = _TROUBLE
        run.claimed_by, run.claimed_until = None, now + TRIED_AGAIN_AFTER


_TROUBLE = "Something went wrong. The import is tried once more in a few minutes."
_GAVE_UP = (
    "The import failed twice at the same row. The worker's log and the jobs on the Health page "
    "show why. What was stored stays, and you can import the file again."
)


def end_import(session: Session, run_id: int, now: datetime, error: str | None) -> None:
    """End an import, as done or failed with a reason, and delete its bytes."""
    session.execute(
        update(ImportRun)
        .where(ImportRun.id == run_id)
        .values(
            state="failed" if error else "done",
            error=error,
            ended_at=now,
            claimed_by=None,
            claimed_until=None,
        )
    )
    _drop_pieces(session, run_id)


def _drop_pieces(session: Session, run_id: int) -> None:
    session.execute(delete(ImportPiece).where(ImportPiece.import_run_id == run_id))


def delete_stale_offers(session: Session, now: datetime) -> int:
    """Discard offers that were not confirmed within a day; return how many."""
    stale = session.scalars(
        select(ImportRun.id).where(
            ImportRun.state == "offered", ImportRun.created_at < now - timedelta(days=1)
        )
    ).all()
    for run_id in stale:
        _drop_pieces(session, run_id)
    session.execute(update(ImportRun).where(ImportRun.id.in_(stale)).values(state="discarded"))
    return len(stale)
