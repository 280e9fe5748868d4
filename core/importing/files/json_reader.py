"""Read JSON from outside item by item: an array, an envelope, JSON Lines or a single object.

The meaning of items is decided elsewhere. Only one item is in memory at a time;
its size and depth are limited.
"""

from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path
from typing import Any

from core.importing.files.json_values import ITEM_LIMIT, BrokenItem, JsonText, parse_line
from core.importing.files.source_file import CHUNK, TextForm, UnreadableFileError, open_text

__all__ = [
    "BrokenItem",
    "JsonLayout",
    "find_layout",
    "looks_like_json",
    "read_items",
    "read_scalars",
]

LISTS = ("products", "product", "items", "results", "data")  # an envelope's keys for its items


class JsonLayout(Enum):
    """How the items of a JSON file are arranged."""

    ARRAY = auto()
    ENVELOPE = auto()  # an object with a list of items under one of `LISTS`
    LINES = auto()
    SINGLE = auto()


def looks_like_json(start: str) -> bool:
    """Return whether a text with this start is JSON."""
    head = start.lstrip()
    return head[:1] == "{" or (head[:1] == "[" and head[1:].lstrip()[:1] in ("{", "[", "]", ""))


def find_layout(path: Path, form: TextForm) -> JsonLayout:
    """Return how the items of a JSON file are arranged."""
    with open_text(path, form) as stream:
        if stream.read(64 * 1024).lstrip()[:1] == "[":
            return JsonLayout.ARRAY
    if _are_lines(path, form):
        return JsonLayout.LINES
    return JsonLayout.ENVELOPE if _has_list(path, form) else JsonLayout.SINGLE


def _are_lines(path: Path, form: TextForm) -> bool:
    """Return whether the first line ends with an object and the next one begins with another.

    Within one JSON document "}" is never followed by "{". Lines may be long, so none is kept.
    """
    last = ""  # the sign before the end of the first line
    with open_text(path, form) as stream:
        while piece := stream.readline(CHUNK):
            last = piece.rstrip()[-1:] or last
            if last and piece.endswith("\n"):
                break
        if last != "}":
            return False
        while piece := stream.readline(CHUNK):
            if piece.strip():
                return piece.lstrip().startswith("{")
    return False


def read_items(path: Path, form: TextForm, layout: JsonLayout) -> Iterator[Any]:
    """Yield the items in order, as `json.loads` returns them; a `BrokenItem` for a bad one.

    Raises UnreadableFileError where the file breaks off or stops being JSON.
    """
    with open_text(path, form) as stream:
        if layout is JsonLayout.LINES:
            while line := stream.readline(ITEM_LIMIT):
                if line.strip():
                    yield parse_line(line)
            return
        text = JsonText(stream)
        yield from _read_items(text, layout)
        text.expect_end()


def read_scalars(path: Path, form: TextForm) -> dict[str, Any]:
    """Return an envelope's values other than lists and objects, as far as it can be read."""
    found: dict[str, Any] = {}
    with open_text(path, form) as stream:
        text = JsonText(stream)
        try:
            for key in text.iterate_fields() if text.peek_character() == "{" else ():
                if text.peek_character() in "[{":
                    text.skip_value()
                else:
                    found[key] = text.read_value()
        except UnreadableFileError:
            return found  # raised again when the items are read
    return found


def _read_items(text: JsonText, layout: JsonLayout) -> Iterator[Any]:
    if layout is JsonLayout.ENVELOPE:
        yield from _read_envelope(text)
    elif layout is JsonLayout.ARRAY:
        for _ in text.iterate_elements():
            yield text.read_value()
    elif text.peek_character():
        yield text.read_value()


def _read_envelope(text: JsonText) -> Iterator[Any]:
    """Yield the items under the first key of `LISTS`; the rest is read to its end."""
    is_found = False
    for key in text.iterate_fields():
        if is_found or not _holds_items(key, text):
            text.skip_value()
            continue
        is_found = True
        if text.peek_character() == "{":
            yield from _read_object(text)
        else:
            yield from _read_items(text, JsonLayout.ARRAY)


def _holds_items(key: str, text: JsonText) -> bool:
    return key in LISTS and text.peek_character() in ("[", "{")


def _read_object(text: JsonText) -> Iterator[Any]:
    """Yield an object that is the only item; its key "items" may instead hold the items."""
    single: dict[str, Any] | None = {}
    for key in text.iterate_fields():
        if single is None:
            text.skip_value()
        elif key == "items" and not single and text.peek_character() == "[":
            single = None
            yield from _read_items(text, JsonLayout.ARRAY)
        else:
            single[key] = text.read_value()
    if single is not None:
        yield single


def _has_list(path: Path, form: TextForm) -> bool:
    with open_text(path, form) as stream:
        text = JsonText(stream)
        try:
            for key in text.iterate_fields():
                if _holds_items(key, text):
                    return True
                text.skip_value()
        except UnreadableFileError:
            return False
    return False
