"""Read JSON values from a long text one by one, each within limits.

Values are as `json.loads` returns them, but storable: NaN becomes None, lone surrogates
and NULs are dropped, numbers beyond the database's range are refused.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import IO, Any

from core.importing.files.source_file import CHUNK, MEGABYTE, UnreadableFileError

DEPTH_LIMIT = 100
ITEM_LIMIT = 64 * MEGABYTE  # characters of one value
TEXTS_LIMIT = 500_000  # names and texts in one value; each takes many times its length in memory
ENTRIES_LIMIT = 5_000_000  # values in one value
LARGEST = 2**63 - 1  # the database's largest number; no value of a product comes near it
_BROKEN_OFF = "The JSON breaks off or is damaged here: download the file again."
_CUT = 16  # characters before the end of what was read within which a cut-off value fails
_BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class BrokenItem:
    """A value that can't be used; the next ones may be usable."""

    detail: str


class _UnusableError(Exception):
    """A value contains something that can't be used; the message is a sentence."""


class JsonText:
    """A JSON text, read in pieces, and the position in it."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._is_whole = False  # all of the stream was read

    def peek_character(self) -> str:
        """Return the next character that isn't blank; "" at the end."""
        while True:
            found = _BLANKS.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_more():
                return ""

    def expect_character(self, character: str) -> None:
        """Move past a character. Raises UnreadableFileError if the next one differs."""
        if self.peek_character() != character:
            raise UnreadableFileError(_BROKEN_OFF)
        self._at += 1

    def iterate_elements(self, opening: str = "[", closing: str = "]") -> Iterator[None]:
        """Stop at each element of a list; the caller moves past it."""
        self.expect_character(opening)
        if self.peek_character() != closing:
            yield None
            while self.peek_character() == ",":
                self._at += 1
                yield None
        self.expect_character(closing)

    def iterate_fields(self) -> Iterator[str]:
        """Yield each key of an object and stop at its value; the caller moves past it."""
        for _ in self.iterate_elements("{", "}"):
            if self.peek_character() != '"':
                raise UnreadableFileError(_BROKEN_OFF)
            key = self.read_value()
            self.expect_character(":")
            yield str(key)

    def read_value(self) -> Any:
        """Move past a value and return it; a BrokenItem if it can't be used."""
        self.peek_character()
        while True:
            try:
                value, end = _decode_value(self._text, self._at)
            except json.JSONDecodeError as error:
                if not (self._is_cut(error) and self._read_more()):
                    raise UnreadableFileError(_BROKEN_OFF) from error
            except RecursionError as error:
                raise UnreadableFileError(_NESTED) from error
            else:
                if end < len(self._text) or not self._read_more():
                    self._at = end
                    return value

    def skip_value(self) -> None:
        """Move past a value, which may exceed the limit of one value."""
        character = self.peek_character()
        if character == "[":
            for _ in self.iterate_elements():
                self.read_value()
        elif character == "{":
            for _ in self.iterate_fields():
                self.read_value()
        else:
            self.read_value()

    def expect_end(self) -> None:
        """Check that nothing follows. Raises UnreadableFileError otherwise."""
        if self.peek_character():
            raise UnreadableFileError(_BROKEN_OFF)

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Return whether a value may fail only because it was not read to its end."""
        near_the_end = error.pos >= len(self._text.rstrip()) - _CUT
        return near_the_end or error.msg.startswith("Unterminated string")

    def _read_more(self) -> bool:
        """Read as much again as there is of the present value; return False at the end."""
        if self._is_whole:
            return False
        self._text, self._at = self._text[self._at :], 0
        self._check_size()
        more = self._stream.read(max(CHUNK, len(self._text)))
        self._is_whole = not more
        self._text += more
        return bool(more)

    def _check_size(self) -> None:
        text = self._text
        too_many = text.count('"') > 2 * TEXTS_LIMIT or text.count(",") > ENTRIES_LIMIT
        if len(text) > ITEM_LIMIT or too_many:
            raise UnreadableFileError(
                f"One entry of the file is larger than {ITEM_LIMIT // MEGABYTE} MB, or holds more "
                f"than {TEXTS_LIMIT:,} texts: check that it is the right file."
            )


_NESTED = f"The JSON is nested more than {DEPTH_LIMIT} deep: this isn't an export."


def parse_line(line: str) -> Any:
    """Return the one JSON value of a text; a BrokenItem if it isn't exactly one."""
    text = line.strip()
    try:
        value, end = _decode_value(text, 0)
    except json.JSONDecodeError:
        return BrokenItem("The line isn't JSON: it may be cut off.")
    except RecursionError:
        return BrokenItem(_NESTED)
    return value if end == len(text) else BrokenItem("The line is more than one JSON value.")


def scrub_text(text: str) -> str:
    """Return a text without what the database can't store: NULs and lone surrogates."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _decode_value(text: str, start: int) -> tuple[Any, int]:
    """Return the value that begins at an index, and the index after it."""
    try:
        value, end = _FAST.raw_decode(text, start)
        return _clean_value(value, DEPTH_LIMIT), end
    except json.JSONDecodeError:
        raise
    except _UnusableError as error:
        return BrokenItem(str(error)), end
    except ValueError:  # a whole number with more digits than Python converts
        _, end = _WITHOUT_NUMBERS.raw_decode(text, start)
        return BrokenItem(_describe_absurd("A number of thousands of digits")), end


def _read_constant(name: str) -> float | None:
    """Return the value of a constant outside JSON: None for NaN, as programs write no value."""
    return None if name == "NaN" else float(name)


_FAST = json.JSONDecoder(parse_constant=_read_constant)
_WITHOUT_NUMBERS = json.JSONDecoder(parse_int=len, parse_float=len)


def _clean_value(value: Any, room: int) -> Any:
    """Return a value in storable form. Raises _UnusableError."""
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, list | dict):
        if not room:
            raise _UnusableError(_NESTED)
        return _clean_list(value, room) if isinstance(value, list) else _clean_dict(value, room)
    if isinstance(value, int | float) and not (isfinite(value) and abs(value) <= LARGEST):
        raise _UnusableError(_describe_absurd(f"A number such as {str(value)[:20]}"))
    return value


def _clean_dict(value: dict[str, Any], room: int) -> dict[str, Any]:
    return {scrub_text(key): _clean_value(each, room - 1) for key, each in value.items()}


def _clean_list(value: list[Any], room: int) -> list[Any]:
    if set(map(type, value)) == {int}:  # Keepa's series have millions of these
        _clean_value(max(value, key=abs), room)
        return value
    return [_clean_value(each, room - 1) for each in value]


def _describe_absurd(what: str) -> str:
    return f"{what} can't belong to a product, so the entry is not used: correct or remove it."
