"""SELECTs on a team's notes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal


@dataclass(frozen=True, slots=True)
class Note:
    """A note on a product. The body is text from outside."""

    id: int
    noted_at: datetime
    body: str
    author_id: int
    author: str


_NOTES = """
SELECT n.id, n.noted_at, n.body, n.person_id, p.name
FROM product_note n JOIN person p ON p.id = n.person_id
WHERE n.team_id = :team AND n.product_id = :product ORDER BY n.noted_at DESC, n.id DESC
"""


@requires(Permission.READ)
def list_notes(session: Session, principal: Principal, product_id: int) -> list[Note]:
    """Return the team's notes on a product, newest first."""
    values = {"team": principal.team_id, "product": product_id}
    return [Note(*row) for row in session.execute(text(_NOTES), values)]
