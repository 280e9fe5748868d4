"""Which rows of tracking an operation may change: the user's own, or for a manager the team's."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission, Principal, require_permission
from core.errors import NotFoundError
from core.tracking.list_filter import ListScope
from core.tracking.models import Tracking


def editable_conditions(
    principal: Principal, scope: ListScope, product_ids: Collection[int]
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the rows to change: the principal's own, or all of the team's.

    Raises NotAllowedError for the team's if the principal is no manager.
    """
    if scope is ListScope.TEAM:
        require_permission(principal, Permission.TRACK_TEAM)
        return Tracking.team_id == principal.team_id, Tracking.product_id.in_(product_ids)
    return Tracking.person_id == principal.person_id, Tracking.product_id.in_(product_ids)


def find_own_rows(
    session: Session, principal: Principal, product_ids: Collection[int]
) -> dict[int, Tracking]:
    """Return the principal's rows of these products, by product."""
    if not product_ids:
        return {}
    rows = session.scalars(
        select(Tracking).where(
            Tracking.person_id == principal.person_id, Tracking.product_id.in_(product_ids)
        )
    )
    return {row.product_id: row for row in rows}


def lock_editable_row(
    session: Session, principal: Principal, product_id: int, scope: ListScope
) -> Tracking:
    """Return the row to change, locked: the principal's own, else for a manager the team's first.

    Locked, because a partial change must start from the newest values. Raises
    NotAllowedError as `editable_by` does, NotFoundError if there is no row.
    """
    if scope is ListScope.TEAM:
        require_permission(principal, Permission.TRACK_TEAM)
    found = _locked(session, *editable_conditions(principal, ListScope.MINE, {product_id}))
    if found is None and scope is ListScope.TEAM:
        found = _locked(
            session,
            *editable_conditions(principal, ListScope.TEAM, {product_id}),
            Tracking.is_first.is_(True),
        )
    if found is None:
        raise NotFoundError("You do not track this product (any more).")
    return found


def _locked(session: Session, *conditions: ColumnElement[bool]) -> Tracking | None:
    row = select(Tracking).where(*conditions).with_for_update()
    return session.scalars(row.execution_options(populate_existing=True)).first()
