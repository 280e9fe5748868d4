"""Commands of the import page: offer a file or text, confirm or discard it."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from app import data
from core.database.session import shared_time, write_scope
from core.errors import InvalidInputError
from core.importing import service
from core.importing.service import Confirmation
from core.importing.trial import TrialContext
from core.settings.environment import get_settings
from jobs.tasks.wake import wake_for_import

PASTED = "pasted text"
_PIECE = 1 << 20


def offer_text(text: str) -> int:
    """Offer pasted text and return the import's id. Raises InvalidInputError."""
    if not text.strip():
        raise InvalidInputError("Paste links or ASINs, or choose a file.")
    return _offer(PASTED, [text.encode("utf-8", "replace")], is_pasted=True)


def offer_file(name: str, file: BinaryIO) -> int:
    """Offer an uploaded file and return the import's id. Raises InvalidInputError."""
    file.seek(0)
    return _offer(name, iter(lambda: file.read(_PIECE), b""))


def _offer(name: str, pieces: Iterable[bytes], *, is_pasted: bool = False) -> int:
    with TemporaryDirectory(prefix="amazcope-offer-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as copy:
            copy.writelines(pieces)
        limit = get_settings().amazcope_upload_mb
        trial = TrialContext(data.get_principal().time_zone, shared_time())
        examined = service.examine_file(path, name, limit, is_pasted=is_pasted, trial=trial)
        with write_scope() as session:
            return service.offer_import(session, data.get_principal(), examined).id


def confirm_import(run_id: int, confirmed: Confirmation) -> None:
    """Queue an offered import and wake the worker. Raises InvalidInputError."""
    with write_scope() as session:
        service.confirm_import(session, data.get_principal(), run_id, confirmed, shared_time())
    wake_for_import(run_id)  # without the queue, the worker's next round finds it


def discard_import(run_id: int) -> None:
    """Discard an offered import."""
    with write_scope() as session:
        service.discard_import(session, data.get_principal(), run_id)
