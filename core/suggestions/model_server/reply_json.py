"""Finds the JSON of a reply in the text that models write around it. Pure.

Models behind compatible servers write thoughts before the answer (`<think>…</think>`), put it
into a code fence, send it as a list of content parts, or end it with blanks and tokens of
their own. `reply_parser` checks the JSON itself.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

_THINKING = re.compile(
    r"\s*<(think|thinking|thought|reasoning)\b[^<>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE
)
_THOUGHT_END = re.compile(r"</(?:think|thinking|thought|reasoning)\s*>", re.IGNORECASE)
_FENCE = re.compile(r"`{3,}|~{3,}")
_LANGUAGE = re.compile(r"[\w+.-]*")
_REPLY_START = re.compile(r'\{\s*"suggestions"\s*:')  # how the requested object begins
_MOST_TRIES = 20  # objects that are tried, last ones first
_TEXT_TYPES = frozenset(
    {"text", "output_text", None}
)  # parts of other types are thoughts or tool calls


def read_content_text(content: Any) -> str:
    """Return the text of a message's content, which is a text or a list of parts; else ""."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "".join(_text_of_part(each) for each in parts)


def _text_of_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or part.get("type") not in _TEXT_TYPES:
        return ""
    text = part.get("text")
    if isinstance(text, dict):  # the form of the Assistants API
        text = text.get("value")
    return text if isinstance(text, str) else ""


def find_json(text: str) -> str:
    """Return the JSON object of a reply; the text without thoughts if it has none.

    Of several objects the last is the answer: the others are drafts.
    """
    rest = _trimmed(_without_thoughts(text))
    if _is_object(rest):
        return rest
    answer = _trimmed(_THOUGHT_END.split(rest)[-1])
    for part in dict.fromkeys((answer, rest)):
        found = next(_objects(part), None)
        if found is not None:
            return found
    return rest


def _objects(text: str) -> Iterator[str]:
    """Yield the JSON objects of a text: the whole text, those in fences, then any others."""
    if _is_object(text):
        yield text
    for part in reversed(_FENCE.split(text)[1:][-_MOST_TRIES:]):
        inner = _trimmed(_LANGUAGE.sub("", part.lstrip(), count=1))
        if _is_object(inner):
            yield inner
    for start in reversed([each.start() for each in _REPLY_START.finditer(text)][-_MOST_TRIES:]):
        end = _end_of_object(text, start)
        if end is not None:
            yield text[start:end]


def _without_thoughts(text: str) -> str:
    """Return a text without the closed blocks of thoughts at its start."""
    start = len(text) - len(text.lstrip("\ufeff\u200b \t\r\n"))
    while (found := _THINKING.match(text, start)) is not None:
        start = found.end()
    return text[start:]


def _trimmed(text: str) -> str:
    """Return a text without blanks, format and control characters at both ends."""
    begin, end = 0, len(text)
    while begin < end and _is_blank(text[begin]):
        begin += 1
    while end > begin and _is_blank(text[end - 1]):
        end -= 1
    return text[begin:end]


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf")


def _is_object(text: str) -> bool:
    return text.startswith("{") and _end_of_object(text, 0) == len(text)


def _end_of_object(text: str, start: int) -> int | None:
    """Return the end of the JSON object that begins at `start`; None if there is none."""
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return end
