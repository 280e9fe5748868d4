"""SELECTs on price caps: every read of them but those with a lock."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.tracking.price_caps.models import PriceCap
from core.tracking.price_caps.rules import PriceCaps


@requires(Permission.READ)
def get_price_caps(session: Session, principal: Principal, product_id: int) -> PriceCaps:
    """Return the price caps of a product; the default ones where the team has set none."""
    return read_price_caps(session, principal.team_id, product_id)


def read_price_caps(session: Session, team_id: int, product_id: int) -> PriceCaps:
    """Return what `get_price_caps` does, for operations that checked the permission."""
    row = session.execute(
        select(PriceCap.floor, PriceCap.ceiling, PriceCap.step_percent).where(
            PriceCap.team_id == team_id, PriceCap.product_id == product_id
        )
    ).first()
    return PriceCaps() if row is None else PriceCaps(*row)
