"""Provenance of a product's values, as far as the principal may see it. SELECTs only.

Teams share products but not imports: another team's file name and user are hidden.
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

HIDDEN_FILE = "a file of another team"
HIDDEN_PERSON = "a user of another team"


@dataclass(frozen=True, slots=True)
class Origin:
    """A value's provenance, and whether it is the newest accepted value."""

    provenance: Provenance
    is_newest: bool


@requires(Permission.READ)
def find_origin(
    session: Session, principal: Principal, head: ProductSummary, column: str, at: datetime | None
) -> Origin | None:
    """Return where the newest accepted value comes from, or with `at` the last one until then.

    None if there is none. With `at`, flagged values count too. Raises InvalidInputError for a
    column that has no provenance.
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
def find_origin_of_snapshot(
    session: Session,
    principal: Principal,
    head: ProductSummary,
    column: str,
    captured_at: datetime,
    source: int,
) -> Provenance | None:
    """Return where a value of one snapshot comes from, None if there is no such snapshot.

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
    """Return where a value of a period was first (last) reported, None if no snapshot has it.

    A rank counts only in the product's newest category. Raises InvalidInputError for a column
    that has no provenance.
    """
    category = head.bsr_category_id if column == "bsr" else None
    found = find_value_provenance(
        session, head.product_id, column, value, period, _oldest(head), category, last=last
    )
    return None if found is None else _for_team(principal, found)


def _oldest(head: ProductSummary) -> datetime:
    """Return a time before all snapshots: a marketplace's day starts up to 14 h before UTC's."""
    first = head.first_day or datetime.now(UTC).date()
    return datetime.combine(first, time(), UTC) - timedelta(days=1)


def _for_team(principal: Principal, found: Provenance) -> Provenance:
    if found.imported is None or found.imported.team_id in (None, principal.team_id):
        return found
    hidden = replace(found.imported, name=HIDDEN_FILE, person=HIDDEN_PERSON, file_hash=None)
    return replace(found, imported=hidden)
