"""Reads of saved views."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import Person
from core.tracking.views.models import ProductViewRow
from core.tracking.views.rules import COLUMNS, SavedView, TeamView, read_definition


@requires(Permission.READ)
def list_views(session: Session, principal: Principal) -> list[SavedView]:
    """Return the user's own views, then those that teammates share, each by name."""
    rows = session.scalars(
        select(ProductViewRow).where(
            ProductViewRow.team_id == principal.team_id,
            or_(ProductViewRow.person_id == principal.person_id, ProductViewRow.is_shared),
        )
    )
    views = [
        SavedView(
            row.id,
            row.name,
            row.person_id == principal.person_id,
            row.is_shared,
            read_definition(row.definition),
        )
        for row in rows
    ]
    return sorted(views, key=lambda view: (not view.is_own, view.name.casefold(), view.id))


def find_team_view(session: Session, team_id: int, view_id: int) -> TeamView | None:
    """Return a view that a user of the team saved; None: there is none (any more)."""
    row = session.scalars(
        select(ProductViewRow).where(
            ProductViewRow.id == view_id, ProductViewRow.team_id == team_id
        )
    ).one_or_none()
    if row is None:
        return None
    definition = read_definition(row.definition)
    return TeamView(row.id, row.name, row.person_id, row.is_shared, definition)


@requires(Permission.SELF)
def read_columns(session: Session, principal: Principal) -> tuple[str, ...]:
    """Return the columns of the list that the user chose; empty: never chosen, or none."""
    person = session.get_one(Person, principal.person_id)
    return tuple(map(str, person.preferences.get(COLUMNS, ())))
