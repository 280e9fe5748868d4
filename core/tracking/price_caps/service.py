"""Operations on a product's price caps. Never commits."""

from dataclasses import asdict

from sqlalchemy import text
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
    if (before.floor, before.ceiling) != (caps.floor, caps.ceiling):
        _note_change(session, principal.team_id, product_id, caps)
    record(session, principal, "set price caps", f"product:{product_id}", asdict(before), values)


# Alerts read by whole seconds. The row of `snapshot_correction` has them evaluate the product now,
# not with its next observation; the table is of a folder that this one may not import.
_CHANGE = text("""
INSERT INTO price_cap_change (team_id, product_id, changed_at, floor, ceiling)
VALUES (:team, :product, date_trunc('second', clock_timestamp()), :floor, :ceiling)
ON CONFLICT (team_id, product_id, changed_at)
    DO UPDATE SET floor = excluded.floor, ceiling = excluded.ceiling
RETURNING changed_at
""")
_EVALUATE = text("""
INSERT INTO snapshot_correction (product_id, since) VALUES (:product, :since)
ON CONFLICT (product_id) DO UPDATE SET since = least(snapshot_correction.since, excluded.since)
""")


def _note_change(session: Session, team_id: int, product_id: int, caps: PriceCaps) -> None:
    """Store from when on the limits hold, and have the product's alerts evaluated."""
    values = {"team": team_id, "product": product_id, "floor": caps.floor, "ceiling": caps.ceiling}
    changed_at = session.execute(_CHANGE, values).scalar_one()
    session.execute(_EVALUATE, {"product": product_id, "since": changed_at})


def _check(caps: PriceCaps) -> None:
    for limit in (caps.floor, caps.ceiling):
        if limit is not None and limit <= 0:
            raise InvalidInputError("A floor or ceiling must be above 0, or empty.")
    if caps.floor is not None and caps.ceiling is not None and caps.floor > caps.ceiling:
        raise InvalidInputError("The floor is above the ceiling.")
    if not 0 < caps.step_percent <= LARGEST_STEP:
        raise InvalidInputError(f"The step must be above 0 and at most {LARGEST_STEP:g} %.")
