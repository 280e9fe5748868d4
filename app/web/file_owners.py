"""The owners of downloadable files, kept in this process as the files are.

Streamlit serves a file to everyone who knows its URL, which is a hash of its content.
"""

from collections import OrderedDict
from os.path import splitext
from threading import Lock

from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

PATH = "/media/"
MOST_KEPT = 50_000  # files; Streamlit drops its own long before

_owners: OrderedDict[str, set[int]] = OrderedDict()
_lock = Lock()


def record_owner(content: bytes, mime: str, name: str, person_id: int) -> None:
    """Record that a file was made for a user."""
    # A storage of its own, only to get the id that Streamlit gives such a file.
    storage = MemoryMediaFileStorage(PATH)
    file_id = storage.load_and_get_id(content, mime, MediaFileKind.DOWNLOADABLE, name)
    with _lock:
        _owners.setdefault(file_id, set()).add(person_id)
        _owners.move_to_end(file_id)
        while len(_owners) > MOST_KEPT:
            _owners.popitem(last=False)


def is_allowed(path: str, person_id: int) -> bool:
    """Return whether a user may download a file; True for a file without a recorded owner."""
    file_id, _ = splitext(path.removeprefix(PATH))  # as Streamlit does it
    owners = _owners.get(file_id)
    return owners is None or person_id in owners
