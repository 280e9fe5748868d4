"""What the import screen does: offer a file or a text, confirm it, let it go."""

import logging
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import psycopg
from redis.exceptions import RedisError

from app import data
from core.database.session import shared_time, write_scope
from core.errors import ConfigurationError, InvalidInputError
from core.importing import service
from core.importing.service import Confirmation
from core.importing.trial import TrialContext
from core.settings.environment import get_settings

log = logging.getLogger(__name__)

PASTED = "pasted text"
_PIECE = 1 << 20


def offer_text(text: str) -> int:
    """Offer pasted text and return the import's number. Raises InvalidInputError."""
    if not text.strip():
        raise InvalidInputError("Paste links or ASINs, or choose a file.")
    return _offer(PASTED, [text.encode("utf-8", "replace")], is_pasted=True)


def offer_file(name: str, file: BinaryIO) -> int:
    """Offer an uploaded file and return the import's number. Raises InvalidInputError."""
    file.seek(0)
    return _offer(name, iter(lambda: file.read(_PIECE), b""))


def _offer(name: str, pieces: Iterable[bytes], *, is_pasted: bool = False) -> int:
    with TemporaryDirectory(prefix="amazcope-offer-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as copy:
            copy.writelines(pieces)
        limit = get_settings().amazcope_upload_mb
        trial = TrialContext(data.principal().time_zone, shared_time())
        examined = service.examine(path, name, limit, is_pasted=is_pasted, trial=trial)
        with write_scope() as session:
            return service.offer(session, data.principal(), examined).id


def confirm(run_id: int, confirmed: Confirmation) -> None:
    """Queue an offered import and wake the worker. Raises InvalidInputError."""
    with write_scope() as session:
        service.confirm(session, data.principal(), run_id, confirmed, shared_time())
    _ring(run_id)


def discard(run_id: int) -> None:
    """Let go of an offered import."""
    with write_scope() as session:
        service.discard(session, data.principal(), run_id)


def _ring(run_id: int) -> None:
    """Wake the worker. Where it can't be reached, its next round finds the import."""
    from jobs.tasks.import_files import (
        import_file,  # brings the queue along, which only this verb needs
    )

    try:
        import_file(run_id)
    except (psycopg.Error, RedisError, OSError, ConfigurationError) as error:
        log.warning("The worker could not be called: %s", error)
