"""Settings of a product for the whole team, set by approved suggestions. Never commits."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.errors import InvalidInputError, NotFoundError
from core.thresholds import NO_THRESHOLD, is_threshold, round_threshold
from core.tracking.models import Tracking
from core.tracking.rules import Cadence
from core.tracking.service import sync_schedule


class Threshold(StrEnum):
    """The column of a threshold."""

    PRICE = "price_change_percent"
    RANK = "rank_change_percent"


@requires(Permission.TEAM)
def set_threshold(
    session: Session,
    principal: Principal,
    product_id: int,
    which: Threshold,
    percent: Decimal | None,
) -> None:
    """Set a product's alert threshold for the team; None: the default."""
    if percent is not None and not is_threshold(percent):
        raise InvalidInputError(NO_THRESHOLD)
    setattr(_lock_first_row(session, principal, product_id), which.value, round_threshold(percent))
    session.flush()


@requires(Permission.TEAM)
def set_cadence(session: Session, principal: Principal, product_id: int, cadence: Cadence) -> None:
    """Set the team's cadence of a product; a teammate's shorter cadence stays."""
    _lock_first_row(session, principal, product_id).cadence = cadence.value
    session.flush()
    sync_schedule(session, [product_id])


@requires(Permission.TEAM)
def pause_for_team(
    session: Session, principal: Principal, product_id: int, now: datetime
) -> list[int]:
    """Pause a product for the whole team; return the people for whom it was not paused."""
    return _set_paused(session, principal, product_id, now, None)


@requires(Permission.TEAM)
def resume_for_team(
    session: Session, principal: Principal, product_id: int, people: Collection[int]
) -> list[int]:
    """Resume a product for these people; return those for whom it was paused."""
    return _set_paused(session, principal, product_id, None, people)


def _set_paused(
    session: Session,
    principal: Principal,
    product_id: int,
    at: datetime | None,
    people: Collection[int] | None,
) -> list[int]:
    changed = (
        update(Tracking)
        .where(
            Tracking.team_id == principal.team_id,
            Tracking.product_id == product_id,
            Tracking.paused_at.is_not(None) if at is None else Tracking.paused_at.is_(None),
        )
        .values(paused_at=at)
        .returning(Tracking.person_id)
    )
    if people is not None:
        changed = changed.where(Tracking.person_id.in_(people))
    found = sorted(session.scalars(changed))
    sync_schedule(session, [product_id])
    return found


def _lock_first_row(session: Session, principal: Principal, product_id: int) -> Tracking:
    """Return the row that the team's list shows."""
    found = session.scalars(
        select(Tracking)
        .where(Tracking.team_id == principal.team_id, Tracking.product_id == product_id)
        .order_by(Tracking.is_first.desc(), Tracking.id)
        .limit(1)
        .with_for_update()
    ).first()
    if found is None:
        raise NotFoundError("No one in the team tracks this product any more.")
    return found
