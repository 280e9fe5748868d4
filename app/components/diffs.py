"""Words that came or went, as Markdown: by sign and by colour, never by colour alone."""

from collections.abc import Iterable

from core.history.changes.listing_diff import DiffPart, Mark
from core.text.escaping import escape_markdown

_MARKS: dict[Mark, str] = {"same": "{}", "added": ":green[**{}**]", "removed": ":red[~~{}~~]"}


def format_diff(pieces: Iterable[DiffPart]) -> str:
    """Return pieces in reading order; their words are text from outside."""
    return " ".join(_MARKS[piece.mark].format(escape_markdown(piece.text)) for piece in pieces)
