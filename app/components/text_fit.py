"""Text cut to the width of a column."""

from unicodedata import east_asian_width


def fit_text(text: str, letters: int) -> str:
    """Return the text cut to the width of that many lowercase Latin letters, with "…" if cut."""
    room, end = float(letters), 0
    for end, character in enumerate(text, 1):
        room -= _width_of(character)
        if room < 0:
            return text[: end - 2].rstrip(" ,") + "…"
    return text[:end]


def _width_of(character: str) -> float:
    """Return a character's width, in lowercase Latin letters."""
    if east_asian_width(character) in "WF":
        return 2
    return 1.25 if character.isupper() else 1
