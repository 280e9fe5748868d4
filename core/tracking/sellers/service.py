"""Operations on the team's own sellers. Never commits."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.audit import record
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import Team
from core.catalog.marketplaces import MARKETPLACES
from core.catalog.sellers import comparable_name, find_seller_id
from core.errors import InvalidInputError, NotFoundError
from core.tracking.sellers.models import OwnSellerRow

LONGEST_NAME = 200  # characters, as of a seller's name in an observation
MOST_OWN_SELLERS = 100


@requires(Permission.ADMIN)
def add_own_seller(
    session: Session, principal: Principal, marketplace: str, id_text: str, name: str
) -> bool:
    """Add a seller of the team by its id, its name or both; return whether anything changed.

    A seller that is there with one of them gets the other. Raises InvalidInputError.
    """
    wanted_id, wanted_name = _read_seller(marketplace, id_text, name)
    # Lock the team: two at once could add a name twice, or exceed the limit.
    session.get_one(Team, principal.team_id, with_for_update=True)
    rows = list(
        session.scalars(select(OwnSellerRow).where(OwnSellerRow.team_id == principal.team_id))
    )
    there = [row for row in rows if row.marketplace == marketplace]
    known = _find_same(there, wanted_id, wanted_name)
    if known is None:
        if len(rows) >= MOST_OWN_SELLERS:
            raise InvalidInputError(f"A team has at most {MOST_OWN_SELLERS} own sellers.")
        known = OwnSellerRow(team_id=principal.team_id, marketplace=marketplace)
        session.add(known)
    before = known.seller_id, known.name
    known.seller_id = wanted_id or known.seller_id
    known.name = wanted_name if _is_other_name(known.name, wanted_name) else known.name
    if before == (known.seller_id, known.name):
        return False
    session.flush()
    target, new = f"own_seller:{known.id}", {"id": known.seller_id, "name": known.name}
    if before == (None, None):
        values = {"marketplace": marketplace} | new
        record(session, principal, "added own seller", target, new=values)
    else:
        old = {"id": before[0], "name": before[1]}
        record(session, principal, "changed own seller", target, old, new)
    return True


def _read_seller(marketplace: str, id_text: str, name: str) -> tuple[str | None, str | None]:
    if marketplace not in MARKETPLACES:
        raise InvalidInputError("Unknown marketplace. Choose one from the list.")
    plain_name = " ".join(name.split())
    if not id_text.strip() and not plain_name:
        raise InvalidInputError("Enter the seller's id, its name, or both.")
    found = find_seller_id(id_text)
    if id_text.strip() and found is None:
        raise InvalidInputError(
            "This is no seller id. It begins with A, as A1B2C3D4E5F6G7, and is part of the "
            "address of your page as a seller (seller=…)."
        )
    if len(plain_name) > LONGEST_NAME or not plain_name.isprintable():
        raise InvalidInputError(f"A name has at most {LONGEST_NAME} printable characters.")
    return found, plain_name or None


def _find_same(
    rows: list[OwnSellerRow], seller_id: str | None, name: str | None
) -> OwnSellerRow | None:
    """Return the row of the same id, otherwise one of the same name without another id."""
    by_id = (row for row in rows if seller_id is not None and row.seller_id == seller_id)
    by_name = (
        row
        for row in rows
        if not _is_other_name(row.name, name) and (seller_id is None or row.seller_id is None)
    )
    return next(by_id, None) or (next(by_name, None) if name is not None else None)


def _is_other_name(known: str | None, wanted: str | None) -> bool:
    if known is None or wanted is None:
        return wanted is not None
    return comparable_name(known) != comparable_name(wanted)


@requires(Permission.ADMIN)
def remove_own_seller(session: Session, principal: Principal, own_seller_id: int) -> None:
    """Remove one of the team's own sellers. Raises NotFoundError."""
    row = session.get(OwnSellerRow, own_seller_id, with_for_update=True)
    if row is None or row.team_id != principal.team_id:
        raise NotFoundError("This seller is not one of your team's.")
    old = {"marketplace": row.marketplace, "id": row.seller_id, "name": row.name}
    session.delete(row)
    session.flush()
    record(session, principal, "removed own seller", f"own_seller:{own_seller_id}", old)
