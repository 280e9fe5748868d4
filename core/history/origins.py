"""Where a value of a product comes from, as one person may know it. SELECTs only.

Products are shared by all teams, imports are not: whose file it was, and its name, is the
team's own affair.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.rules import Acting, Right
from core.accounts.verbs import verb
from core.history.product_head import ProductHead
from core.history.provenance import (
    Provenance,
    find_latest_provenance,
    find_provenance_at,
)

NOT_YOURS = "a file of another team"
SOMEBODY = "somebody of another team"


@dataclass(frozen=True, slots=True)
class Origin:
    """A value's origin, and whether it is what the product shows now."""

    provenance: Provenance
    is_newest: bool


@verb(Right.READ)
def find_origin(
    session: Session, acting: Acting, head: ProductHead, column: str, at: datetime | None
) -> Origin | None:
    """Return where the newest accepted value comes from, or the one that was last seen at a time.

    None when it was never seen, or not until then. Of a time before, values that were
    doubted are told too, with their doubts. Raises InvalidInputError for a column that
    has no provenance.
    """
    newest = find_latest_provenance(session, head.product_id, column)
    found = (
        newest
        if at is None
        else find_provenance_at(session, head.product_id, column, at, _oldest(head))
    )
    if found is None:
        return None
    return Origin(_for_team(session, acting, found), found == newest)


def _oldest(head: ProductHead) -> datetime:
    """Return before when nothing was seen: a marketplace's day begins up to 14 h before UTC's."""
    first = head.first_day or datetime.now(UTC).date()
    return datetime.combine(first, time(), UTC) - timedelta(days=1)


def _for_team(session: Session, acting: Acting, found: Provenance) -> Provenance:
    if found.imported is None:
        return found
    team = session.scalar(
        text("SELECT team_id FROM import_run WHERE id = :id"), {"id": found.imported.import_id}
    )
    if team == acting.team_id:
        return found
    hidden = replace(found.imported, name=NOT_YOURS, person=SOMEBODY, file_hash="")
    return replace(found, imported=hidden)
