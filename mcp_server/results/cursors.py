"""Where a list goes on: an opaque word that holds a place and which list it belongs to. Pure."""

import base64
import binascii
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from core.errors import InvalidInputError
from core.tracking.list_filter import COUNT_CAP

_MARK_LENGTH = 8
_LARGEST_PLACE = 10_000_000
_LARGEST_ANCHOR = 2**34  # what a list makes of it: twice the seconds until 2242


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list. `anchor`: what the first page settled, such as a time."""

    offset: int = 0
    anchor: int = 0


def hash_question(*question: object) -> bytes:
    """Return a mark of what a list was asked for: a cursor fits only the same question."""
    return sha256(repr(question).encode("utf-8", "backslashreplace")).digest()[:_MARK_LENGTH]


def write_cursor(cursor: Cursor, mark: bytes) -> str:
    """Write a cursor as a word."""
    place = f"{cursor.offset}" + (f"@{cursor.anchor}" if cursor.anchor else "")
    return base64.urlsafe_b64encode(mark + place.encode()).decode().rstrip("=")


def read_cursor(word: str | None, mark: bytes) -> Cursor:
    """Read a cursor; None is the start. Raises InvalidInputError for one of another list."""
    if word is None:
        return Cursor()
    try:
        raw = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        place, _, settled = raw[_MARK_LENGTH:].decode("ascii").partition("@")
        offset, anchor = int(place), int(settled or 0)
    except (binascii.Error, ValueError, UnicodeError):
        raise _foreign() from None
    if raw[:_MARK_LENGTH] != mark or not 0 <= offset <= _LARGEST_PLACE:
        raise _foreign()
    if not 0 <= anchor <= _LARGEST_ANCHOR:
        raise _foreign()
    return Cursor(offset, anchor)


def page_fields(total: int, here: Cursor, shown: int, mark: bytes) -> dict[str, Any]:
    """Return what a list says of itself after it has shown so many from here on.

    `total`: exact up to COUNT_CAP. Who pages gets as far as is counted; what lies beyond
    is there all the same, so that the list is truncated on its last page too.
    """
    after = here.offset + shown
    has_next = shown > 0 and after < min(total, COUNT_CAP)
    is_exact = total <= COUNT_CAP
    return {
        "total": min(total, COUNT_CAP),
        "is_total_exact": is_exact,
        "truncated": has_next or not is_exact,
        "next_cursor": write_cursor(replace(here, offset=after), mark) if has_next else None,
    }


def _foreign() -> InvalidInputError:
    return InvalidInputError(
        "This cursor belongs to no such list. Use `next_cursor` of an answer to the very same "
        "question, or leave `cursor` out to begin anew."
    )
