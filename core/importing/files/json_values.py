"""Takes JSON values out of a long text one after the other, each within limits.

Values come out as `json.loads` makes them, without what nothing can be done with: NaN
becomes None, half characters and NULs are dropped, numbers beyond all bounds are refused.
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
TEXTS_LIMIT = 500_000  # names and texts in one value: each takes many times its length
ENTRIES_LIMIT = 5_000_000  # values in one value
LARGEST = 2**63 - 1  # what the database keeps; nothing of a product comes near
_BROKEN_OFF = "The JSON breaks off or is damaged here: download the file again."
_CUT = 16  # a value that is cut off by the end of what was read goes wrong this close to it
_BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class BrokenItem:
    """A value that can't be used, though the next ones may be."""

    detail: str


class _UnusableError(Exception):
    """A value holds something that can't be used; the message is a sentence."""


class JsonText:
    """A text of JSON, and how far it was read."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._is_whole = False  # all of the stream was read

    def next_sign(self) -> str:
        """Return the sign that comes next, blanks aside; empty at the end."""
        while True:
            found = _BLANKS.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_more():
                return ""

    def expect(self, sign: str) -> None:
        """Move past a sign. Raises UnreadableFileError where another one stands."""
        if self.next_sign() != sign:
            raise UnreadableFileError(_BROKEN_OFF)
        self._at += 1

    def elements(self, opening: str = "[", closing: str = "]") -> Iterator[None]:
        """Stop at each element of a list; whoever asks moves past it."""
        self.expect(opening)
        if self.next_sign() != closing:
            yield None
            while self.next_sign() == ",":
                self._at += 1
                yield None
        self.expect(closing)

    def fields(self) -> Iterator[str]:
        """Stop at the value of each key of an object; whoever asks moves past it."""
        for _ in self.elements("{", "}"):
            if self.next_sign() != '"':
                raise UnreadableFileError(_BROKEN_OFF)
            key = self.value()
            self.expect(":")
            yield str(key)

    def value(self) -> Any:
        """Move past a value and return it; a BrokenItem where it can't be used."""
        self.next_sign()
        while True:
            try:
                value, end = _decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not (self._is_cut(error) and self._read_more()):
                    raise UnreadableFileError(_BROKEN_OFF) from error
            except RecursionError as error:
                raise UnreadableFileError(_NESTED) from error
            else:
                if end < len(self._text) or not self._read_more():
                    self._at = end
                    return value

    def skip(self) -> None:
        """Move past a value that may be larger than any that is kept."""
        sign = self.next_sign()
        if sign == "[":
            for _ in self.elements():
                self.value()
        elif sign == "{":
            for _ in self.fields():
                self.value()
        else:
            self.value()

    def end(self) -> None:
        """Check that nothing follows. Raises UnreadableFileError."""
        if self.next_sign():
            raise UnreadableFileError(_BROKEN_OFF)

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Tell whether a value may only lack what was not read yet."""
        near_the_end = error.pos >= len(self._text.rstrip()) - _CUT
        return near_the_end or error.msg.startswith("Unterminated string")

    def _read_more(self) -> bool:
        """Read on, as much again as there is of the present value; False at the end."""
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
                f"than {TEXTS_LIMIT:,} texts: check that it is what it should be."
            )


_NESTED = f"The JSON is nested more than {DEPTH_LIMIT} deep: this is no export."


def parse_line(line: str) -> Any:
    """Return the value of a text that holds one; a BrokenItem where it holds none."""
    text = line.strip()
    try:
        value, end = _decode(text, 0)
    except json.JSONDecodeError:
        return BrokenItem("The line is not JSON: it may be cut off.")
    except RecursionError:
        return BrokenItem(_NESTED)
    return value if end == len(text) else BrokenItem("The line is more than one JSON value.")


def scrubbed_text(text: str) -> str:
    """Return a text without what a database can't keep: NULs and lone surrogates."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _decode(text: str, start: int) -> tuple[Any, int]:
    """Return the value that begins at a place, and where it ends."""
    try:
        value, end = _FAST.raw_decode(text, start)
        return _usable(value, DEPTH_LIMIT), end
    except json.JSONDecodeError:
        raise
    except _UnusableError as error:
        return BrokenItem(str(error)), end
    except ValueError:  # a whole number with more digits than Python turns into one
        _, end = _WITHOUT_NUMBERS.raw_decode(text, start)
        return BrokenItem(_absurd("A number of thousands of digits")), end


def _constant(name: str) -> float | None:
    """Return what JSON has no word for: "not a number" is how programs write nothing."""
    return None if name == "NaN" else float(name)


_FAST = json.JSONDecoder(parse_constant=_constant)
_WITHOUT_NUMBERS = json.JSONDecoder(parse_int=len, parse_float=len)


def _usable(value: Any, room: int) -> Any:
    """Return a value without what can't be kept. Raises _UnusableError."""
    if isinstance(value, str):
        return scrubbed_text(value)
    if isinstance(value, list | dict):
        if not room:
            raise _UnusableError(_NESTED)
        return _usable_list(value, room) if isinstance(value, list) else _usable_dict(value, room)
    if isinstance(value, int | float) and not (isfinite(value) and abs(value) <= LARGEST):
        raise _UnusableError(_absurd(f"A number such as {str(value)[:20]}"))
    return value


def _usable_dict(value: dict[str, Any], room: int) -> dict[str, Any]:
    return {scrubbed_text(key): _usable(each, room - 1) for key, each in value.items()}


def _usable_list(value: list[Any], room: int) -> list[Any]:
    if set(map(type, value)) == {int}:  # Keepa's series, by the million
        _usable(max(value, key=abs), room)
        return value
    return [_usable(each, room - 1) for each in value]


def _absurd(what: str) -> str:
    return f"{what} can't belong to a product, so the entry is not used: correct or remove it."
