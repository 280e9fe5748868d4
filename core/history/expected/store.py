"""Writes expected values as their actions are approved, verified, undone and given up.

Each function is safe to call twice. Never commits.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.history.expected.models import ExpectedValueRow
from core.history.expected.rules import ExpectedField, ExpectedState

_LASTING = (ExpectedState.APPROVED.value, ExpectedState.PUBLISHED.value)


def expect_value(
    session: Session,
    product: tuple[int, int],
    field: ExpectedField,
    value: object,
    action_id: int,
    since: datetime,
    *,
    is_undo: bool = False,
) -> None:
    """Expect a value from its approval on. `product`: the team and the product.

    `is_undo`: the value from before, which undoing the action restores.
    """
    team_id, product_id = product
    values = {
        "value": value,
        "state": ExpectedState.APPROVED.value,
        "since": since,
        "published_at": None,
        "ended_at": None,
    }
    session.execute(
        insert(ExpectedValueRow)
        .values(
            team_id=team_id,
            product_id=product_id,
            field=field.value,
            action_id=action_id,
            is_undo=is_undo,
            **values,
        )
        .on_conflict_do_update(index_elements=["action_id", "is_undo"], set_=values)
    )


def publish_value(session: Session, action_id: int, at: datetime) -> None:
    """Note that a page showed an action's value, and supersede earlier ones of the field.

    `at`: when the observation was made that showed it.
    """
    own = session.execute(select(ExpectedValueRow).where(_is_of(action_id))).scalar_one_or_none()
    if own is None:
        return
    same = and_(
        ExpectedValueRow.team_id == own.team_id,
        ExpectedValueRow.product_id == own.product_id,
        ExpectedValueRow.field == own.field,
    )
    # Always in the same order, so that two sessions never deadlock.
    locked = select(ExpectedValueRow.id).where(same).order_by(ExpectedValueRow.id)
    session.execute(locked.with_for_update())
    published = {"state": ExpectedState.PUBLISHED.value, "published_at": at, "ended_at": None}
    _update(session, _is_of(action_id), published)
    superseded = {"state": ExpectedState.SUPERSEDED.value, "ended_at": at}
    earlier = and_(same, ExpectedValueRow.since < own.since, ExpectedValueRow.state.in_(_LASTING))
    _update(session, earlier, superseded)


def withdraw_value(session: Session, action_id: int, at: datetime) -> None:
    """End the expectation of an action's value; one that ended before keeps its end."""
    ended = func.coalesce(ExpectedValueRow.ended_at, at)
    _update(
        session,
        _is_of(action_id),
        {"state": ExpectedState.WITHDRAWN.value, "ended_at": ended},
    )


def _is_of(action_id: int) -> ColumnElement[bool]:
    return and_(ExpectedValueRow.action_id == action_id, ~ExpectedValueRow.is_undo)


def _update(session: Session, which: ColumnElement[bool], values: dict[str, object]) -> None:
    session.execute(
        update(ExpectedValueRow)
        .where(which)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
