"""Operations on a product's price caps. Never commits."""

from dataclasses import asdict

from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from core.accounts.access.audit import record
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.errors import InvalidInputError
from core.tracking.price_caps.models import PriceCap
from core.tracking.price_caps.queries import read_price_caps
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.product_reference import get_tracked_marketplace

LARGEST_STEP = 100.0  # percent


@requires(Permission.TEAM)
def set_price_cap(session: Session, principal: Principal, product_id: int, caps: PriceCaps) -> None:
    """Set the price caps of a product. Raises InvalidInputError for caps that make no sense."""
    get_tracked_marketplace(session, principal.team_id, product_id)
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
