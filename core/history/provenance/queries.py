"""Where a value of a product comes from, as one person may know it. SELECTs only.

Products are shared by all teams, imports are not: whose file it was, and its name, is the
team's own affair.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.history.product_summary import ProductSummary
from core.history.provenance.provenance import (
    Provenance,
    find_latest_provenance,
    find_provenance,
    find_provenance_at,
    find_value_provenance,
)

NOT_YOURS = "a file of another team"
SOMEBODY = "somebody of another team"


@dataclass(frozen=True, slots=True)
class Origin:
    """A value's origin, and whether it is what the product shows now."""

    provenance: Provenance
    is_newest: bool


@requires(Permission.READ)
def find_origin(
    session: Session, principal: Principal, head: ProductSummary, column: str, at: datetime | None
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
    return Origin(_for_team(principal, found), found == newest)


@requires(Permission.READ)
def find_origin_of_look(
    session: Session,
    principal: Principal,
    head: ProductSummary,
    column: str,
    captured_at: datetime,
    source: int,
) -> Provenance | None:
    """Return where a value of one look comes from, None when there is no such look.

    Raises InvalidInputError for a column that has no provenance.
    """
    found = find_provenance(session, head.product_id, column, captured_at, source)
    return None if found is None else _for_team(principal, found)


@requires(Permission.READ)
def find_origin_of_value(
    session: Session,
    principal: Principal,
    head: ProductSummary,
    column: str,
    value: int,
    period: tuple[datetime, datetime],
    *,
    last: bool = False,
) -> Provenance | None:
    """Return where a value of a period was first (last) said, None when no kept look says it.

    A rank counts in the product's present category. Raises InvalidInputError for a column
    that has no provenance.
    """
    category = head.bsr_category_id if column == "bsr" else None
    found = find_value_provenance(
        session, head.product_id, column, value, period, _oldest(head), category, last=last
    )
    return None if found is None else _for_team(principal, found)


def _oldest(head: ProductSummary) -> datetime:
    """Return before when nothing was seen: a marketplace's day begins up to 14 h before UTC's."""
    first = head.first_day or datetime.now(UTC).date()
    return datetime.combine(first, time(), UTC) - timedelta(days=1)


def _for_team(principal: Principal, found: Provenance) -> Provenance:
    if found.imported is None or found.imported.team_id in (None, principal.team_id):
        return found
    hidden = replace(found.imported, name=NOT_YOURS, person=SOMEBODY, file_hash=None)
    return replace(found, imported=hidden)
