"""Differences between texts as Markdown, marked by sign and color, never by color alone."""

from collections.abc import Iterable

from core.history.changes.listing_diff import DiffPart, Mark
from core.text.escaping import escape_markdown

_MARKS: dict[Mark, str] = {"same": "{}", "added": ":green[**{}**]", "removed": ":red[~~{}~~]"}


def format_diff(pieces: Iterable[DiffPart]) -> str:
    """Return the pieces in reading order, escaped: they are text from outside."""
    return " ".join(_MARKS[piece.mark].format(escape_markdown(piece.text)) for piece in pieces)
