"""Operations on saved views. Never commits."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access.audit import record
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import Person
from core.errors import InvalidInputError, NotFoundError
from core.tracking.views.models import ProductViewRow
from core.tracking.views.rules import (
    COLUMNS,
    LONGEST_NAME,
    MOST_COLUMNS,
    MOST_VIEWS,
    ViewDefinition,
    clean_view_name,
    write_definition,
)


@requires(Permission.TRACK)
def save_view(
    session: Session,
    principal: Principal,
    name: str,
    definition: ViewDefinition,
    *,
    is_shared: bool = False,
) -> bool:
    """Save a view of the user; return whether it is new. One of the same name is replaced.

    `is_shared`: the team sees it. Raises InvalidInputError.
    """
    cleaned = clean_view_name(name)
    if cleaned is None:
        raise InvalidInputError(f"A view needs a name of at most {LONGEST_NAME} characters.")
    # Lock the user: two at once could exceed the limit.
    session.get_one(Person, principal.person_id, with_for_update=True)
    own = ProductViewRow.person_id == principal.person_id
    row = session.scalar(select(ProductViewRow).where(own, ProductViewRow.name == cleaned))
    stored = write_definition(definition)
    if row is None:
        count = session.scalar(select(func.count()).select_from(ProductViewRow).where(own)) or 0
        if count >= MOST_VIEWS:
            raise InvalidInputError(f"You have {MOST_VIEWS} views. Delete one first.")
        row = ProductViewRow(
            team_id=principal.team_id,
            person_id=principal.person_id,
            name=cleaned,
            is_shared=is_shared,
            definition=stored,
        )
        session.add(row)
        session.flush()
        values = {"name": cleaned, "is shared": is_shared}
        record(session, principal, "saved view", f"product_view:{row.id}", new=values)
        return True
    old = {"is shared": row.is_shared}
    row.definition, row.is_shared, row.saved_at = stored, is_shared, func.now()
    session.flush()
    new = {"is shared": is_shared}
    record(session, principal, "changed view", f"product_view:{row.id}", old, new)
    return False


@requires(Permission.TRACK)
def delete_view(session: Session, principal: Principal, view_id: int) -> None:
    """Delete a view of the user; managers also delete those that teammates share.

    Raises NotFoundError.
    """
    row = session.get(ProductViewRow, view_id, with_for_update=True)
    is_own = row is not None and row.person_id == principal.person_id
    may_delete = is_own or (
        row is not None
        and row.team_id == principal.team_id
        and row.is_shared
        and principal.may(Permission.TRACK_TEAM)
    )
    if row is None or not may_delete:
        raise NotFoundError("This view doesn't exist any more.")
    old = {"name": row.name, "is shared": row.is_shared}
    session.delete(row)
    session.flush()
    record(session, principal, "deleted view", f"product_view:{view_id}", old)


@requires(Permission.SELF)
def set_columns(session: Session, principal: Principal, names: Sequence[str]) -> None:
    """Remember which columns of the list the user sees. Not audited: only this user sees it."""
    person = session.get_one(Person, principal.person_id, with_for_update=True)
    chosen = [name[:LONGEST_NAME] for name in names[:MOST_COLUMNS]]
    person.preferences = {**person.preferences, COLUMNS: chosen}
    session.flush()
