"""Cursors of lists: opaque strings with an offset and a hash of the request. Pure."""

import base64
import binascii
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from core.errors import InvalidInputError
from core.tracking.list_filter import COUNT_CAP

_MARK_LENGTH = 8
_MAX_OFFSET = 10_000_000
_MAX_ANCHOR = 2**34  # `list_changes` stores twice the seconds: until 2242


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a list. `anchor`: a value that the first page set, such as a time."""

    offset: int = 0
    anchor: int = 0


def hash_request(*request: object) -> bytes:
    """Return a hash of a list's arguments: a cursor is valid only with the same arguments."""
    return sha256(repr(request).encode("utf-8", "backslashreplace")).digest()[:_MARK_LENGTH]


def write_cursor(cursor: Cursor, mark: bytes) -> str:
    """Return a cursor as a string."""
    position = f"{cursor.offset}" + (f"@{cursor.anchor}" if cursor.anchor else "")
    return base64.urlsafe_b64encode(mark + position.encode()).decode().rstrip("=")


def read_cursor(text: str | None, mark: bytes) -> Cursor:
    """Return the cursor of a string; None: the start. Raises InvalidInputError if foreign."""
    if text is None:
        return Cursor()
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        offset_text, _, anchor_text = raw[_MARK_LENGTH:].decode("ascii").partition("@")
        offset, anchor = int(offset_text), int(anchor_text or 0)
    except (binascii.Error, ValueError, UnicodeError):
        raise _foreign_cursor() from None
    if raw[:_MARK_LENGTH] != mark or not 0 <= offset <= _MAX_OFFSET:
        raise _foreign_cursor()
    if not 0 <= anchor <= _MAX_ANCHOR:
        raise _foreign_cursor()
    return Cursor(offset, anchor)


def page_fields(total: int, here: Cursor, shown: int, mark: bytes) -> dict[str, Any]:
    """Return the fields of `ListResult` for a page of `shown` rows from `here` on.

    `total` is exact up to COUNT_CAP. Paging stops there. The last page still has
    `truncated`, since more rows exist.
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


def open_page_fields(
    total: int, cap: int, here: Cursor, shown: int, mark: bytes, *, has_more: bool
) -> dict[str, Any]:
    """Return the fields of `ListResult` for a page of a list that is counted up to `cap` only."""
    after = replace(here, offset=here.offset + shown)
    return {
        "total": min(total, cap),
        "is_total_exact": total <= cap,
        "truncated": has_more,
        "next_cursor": write_cursor(after, mark) if has_more else None,
    }


def _foreign_cursor() -> InvalidInputError:
    return InvalidInputError(
        "This cursor does not belong to this list. Use the `next_cursor` of a call with the same "
        "arguments, or leave `cursor` out for the first page."
    )
