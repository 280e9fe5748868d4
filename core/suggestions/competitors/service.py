"""Operations on a product's competitors and price caps. Never commits."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from core.accounts.access.audit import record
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.models import Product
from core.errors import InvalidInputError, NotFoundError
from core.suggestions.competitors.queries import read_price_caps
from core.suggestions.models import Competitor, PriceCap
from core.suggestions.rules import PriceCaps
from core.tracking.models import Tracking

MOST_COMPETITORS = 20
LARGEST_STEP = 100.0  # percent


@requires(Permission.TRACK)
def add_competitor(
    session: Session, principal: Principal, product_id: int, competitor_id: int, now: datetime
) -> bool:
    """Add a tracked product as competitor of another one; return whether it is new."""
    if product_id == competitor_id:
        raise InvalidInputError("A product can't be its own competitor.")
    if _require_tracked(session, principal, product_id) != _require_tracked(
        session, principal, competitor_id
    ):
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


def _require_tracked(session: Session, principal: Principal, product_id: int) -> str:
    """Return the marketplace of a tracked product. Raises NotFoundError for another product."""
    marketplace = session.scalar(
        select(Product.marketplace)
        .join(Tracking, Tracking.product_id == Product.id)
        .where(Product.id == product_id, Tracking.team_id == principal.team_id)
        .limit(1)
    )
    if marketplace is None:
        raise NotFoundError("Your team does not track this product. Add it first.")
    return marketplace


@requires(Permission.TEAM)
def set_price_cap(session: Session, principal: Principal, product_id: int, caps: PriceCaps) -> None:
    """Set the price caps of a product. Raises InvalidInputError for caps that make no sense."""
    _require_tracked(session, principal, product_id)
    _check(caps)
    before = read_price_caps(session, principal.team_id, product_id)
    values = asdict(caps)
    session.execute(
        postgresql.insert(PriceCap)
        .values(team_id=principal.team_id, product_id=product_id, **values)
        .on_conflict_do_update(index_elements=["team_id", "product_id"], set_=values)
    )
    record(session, principal, "set price caps", f"product:{product_id}", asdict(before), values)


def _check(caps: PriceCaps) -> None:
    for limit in (caps.floor, caps.ceiling):
        if limit is not None and limit <= 0:
            raise InvalidInputError("A floor or ceiling must be above 0, or empty.")
    if caps.floor is not None and caps.ceiling is not None and caps.floor > caps.ceiling:
        raise InvalidInputError("The floor is above the ceiling.")
    if not 0 < caps.step_percent <= LARGEST_STEP:
        raise InvalidInputError(f"The step must be above 0 and at most {LARGEST_STEP:g} %.")
