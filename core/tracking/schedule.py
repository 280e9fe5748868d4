"""Corrects due times that can't be right. Never commits."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

_TOO_LATE = """
UPDATE fetch_schedule SET due_at = CASE WHEN looked_at <= CAST(:now AS timestamptz)
    THEN greatest(looked_at + cadence_minutes * interval '1 minute', CAST(:now AS timestamptz))
    ELSE CAST(:now AS timestamptz) END
WHERE due_at > CAST(:now AS timestamptz) + cadence_minutes * interval '1 minute'
"""


def correct_due_times(session: Session, now: datetime) -> int:
    """Correct due times further away than the product's cadence; return how many.

    No check sets one that far: a clock was wrong when the product was released, perhaps the
    database's own.
    """
    return session.execute(text(_TOO_LATE), {"now": now}).rowcount  # type: ignore[attr-defined, no-any-return]
