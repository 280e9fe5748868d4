"""Read which fields of which source could not be read recently.

A field that suddenly can't be read means that a page has changed its wording, or that
a parser doesn't know its language: operators see it here before many values are missing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.history.observation import Source

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
MOST_COUNTED: Final = 20_000  # the newest snapshots, enough to act on


@dataclass(frozen=True, slots=True)
class UnreadableField:
    """How often a source's field could not be read. `marketplace` is the newest one's."""

    source: Source
    field: str
    last_day: int
    last_week: int
    newest_at: datetime
    marketplace: str
    newest_text: str  # the unreadable text, from outside


_COUNTS = """
SELECT s.source, f.key, count(*) FILTER (WHERE s.captured_at >= :day), count(*),
    max(s.captured_at), (array_agg(p.marketplace ORDER BY s.captured_at DESC))[1],
    (array_agg(f.value ORDER BY s.captured_at DESC))[1]
FROM (SELECT product_id, captured_at, source, unreadable FROM snapshot
      WHERE unreadable IS NOT NULL AND captured_at >= :week AND captured_at <= :until
      ORDER BY captured_at DESC LIMIT :limit) AS s
JOIN product p ON p.id = s.product_id
CROSS JOIN LATERAL jsonb_each_text(s.unreadable) AS f (key, value)
GROUP BY s.source, f.key ORDER BY 3 DESC, 4 DESC, s.source, f.key
"""


def list_unreadable_fields(session: Session, now: datetime) -> list[UnreadableField]:
    """Return the fields that could not be read in the last 7 days, most in the last day first."""
    given = {
        "day": now - DAY,
        "week": now - WEEK,
        "until": now + timedelta(hours=1),
        "limit": MOST_COUNTED,
    }
    return [
        UnreadableField(Source(source), *rest)
        for source, *rest in session.execute(text(_COUNTS), given)
    ]
