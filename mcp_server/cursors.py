"""Where a list goes on: an opaque word that holds a place and which list it belongs to. Pure."""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from core.errors import InvalidInputError

_MARK_LENGTH = 8
_LARGEST_PLACE = 10_000_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list."""

    offset: int = 0


def mark_of(*question: object) -> bytes:
    """Return a mark of what a list was asked for: a cursor fits only the same question."""
    return sha256(repr(question).encode("utf-8", "backslashreplace")).digest()[:_MARK_LENGTH]


def write_cursor(cursor: Cursor, mark: bytes) -> str:
    """Write a cursor as a word."""
    return base64.urlsafe_b64encode(mark + str(cursor.offset).encode()).decode().rstrip("=")


def read_cursor(word: str | None, mark: bytes) -> Cursor:
    """Read a cursor; None is the start. Raises InvalidInputError for one of another list."""
    if word is None:
        return Cursor()
    try:
        raw = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        offset = int(raw[_MARK_LENGTH:].decode("ascii"))
    except (binascii.Error, ValueError, UnicodeError):
        raise _foreign() from None
    if raw[:_MARK_LENGTH] != mark or not 0 <= offset <= _LARGEST_PLACE:
        raise _foreign()
    return Cursor(offset)


def _foreign() -> InvalidInputError:
    return InvalidInputError(
        "This cursor belongs to no such list. Use `next_cursor` of an answer to the very same "
        "question, or leave `cursor` out to begin anew."
    )
