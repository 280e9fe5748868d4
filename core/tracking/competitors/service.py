"""Operations on a product's competitors. Never commits."""

from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from core.accounts.access.audit import record
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.models import Product
from core.errors import InvalidInputError
from core.tracking.competitors.models import Competitor
from core.tracking.product_reference import get_tracked_marketplace

MOST_COMPETITORS = 20


@requires(Permission.TRACK)
def add_competitor(
    session: Session, principal: Principal, product_id: int, competitor_id: int, now: datetime
) -> bool:
    """Add a tracked product as competitor of another one; return whether it is new."""
    if product_id == competitor_id:
        raise InvalidInputError("A product can't be its own competitor.")
    one = get_tracked_marketplace(session, principal.team_id, product_id)
    if get_tracked_marketplace(session, principal.team_id, competitor_id) != one:
        raise InvalidInputError("Ranks and prices can be compared only within one marketplace.")
    # Lock the product: two at once could exceed the limit.
    session.execute(select(Product.id).where(Product.id == product_id).with_for_update())
    known = set(session.scalars(_set_of(principal.team_id, product_id)))
    if competitor_id in known:
        return False
    if len(known) >= MOST_COMPETITORS:
        raise InvalidInputError(f"A product has at most {MOST_COMPETITORS} competitors.")
    session.add(
        Competitor(
            team_id=principal.team_id,
            product_id=product_id,
            competitor_id=competitor_id,
            added_by=principal.person_id,
            added_at=now,
        )
    )
    session.flush()
    _note(session, principal, "added competitor", product_id, competitor_id)
    return True


@requires(Permission.TRACK)
def remove_competitor(
    session: Session, principal: Principal, product_id: int, competitor_id: int
) -> bool:
    """Remove a competitor; return whether it was one. Both products stay tracked."""
    removed = session.scalar(
        delete(Competitor)
        .where(
            Competitor.team_id == principal.team_id,
            Competitor.product_id == product_id,
            Competitor.competitor_id == competitor_id,
        )
        .returning(Competitor.competitor_id)
    )
    if removed is None:
        return False
    _note(session, principal, "removed competitor", product_id, competitor_id)
    return True


def _note(
    session: Session, principal: Principal, what: str, product_id: int, competitor_id: int
) -> None:
    record(session, principal, what, f"product:{product_id}", new={"competitor": competitor_id})


def _set_of(team_id: int, product_id: int) -> Select[int]:
    return select(Competitor.competitor_id).where(
        Competitor.team_id == team_id, Competitor.product_id == product_id
    )
