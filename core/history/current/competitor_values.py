"""The newest values of the competitors that a team chose for a product. SELECTs only."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.history.current_values import COLUMNS, CurrentValues
from core.history.observation import WHOLE_PAGE_SOURCES


@dataclass(frozen=True, slots=True)
class CompetitorValues(CurrentValues):
    """A product that is compared, with its newest accepted values."""

    own_id: int  # the product that it is compared with
    product_id: int
    marketplace: str
    asin: str
    title: str | None
    seller: str | None  # who holds the Buy Box; text from outside


_COLUMNS = f"""
SELECT k.own_id, p.id AS product_id, p.marketplace, p.asin, x.title, {COLUMNS},
    COALESCE(l.buy_box_seller, l.buy_box_seller_id) AS seller
"""
_TABLES = """
JOIN product AS p ON p.id = k.id
JOIN product_latest AS l ON l.product_id = p.id
LEFT JOIN product_text AS x ON x.product_id = p.id
LEFT JOIN category AS c ON c.id = l.bsr_category_id
"""
_COMPETITORS = f"""
{_COLUMNS}
FROM (SELECT product_id AS own_id, competitor_id AS id, added_at FROM competitor
    WHERE team_id = %(team)s AND product_id = ANY(%(products)s)) AS k
{_TABLES}
ORDER BY k.own_id, k.added_at, k.id
"""


def read_competitors(
    session: Session, team_id: int, product_ids: Collection[int], limit: int | None = None
) -> dict[int, list[CompetitorValues]]:
    """Return the competitors that the team chose for each product, the earliest choice first.

    `limit`: at most so many per product. A product without competitors has no entry.
    """
    found: dict[int, list[CompetitorValues]] = defaultdict(list)
    connection = driver_connection(session)
    with connection.cursor(binary=True, row_factory=class_row(CompetitorValues)) as cursor:
        cursor.execute(_COMPETITORS, {"team": team_id, "products": list(product_ids)})
        for row in cursor.fetchall():
            found[row.own_id].append(row)
    return {own_id: rows[:limit] for own_id, rows in found.items()}


@requires(Permission.READ)
def list_competitors(
    session: Session, principal: Principal, product_id: int
) -> list[CompetitorValues]:
    """Return the competitors that the team chose for a product, the earliest choice first."""
    return read_competitors(session, principal.team_id, [product_id]).get(product_id, [])


@dataclass(frozen=True, slots=True)
class ComparedProduct(CompetitorValues):
    """A product with its newest values and the sizes of its listing.

    A size is None where the product's page was not read yet; 0: its listing has none.
    """

    title_length: int | None  # characters
    bullets: int | None
    bullets_length: int | None  # characters, all together
    description_length: int | None  # characters
    images: int | None


_COMPARED = f"""
{_COLUMNS},
    length(v.title) AS title_length,
    CASE WHEN v.is_page THEN cardinality(v.bullets) END AS bullets,
    CASE WHEN v.is_page THEN length(array_to_string(v.bullets, '')) END AS bullets_length,
    CASE WHEN v.is_page THEN length(COALESCE(v.description, '')) END AS description_length,
    CASE WHEN v.is_page THEN cardinality(v.images) END AS images
FROM (
    SELECT %(product)s::int8 AS own_id, %(product)s::int8 AS id, NULL::timestamptz AS added_at
    UNION ALL
    SELECT product_id, competitor_id, added_at FROM competitor
    WHERE team_id = %(team)s AND product_id = %(product)s
) AS k
{_TABLES}
LEFT JOIN LATERAL (
    SELECT *, EXISTS (SELECT 1 FROM listing_version
        WHERE product_id = p.id AND source = ANY(%(pages)s)) AS is_page
    FROM listing_version WHERE product_id = p.id ORDER BY first_seen_at DESC LIMIT 1
) AS v ON true
ORDER BY k.added_at NULLS FIRST, k.id
"""


@requires(Permission.READ)
def compare_competitors(
    session: Session, principal: Principal, product_id: int
) -> tuple[ComparedProduct, list[ComparedProduct]]:
    """Return a product and the competitors that the team chose for it, the earliest first."""
    values: dict[str, Any] = {
        "team": principal.team_id,
        "product": product_id,
        "pages": list(map(int, WHOLE_PAGE_SOURCES)),
    }
    with driver_connection(session).cursor(row_factory=class_row(ComparedProduct)) as cursor:
        own, *others = cursor.execute(_COMPARED, values).fetchall()
    return own, others
