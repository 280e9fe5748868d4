"""Reads the current values of what a change is about."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import ProductLatest
from core.suggestions.changes.values import Values
from core.tracking.models import Tracking


@dataclass(frozen=True, slots=True)
class ChangeTarget:
    """The team, product and new values of a change."""

    team_id: int
    product_id: int
    new_values: Values


def find_team_tracking(session: Session, team_id: int, product_id: int) -> Tracking | None:
    """Return the row with a team's settings for a product; None: the team doesn't track it."""
    return session.scalars(
        select(Tracking)
        .where(Tracking.team_id == team_id, Tracking.product_id == product_id)
        .order_by(Tracking.is_first.desc(), Tracking.id)
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()


def is_checked(session: Session, team_id: int, product_id: int) -> bool:
    """Return whether a product is checked for the team: a user tracks it and hasn't paused it."""
    running = select(Tracking.id).where(
        Tracking.team_id == team_id,
        Tracking.product_id == product_id,
        Tracking.paused_at.is_(None),
    )
    return session.scalar(running.limit(1)) is not None


def find_latest(session: Session, product_id: int) -> ProductLatest | None:
    """Return a product's newest accepted values; None: no such product."""
    return session.get(ProductLatest, product_id, populate_existing=True)
