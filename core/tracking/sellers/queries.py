"""Reads of a team's own sellers, and of the sellers seen on its own products."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.tracking.rules import Role
from core.tracking.sellers.models import OwnSellerRow
from core.tracking.sellers.rules import OwnSeller, OwnSellers, is_known_seller

MOST_SUGGESTED = 12


@dataclass(frozen=True, slots=True)
class ListedSeller:
    """An own seller as the settings list it."""

    id: int
    marketplace: str
    seller_id: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class SeenSeller:
    """A seller that holds the Buy Box of the team's own products. The name is from outside."""

    marketplace: str
    seller_id: str | None
    name: str | None
    products: int  # own products whose Buy Box it holds


@requires(Permission.READ)
def list_own_sellers(session: Session, principal: Principal) -> list[ListedSeller]:
    """Return the team's own sellers, by marketplace and name."""
    rows = session.scalars(
        select(OwnSellerRow)
        .where(OwnSellerRow.team_id == principal.team_id)
        .order_by(OwnSellerRow.marketplace, OwnSellerRow.name, OwnSellerRow.id)
    )
    return [ListedSeller(row.id, row.marketplace, row.seller_id, row.name) for row in rows]


def read_own_sellers(session: Session, team_id: int) -> OwnSellers:
    """Return a team's own sellers by marketplace, for `is_own_seller`."""
    found: dict[str, list[OwnSeller]] = defaultdict(list)
    for row in session.scalars(select(OwnSellerRow).where(OwnSellerRow.team_id == team_id)):
        found[row.marketplace].append(OwnSeller(row.seller_id, row.name))
    return {marketplace: tuple(sellers) for marketplace, sellers in found.items()}


_SEEN = """
SELECT p.marketplace, l.buy_box_seller_id, l.buy_box_seller, count(DISTINCT p.id) AS products
FROM tracking t
JOIN product p ON p.id = t.product_id
JOIN product_latest l ON l.product_id = p.id
WHERE t.team_id = :team AND t.role = :own
    AND (l.buy_box_seller_id IS NOT NULL OR l.buy_box_seller IS NOT NULL)
GROUP BY 1, 2, 3 ORDER BY products DESC, 1, 3, 2
"""


@requires(Permission.READ)
def list_seen_sellers(session: Session, principal: Principal) -> list[SeenSeller]:
    """Return sellers that may be the team's own, most products first, without those it set."""
    own = read_own_sellers(session, principal.team_id)
    rows = session.execute(text(_SEEN), {"team": principal.team_id, "own": Role.OWN.value})
    seen = (SeenSeller(*row) for row in rows)
    unknown = [
        each
        for each in seen
        if not is_known_seller(own.get(each.marketplace, ()), each.seller_id, each.name)
    ]
    return unknown[:MOST_SUGGESTED]
