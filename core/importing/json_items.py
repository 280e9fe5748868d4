"""Reads JSON from outside item by item: an array, an envelope, JSON Lines or a single object.

Knows nothing of what the items mean. Nothing is loaded whole but one item,
whose size and depth are limited.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from pathlib import Path
from typing import Any

import ijson

from core.importing.source_file import (
    CHUNK,
    MEGABYTE,
    TextForm,
    UnreadableFileError,
    open_text,
)

DEPTH_LIMIT = 100
ITEM_LIMIT = 64 * MEGABYTE
LISTS = ("products", "product", "items", "results", "data")  # keys that hold items in envelopes
_JSON_FAULTS = (ijson.JSONError, UnicodeDecodeError, ValueError, OverflowError)

Event = tuple[str, Any]


class Layout(Enum):
    """How items are put together in a file."""

    ARRAY = auto()
    ENVELOPE = auto()  # an object with a list of items under one of `LISTS`
    LINES = auto()
    SINGLE = auto()


@dataclass(frozen=True, slots=True)
class BrokenItem:
    """An item that is not JSON; with lines, the next ones may still be."""

    detail: str


def looks_like_json(start: str) -> bool:
    """Tell whether a text that starts so is meant as JSON."""
    head = start.lstrip()
    return head[:1] == "{" or (head[:1] == "[" and head[1:].lstrip()[:1] in ("{", "[", "]", ""))


def find_layout(path: Path, form: TextForm) -> Layout:
    """Return how the items of a JSON file are put together."""
    with open_text(path, form) as stream:
        if stream.read(64 * 1024).lstrip()[:1] == "[":
            return Layout.ARRAY
    if _are_lines(path, form):
        return Layout.LINES
    return Layout.ENVELOPE if _has_list(path, form) else Layout.SINGLE


def _are_lines(path: Path, form: TextForm) -> bool:
    """Tell whether the first line ends with an object and the next one begins with another.

    Within one JSON document "}" is never followed by "{". Lines may be long: none is kept.
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


def read_items(path: Path, form: TextForm, layout: Layout) -> Iterator[Any]:
    """Yield the items in order, as json.loads would make them; `BrokenItem` for a bad line.

    Raises UnreadableFileError where the file breaks off or stops being JSON.
    """
    if layout is Layout.LINES:
        yield from _read_lines(path, form)
        return
    with open_text(path, form) as text:
        reader = _Utf8Reader(text)
        try:
            yield from _build_items(_events(reader), layout, reader)
        except _JSON_FAULTS as error:
            raise UnreadableFileError(
                "The JSON breaks off or is damaged here: download the file again."
            ) from error


def read_scalars(path: Path, form: TextForm) -> dict[str, Any]:
    """Return the plain values of an envelope beside its items, as far as it can be read."""
    found: dict[str, Any] = {}
    with open_text(path, form) as text:
        try:
            _collect_scalars(_events(_Utf8Reader(text)), found)
        except (*_JSON_FAULTS, UnreadableFileError):
            return found
    return found


def scrubbed(value: Any) -> Any:
    """Return a value without what a database can't keep in text: NULs and half characters."""
    if isinstance(value, str):
        return scrubbed_text(value)
    if isinstance(value, list):
        return [scrubbed(each) for each in value]
    if isinstance(value, dict):
        return {scrubbed_text(key): scrubbed(each) for key, each in value.items()}
    return value


def scrubbed_text(text: str) -> str:
    """Return a text without NULs and lone surrogates."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


class _Utf8Reader:
    """Characters as UTF-8 bytes for ijson, counting what one item takes."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.since_mark = 0

    def read(self, size: int = -1) -> bytes:
        if size == 0:  # ijson asks so to learn whether bytes or characters come
            return b""
        data = self._text.read(size if size > 0 else CHUNK).encode("utf-8", "replace")
        self.since_mark += len(data)
        if self.since_mark > ITEM_LIMIT:
            raise UnreadableFileError(
                f"One entry of the file is larger than {ITEM_LIMIT // MEGABYTE} MB: "
                "check that it is what it should be."
            )
        return data


