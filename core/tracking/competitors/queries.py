"""SELECTs on competitor sets, and on the own products that one is chosen for."""

from dataclasses import dataclass

from psycopg.rows import class_row
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.models import Product
from core.database.session import driver_connection
from core.tracking.competitors.models import Competitor


def count_competitors(session: Session, team_id: int, product_id: int) -> int:
    """Return how many competitors the team chose for a product."""
    return (
        session.scalar(
            select(func.count()).where(
                Competitor.team_id == team_id, Competitor.product_id == product_id
            )
        )
        or 0
    )


def is_competitor(
    session: Session, team_id: int, product_id: int, marketplace: str | None, asin: str | None
) -> bool:
    """Return whether the team compares a product with the one of this marketplace and ASIN."""
    found = (
        select(Competitor.competitor_id)
        .join(Product, Product.id == Competitor.competitor_id)
        .where(
            Competitor.team_id == team_id,
            Competitor.product_id == product_id,
            Product.marketplace == marketplace,
            Product.asin == asin,
        )
    )
    return session.scalar(found) is not None


# Own products


@dataclass(frozen=True, slots=True)
class OwnProduct:
    """One of a team's own products, to choose it by name."""

    product_id: int
    asin: str
    title: str | None  # None: no title was read yet
    category: str | None  # of its rank


_OWN = """
SELECT p.id AS product_id, p.asin, x.title, g.name AS category
FROM tracking t
JOIN product p ON p.id = t.product_id
LEFT JOIN product_text x ON x.product_id = p.id
LEFT JOIN product_latest l ON l.product_id = p.id
LEFT JOIN category g ON g.id = l.bsr_category_id
WHERE t.team_id = %(team)s AND t.is_first AND t.role = 'own' AND p.marketplace = %(marketplace)s
ORDER BY t.is_primary DESC, x.title, p.id LIMIT %(limit)s
"""


@requires(Permission.READ)
def list_own_products(
    session: Session, principal: Principal, marketplace: str, limit: int = 500
) -> list[OwnProduct]:
    """Return the team's own products of a marketplace, the primary ones first."""
    values = {"team": principal.team_id, "marketplace": marketplace, "limit": limit}
    with driver_connection(session).cursor(row_factory=class_row(OwnProduct)) as cursor:
        return cursor.execute(_OWN, values).fetchall()
