"""When a message that was not sent is tried again. Pure."""

from datetime import datetime, timedelta
from typing import Final

_PAUSES: Final = (1, 2, 5, 15, 30, 60)  # min after each attempt; the last for all further ones
LONGEST_PAUSE: Final = timedelta(hours=6)  # that a provider may ask for


def find_next_try(
    attempts: int, now: datetime, pause: timedelta | None, expires_at: datetime
) -> datetime | None:
    """Return when to try a message again after `attempts`, None if it is too old by then.

    `pause`: what the provider asks for. It makes the wait longer, never shorter.
    """
    wait = timedelta(minutes=_PAUSES[min(max(attempts, 1), len(_PAUSES)) - 1])
    if pause is not None:
        wait = max(wait, min(pause, LONGEST_PAUSE))
    at = now + wait
    return at if at < expires_at else None