def _events(reader: _Utf8Reader) -> Iterator[Event]:
    """Yield ijson's events; refuses deep nesting, which costs memory by its square elsewhere."""
    depth = 0
    for event, value in ijson.basic_parse(reader, buf_size=CHUNK):
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > DEPTH_LIMIT:
                raise UnreadableFileError(
                    f"The JSON is nested more than {DEPTH_LIMIT} deep: this is no export."
                )
        elif event in ("end_map", "end_array"):
            depth -= 1
        yield event, value


def _build_items(events: Iterator[Event], layout: Layout, reader: _Utf8Reader) -> Iterator[Any]:
    first = next(events, None)
    if layout is Layout.ENVELOPE:
        first = _skip_to_list(events)
    if first is None:
        return
    if first[0] != "start_array":
        yield scrubbed(_build(first, events))
    else:
        for event in events:
            if event[0] == "end_array":
                break
            yield scrubbed(_build(event, events))
            reader.since_mark = 0
    for _ in events:  # to its end: what is cut off or follows there is told, not dropped
        reader.since_mark = 0


def _skip_to_list(events: Iterator[Event]) -> Event | None:
    """Move past the key whose value holds the items; return that value's first event."""
    for event, value in events:
        if event == "map_key":
            opening = next(events)
            if value in LISTS and opening[0] in ("start_array", "start_map"):
                return _inner_list(opening, events)
            _skip(opening, events)
    return None


def _inner_list(opening: Event, events: Iterator[Event]) -> Event | None:
    """Return the opening of the items: under "data" they may lie one level deeper."""
    if opening[0] == "start_array":
        return opening
    key = next(events)
    if key == ("map_key", "items"):
        return next(events)
    return _reopened(key, events)


def _reopened(key: Event, events: Iterator[Event]) -> Event:
    """Return an event that stands for the single object whose first key was read already."""
    return ("value", _build_map(events, first_key=key))


def _skip(opening: Event, events: Iterator[Event]) -> None:
    depth = 1 if opening[0].startswith("start") else 0
    while depth:
        event = next(events)[0]
        depth += event.startswith("start") - event.startswith("end")


def _build(opening: Event, events: Iterator[Event]) -> Any:
    kind, value = opening
    if kind == "start_map":
        return _build_map(events, first_key=next(events))
    if kind == "start_array":
        return _build_list(events)
    return float(value) if isinstance(value, Decimal) else value


def _build_map(events: Iterator[Event], first_key: Event) -> dict[str, Any]:
    built: dict[str, Any] = {}
    key = first_key
    while key[0] != "end_map":
        built[key[1]] = _build(next(events), events)
        key = next(events)
    return built


def _build_list(events: Iterator[Event]) -> list[Any]:
    built: list[Any] = []
    for event in events:
        if event[0] == "end_array":
            return built
        built.append(_build(event, events))
    return built


def _has_list(path: Path, form: TextForm) -> bool:
    with open_text(path, form) as text:
        try:
            return _skip_to_list(_after_opening(_Utf8Reader(text))) is not None
        except (*_JSON_FAULTS, StopIteration, UnreadableFileError):
            return False


def _after_opening(reader: _Utf8Reader) -> Iterator[Event]:
    events = _events(reader)
    next(events, None)
    return events


def _collect_scalars(events: Iterator[Event], found: dict[str, Any]) -> None:
    if next(events, ("", None))[0] != "start_map":
        return
    for event, value in events:
        if event != "map_key":
            return
        opening = next(events)
        if opening[0].startswith("start"):
            _skip(opening, events)
        else:
            found[value] = opening[1]


def _load_line(line: str) -> Any:
    try:
        value = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return BrokenItem("The line is not JSON: it may be cut off.")
    return scrubbed(value) if _is_shallow(value) else BrokenItem("The line is nested too deep.")


def _is_shallow(value: Any, room: int = DEPTH_LIMIT) -> bool:
    if isinstance(value, dict):
        return room > 0 and all(_is_shallow(each, room - 1) for each in value.values())
    if isinstance(value, list):
        return room > 0 and all(_is_shallow(each, room - 1) for each in value)
    return True


def _read_lines(path: Path, form: TextForm) -> Iterator[Any]:
    with open_text(path, form) as text:
        while line := text.readline(ITEM_LIMIT):
            if line.strip():
                yield _load_line(line)
