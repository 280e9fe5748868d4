"""Which products a team compares one of its own with, and between which prices it may move."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.suggestions.models import PriceCap
from core.suggestions.rules import PriceCaps


@dataclass(frozen=True, slots=True)
class CompetitorRow:
    """A chosen competitor with its newest accepted values; None: unknown."""

    product_id: int
    marketplace: str
    asin: str
    title: str | None
    price: int | None  # minor units
    price_at: datetime | None
    bsr: int | None
    bsr_category: str | None
    rating: int | None  # tenths
    ratings_count: int | None
    captured_at: datetime | None  # None: never seen


_COMPETITORS = """
SELECT c.competitor_id AS product_id, p.marketplace, p.asin, x.title, l.price, l.price_at,
    l.bsr, k.name AS bsr_category, l.rating, l.ratings_count, l.captured_at
FROM competitor c
JOIN product p ON p.id = c.competitor_id
LEFT JOIN product_latest l ON l.product_id = p.id
LEFT JOIN product_text x ON x.product_id = p.id
LEFT JOIN category k ON k.id = l.bsr_category_id
WHERE c.team_id = %(team)s AND c.product_id = %(product)s
ORDER BY c.added_at, c.competitor_id
"""


@requires(Permission.READ)
def competitors_of(session: Session, principal: Principal, product_id: int) -> list[CompetitorRow]:
    """Return the competitors that the team chose for a product, the first one first."""
    values: dict[str, Any] = {"team": principal.team_id, "product": product_id}
    with driver_connection(session).cursor(row_factory=dict_row) as cursor:
        return [CompetitorRow(**row) for row in cursor.execute(_COMPETITORS, values)]


@dataclass(frozen=True, slots=True)
class OwnProduct:
    """One of a team's own products, to choose it by name."""

    product_id: int
    asin: str
    title: str | None  # None: none was ever read


_OWN = """
SELECT p.id AS product_id, p.asin, x.title
FROM tracking t
JOIN product p ON p.id = t.product_id
LEFT JOIN product_text x ON x.product_id = p.id
WHERE t.team_id = %(team)s AND t.is_first AND t.role = 'own' AND p.marketplace = %(marketplace)s
ORDER BY t.is_primary DESC, x.title, p.id LIMIT %(limit)s
"""


@requires(Permission.READ)
def own_products_in(
    session: Session, principal: Principal, marketplace: str, limit: int = 500
) -> list[OwnProduct]:
    """Return the team's own products of a marketplace, the primary ones first."""
    values = {"team": principal.team_id, "marketplace": marketplace, "limit": limit}
    with driver_connection(session).cursor(row_factory=dict_row) as cursor:
        return [OwnProduct(**row) for row in cursor.execute(_OWN, values)]


@requires(Permission.READ)
def price_caps_of(session: Session, principal: Principal, product_id: int) -> PriceCaps:
    """Return between which prices a product may be moved; the usual caps where none are set."""
    found = session.get(PriceCap, (principal.team_id, product_id))
    if found is None:
        return PriceCaps()
    return PriceCaps(found.floor, found.ceiling, found.step_percent)
