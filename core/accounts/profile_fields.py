"""Fields of a user's profile: name, short texts, time zones. Pure."""

from functools import lru_cache
from zoneinfo import available_timezones

from core.errors import InvalidInputError

MAX_NAME_LENGTH = 80


@lru_cache(maxsize=1)
def list_time_zones() -> tuple[str, ...]:
    """Return all time zones, sorted; read from disk once."""
    return tuple(sorted(available_timezones()))


def clean_name(name: str) -> str:
    """Return a user's name with normalized spaces. Raises InvalidInputError for none."""
    cleaned = clean_line(name, MAX_NAME_LENGTH)
    if cleaned is None:
        raise InvalidInputError(f"A name has 1 to {MAX_NAME_LENGTH} characters.")
    return cleaned


def clean_line(typed: str, longest: int) -> str | None:
    """Return a short text with normalized spaces; None if it is empty or too long.

    Extra spaces may exceed the limit; anything longer than four times the limit is refused
    unread.
    """
    if len(typed) > 4 * longest:
        return None
    cleaned = " ".join("".join(sign if sign.isprintable() else " " for sign in typed).split())
    return cleaned if 0 < len(cleaned) <= longest else None
