"""Runs confirmed imports. No rules of its own."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

from huey import crontab
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission, Principal
from core.accounts.people.membership import get_principal
from core.database.leases import LEASE_TERM, LeaseLostError
from core.database.session import database_time, read_scope, write_scope
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.history.ingest.rejections import EARLIEST
from core.history.ingest.store import ensure_partitions
from core.importing import service
from core.importing.files.isolation import stream_isolated
from core.importing.models import ImportRun
from core.importing.read_rows import read_batches
from core.importing.store_rows import observation_times, split_into_chunks, store_chunk
from core.importing.values.rows import FileKind, Row
from jobs.claims import RenewedClaim, keep_renewed
from jobs.job import job
from jobs.queue import huey
from jobs.tasks.wake import wake_for_alerts

_NOT_ALLOWED = (
    "The user who confirmed this import may no longer track products, so it ended here. "
    "What was stored stays; a user who may track products can import the file again."
)

CLAIM = LEASE_TERM  # how long a claim outlives its worker
RETRY_SECONDS = 30  # after which an import of a worker that died is tried again


@huey.task(expires=86_400)
def import_file(run_id: int) -> None:
    """Run one import, as soon as it is confirmed."""
    run_import(run_id)


@huey.periodic_task(crontab(minute="*"), expires=60)
def resume_imports() -> None:
    """Resume imports that were interrupted, or whose message was lost."""
    run_pending_imports()
    with read_scope() as session:
        if service.has_claimed_imports(session):
            resume_again.schedule(delay=RETRY_SECONDS)


@huey.task(expires=60)
def resume_again() -> None:
    """Resume imports whose worker died since the last round."""
    run_pending_imports()


def run_pending_imports() -> None:
    """Run every queued import that no worker has claimed."""
    while run_import(None):
        pass


@huey.periodic_task(crontab(minute="37", hour="*"), expires=3600)
def delete_offers() -> None:
    """Delete files that were not confirmed in time."""
    with write_scope() as session:
        service.delete_stale_offers(session, database_time())


def run_import(run_id: int | None) -> bool:
    """Claim and run one import, the oldest when no id is given; return whether there was one."""
    holder = uuid4()
    with write_scope() as session:
        run = service.claim_import(session, holder, CLAIM, run_id)
    if run is None:
        return False
    with (
        job("import") as report,
        keep_renewed(
            lambda session: service.renew_import_claim(session, run.id, holder, CLAIM)
        ) as renewed,
    ):
        try:
            report.summary = _run_to_end(_Work(run, holder, renewed, run.rows_read))
        except LeaseLostError as error:  # the other worker stores how it ends
            report.summary = str(error)
    wake_for_alerts()
    return True


@dataclass(slots=True)
class _Work:
    """A claimed import, its claim, and how many of its rows are stored so far."""

    run: ImportRun
    holder: UUID
    renewed: RenewedClaim
    read: int


def _run_to_end(work: _Work) -> str:
    """Store what is left of an import, end it, and return how it ended."""
    run = work.run
    try:
        _store_all(work)
    except (InvalidInputError, NotAllowedError) as error:
        _end(work, str(error))
        return f"Import {run.id} was stopped."
    except LeaseLostError:
        raise
    except Exception:  # the task's edge: shown to the user, then logged by `job`
        _record_failure(work)
        raise
    _end(work, None)
    return f"Import {run.id}: {work.read} rows."


def _record_failure(work: _Work) -> None:
    try:
        with write_scope() as session:
            service.lock_claimed_import(session, work.run.id, work.holder, work.read)
            service.record_failure(session, work.run.id, database_time())
    except LeaseLostError:
        return  # another worker has the import by now


def _store_all(work: _Work) -> None:
    """Store every row that is not stored yet."""
    run = work.run
    with TemporaryDirectory(prefix="amazcope-import-") as folder:
        path = Path(folder) / "upload"
        with read_scope() as session:
            principal = _confirming_user(session, run)
            service.write_import_file(session, run.id, path)
        context = service.read_context(run, principal.time_zone)
        read = stream_isolated(read_batches, path, FileKind(run.kind), context, work.read)
        with closing(read) as batches:
            for rows in split_into_chunks(chain.from_iterable(batches)):
                _store(work, rows)


def _confirming_user(session: Session, run: ImportRun) -> Principal:
    """Return the user who confirmed an import.

    Raises NotAllowedError if they may not track products (any more).
    """
    try:
        principal = get_principal(session, run.person_id)
    except NotFoundError as error:
        raise NotAllowedError(_NOT_ALLOWED) from error
    if not principal.may(Permission.TRACK):
        raise NotAllowedError(_NOT_ALLOWED)
    return principal


def _store(work: _Work, rows: Sequence[Row]) -> None:
    """Store one chunk, after the partitions of its months in a transaction of their own.

    The permission is checked for each chunk: a long import stops when its user is deactivated.
    """
    now = database_time()
    with write_scope() as session:
        ensure_partitions(session, [at for at in observation_times(rows) if EARLIEST <= at <= now])
    with write_scope() as session:
        service.lock_claimed_import(session, work.run.id, work.holder, work.read)
        store_chunk(session, _confirming_user(session, work.run), work.run, rows, now)
        service.clear_failures(session, work.run.id)
    work.renewed.note_progress()
    work.read += len(rows)


def _end(work: _Work, error: str | None) -> None:
    with write_scope() as session:
        service.lock_claimed_import(session, work.run.id, work.holder, work.read)
        service.end_import(session, work.run.id, database_time(), error)
