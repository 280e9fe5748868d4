"""When imports run. No rules of its own."""

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
from core.accounts.people.membership import acting_person
from core.database.leases import TERM, TakenOverError
from core.database.session import database_time, read_scope, write_scope
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.history.ingest.rejections import EARLIEST
from core.history.ingest.store import make_room
from core.importing import service
from core.importing.files.isolation import stream_apart
from core.importing.models import ImportRun
from core.importing.read_rows import read_batches
from core.importing.store_rows import chunks, store_chunk, times_of
from core.importing.values.rows import FileKind, Row
from jobs.claims import Held, renewing
from jobs.job import job
from jobs.queue import huey

_MAY_NOT = (
    "Whoever confirmed this import may not follow products any more, so it ended here. "
    "What was stored stays; somebody who may can import the file again."
)

CLAIM = TERM  # how long a claim outlives its worker
AGAIN = 30  # seconds after which a round looks again for what its worker left


@huey.task(expires=86_400)
def import_file(run_id: int) -> None:
    """Run one import, as soon as it is confirmed."""
    run_import(run_id)


@huey.periodic_task(crontab(minute="*"), expires=60)
def resume_imports() -> None:
    """Go on with imports that were cut short, or whose message got lost."""
    resume_round()
    with read_scope() as session:
        if service.has_claimed_imports(session):
            resume_again.schedule(delay=AGAIN)


@huey.task(expires=60)
def resume_again() -> None:
    """Go on with imports whose worker died since the last round."""
    resume_round()


def resume_round() -> None:
    """Run every import that waits and that nobody works on."""
    while run_import(None):
        pass


@huey.periodic_task(crontab(minute="37", hour="*"), expires=3600)
def drop_offers() -> None:
    """Let go of files that nobody confirmed."""
    with write_scope() as session:
        service.drop_stale_offers(session, database_time())


def run_import(run_id: int | None) -> bool:
    """Claim and run one import, the oldest when no id is given; return whether there was one."""
    holder = uuid4()
    with write_scope() as session:
        run = service.claim_import(session, holder, CLAIM, run_id)
    if run is None:
        return False
    with (
        job("import") as notes,
        renewing(lambda session: service.renew_claim(session, run.id, holder, CLAIM)) as held,
    ):
        try:
            notes.say(_run_to_end(_Work(run, holder, held, run.rows_read)))
        except TakenOverError as error:  # the other one tells how it ends
            notes.say(str(error))
    return True


@dataclass(slots=True)
class _Work:
    """A claimed import, by which name it is held, and how many of its rows are stored so far."""

    run: ImportRun
    holder: UUID
    held: Held
    read: int


def _run_to_end(work: _Work) -> str:
    """Store what is left of an import, end it, and return how it ended."""
    run = work.run
    try:
        _store_all(work)
    except (InvalidInputError, NotAllowedError) as error:
        _end(work, str(error))
        return f"Import {run.id} could not go on."
    except TakenOverError:
        raise
    except Exception:  # the task's edge: told to the person, then logged by `job`
        _note_trouble(work)
        raise
    _end(work, None)
    return f"Import {run.id}: {work.read} rows."


def _note_trouble(work: _Work) -> None:
    try:
        with write_scope() as session:
            service.hold(session, work.run.id, work.holder, work.read)
            service.note_trouble(session, work.run.id, database_time())
    except TakenOverError:
        return  # the fault is this worker's, and the import is another one's


def _store_all(work: _Work) -> None:
    """Store every row that is not stored yet."""
    run = work.run
    with TemporaryDirectory(prefix="amazcope-import-") as folder:
        path = Path(folder) / "upload"
        with read_scope() as session:
            principal = _who_confirmed(session, run)
            service.write_bytes(session, run.id, path)
        context = service.context_of(run, principal.time_zone)
        read = stream_apart(read_batches, path, FileKind(run.kind), context, work.read)
        with closing(read) as batches:
            for rows in chunks(chain.from_iterable(batches)):
                _store(work, rows)


def _who_confirmed(session: Session, run: ImportRun) -> Principal:
    """Return who confirmed an import. Raises NotAllowedError when they may not (any more)."""
    try:
        principal = acting_person(session, run.person_id)
    except NotFoundError as error:
        raise NotAllowedError(_MAY_NOT) from error
    if not principal.may(Permission.TRACK):
        raise NotAllowedError(_MAY_NOT)
    return principal


def _store(work: _Work, rows: Sequence[Row]) -> None:
    """Store one chunk; room for its months is made first, in a scope of its own.

    Who confirmed it is asked for anew: a long import stops where they were shut out.
    """
    now = database_time()
    with write_scope() as session:
        make_room(session, [at for at in times_of(rows) if EARLIEST <= at <= now])
    with write_scope() as session:
        service.hold(session, work.run.id, work.holder, work.read)
        store_chunk(session, _who_confirmed(session, work.run), work.run, rows, now)
        service.forget_trouble(session, work.run.id)
    work.held.note_progress()
    work.read += len(rows)


def _end(work: _Work, error: str | None) -> None:
    with write_scope() as session:
        service.hold(session, work.run.id, work.holder, work.read)
        service.end_import(session, work.run.id, database_time(), error)
