"""Parses search text into what the database can search for. Pure.

Words are searched by full text, the last one as a prefix; scripts without spaces by pairs
of neighbouring characters; text in the form of an ASIN by prefix.
"""

import re
from dataclasses import dataclass

from core.catalog.listing_versions import find_character_pairs

LONGEST_SEARCH = 200  # characters; longer text is cut, no title needs more
MOST_WORDS = 12

_ASIN_START = re.compile(r"B0[A-Z0-9]{0,8}|[0-9]{5,9}[0-9X]?")  # or an ISBN's digits


@dataclass(frozen=True, slots=True)
class Search:
    """A search in three forms; None or empty where a form doesn't apply."""

    words: str | None = None  # for to_tsquery('simple', …)
    pairs: tuple[str, ...] = ()
    asin_prefix: str | None = None

    @property
    def is_empty(self) -> bool:
        return self.words is None and not self.pairs and self.asin_prefix is None


def read_search(text: str) -> Search:
    """Return what to search for, for any text; never raises."""
    words = _words(text)
    asin_prefix = _asin_prefix(words)
    if asin_prefix is not None and asin_prefix.startswith("B0"):
        return Search(asin_prefix=asin_prefix)  # no title has a word like that
    pairs = tuple(find_character_pairs(" ".join(words)))
    spaced = [word for word in words if not find_character_pairs(word)]
    return Search(_as_tsquery(spaced), pairs, asin_prefix)


def _words(text: str) -> list[str]:
    # Half of a surrogate pair and NUL exist in Python's text, not in PostgreSQL's.
    known = text[:LONGEST_SEARCH].encode("utf-8", "ignore").decode().replace("\x00", " ")
    return known.split()[:MOST_WORDS]


def _as_tsquery(words: list[str]) -> str | None:
    """Return every word quoted, so that none is an operator; None for no words."""
    if not any(character.isalnum() for word in words for character in word):
        return None
    quoted = [_quoted(word) for word in words if any(map(str.isalnum, word))]
    return " & ".join(quoted) + ":*"


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def _asin_prefix(words: list[str]) -> str | None:
    if len(words) != 1:
        return None
    word = words[0].upper()
    return word if _ASIN_START.fullmatch(word) else None
