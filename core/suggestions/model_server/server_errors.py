"""Reads the message and codes of a model server's error, in any of its forms. Pure.

OpenAI sends `{"error": {"message": …, "code": …}}`; others send a text, a list of errors, an
HTML page, or an error in an answer with status 200.
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

LONGEST_MESSAGE = 300  # characters kept of a server's message
_NO_MESSAGE = "no reason given"
_DEEPEST = 5  # levels of lists and objects that are read
_MESSAGE_KEYS = ("message", "detail", "details", "error", "errors", "msg", "reason", "title")
_CODE_KEYS = ("code", "status", "status_code", "type")
_LARGEST_READ = 20_000  # characters of a text
_UNSEEN = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title\b[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def read_message(body: Any) -> str:
    """Return a server's own message as one short line; "no reason given" if it has none."""
    text = " ".join("; ".join(dict.fromkeys(_texts(body))).split())
    shown = "".join(each for each in text if each.isprintable())
    return shown[:LONGEST_MESSAGE].strip() or _NO_MESSAGE


def _texts(body: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(body, str):
        yield _plain(body[:_LARGEST_READ])
    elif isinstance(body, list) and depth < _DEEPEST:
        for each in body[:_DEEPEST]:
            yield from _texts(each, depth + 1)
    elif isinstance(body, Mapping) and depth < _DEEPEST:
        yield from _texts_of_object(body, depth)


def _texts_of_object(body: Mapping[str, Any], depth: int) -> Iterator[str]:
    place = body.get("loc")  # as FastAPI names a parameter
    where = ".".join(map(str, place)) + ": " if isinstance(place, list) else ""
    for key in _MESSAGE_KEYS:
        found = [each for each in _texts(body.get(key), depth + 1) if each]
        if found:
            yield where + "; ".join(found)
            return


def _plain(text: str) -> str:
    """Return a text as it is; the title of an HTML page, or its text without tags."""
    if not re.match(r"\s*(<!doctype|<html|<head|<body|<\?xml|<!--)", text, re.IGNORECASE):
        return text
    title = _TITLE.search(text)
    shown = title[1] if title and title[1].strip() else _UNSEEN.sub(" ", text)
    return html.unescape(_TAG.sub(" ", shown))


def read_codes(body: Any) -> frozenset[str]:
    """Return the codes of an error in lower case: "429", "insufficient_quota"."""
    error = body.get("error", body) if isinstance(body, Mapping) else None
    parts = [each for each in (body, error) if isinstance(each, Mapping)]
    found = [each.get(key) for each in parts for key in _CODE_KEYS]
    return frozenset(
        str(each).strip().lower()
        for each in found
        if isinstance(each, str | int) and not isinstance(each, bool)
    )


def find_error(answer: Mapping[str, Any]) -> Any:
    """Return the error in an answer with status 200; None if it has none."""
    if error := answer.get("error"):
        return {"error": error}
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(first, Mapping) and (error := first.get("error")):
        return {"error": error}
    is_error = answer.get("object") == "error" or str(answer.get("status")).lower() == "error"
    return dict(answer) if is_error and not choices else None
