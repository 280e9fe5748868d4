"""Text cut to the width of a column."""

from unicodedata import east_asian_width


def fit_text(text: str, letters: int) -> str:
    """Return text in the room of so many latin letters, with "…" where it was cut."""
    room, end = float(letters), 0
    for end, sign in enumerate(text, 1):
        room -= _room_of(sign)
        if room < 0:
            return text[: end - 2].rstrip(" ,") + "…"
    return text[:end]


def _room_of(sign: str) -> float:
    """Return how wide a letter is drawn, in small latin letters."""
    if east_asian_width(sign) in "WF":
        return 2
    return 1.25 if sign.isupper() else 1
