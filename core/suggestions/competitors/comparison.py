"""A product and its chosen competitors: newest values, sizes of listings, who stands where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.categories import is_named
from core.database.session import driver_connection
from core.history.current.ranking import Ranking, find_ranking
from core.suggestions.evidence.queries import PAGES


@dataclass(frozen=True, slots=True)
class CompetitorValues:
    """A product with its newest accepted values; None: unknown.

    Prices in minor units, ratings in tenths. The sizes of the listing are None where no
    page of it was read yet: 0 says that it has none.
    """

    product_id: int
    marketplace: str
    asin: str
    title: str | None
    captured_at: datetime | None  # None: never seen
    price: int | None
    price_at: datetime | None
    bsr: int | None
    bsr_category_id: int | None
    bsr_category: str | None
    bsr_at: datetime | None
    rating: int | None
    ratings_count: int | None
    rating_at: datetime | None
    availability: int | None
    availability_at: datetime | None
    title_length: int | None  # characters
    bullets: int | None
    bullets_length: int | None  # characters, all together
    description_length: int | None  # characters
    images: int | None


_CONTENDERS = """
WITH chosen AS (
    SELECT CAST(%(product)s AS bigint) AS id, NULL::timestamptz AS added_at
    UNION ALL
    SELECT competitor_id, added_at FROM competitor
    WHERE team_id = %(team)s AND product_id = %(product)s
)
SELECT p.id AS product_id, p.marketplace, p.asin, x.title, l.captured_at, l.price, l.price_at,
    l.bsr, l.bsr_category_id, k.name AS bsr_category, l.bsr_at, l.rating, l.ratings_count,
    l.rating_at, l.availability, l.availability_at,
    length(v.title) AS title_length,
    CASE WHEN v.is_page THEN cardinality(v.bullets) END AS bullets,
    CASE WHEN v.is_page THEN length(array_to_string(v.bullets, '')) END AS bullets_length,
    CASE WHEN v.is_page THEN length(COALESCE(v.description, '')) END AS description_length,
    CASE WHEN v.is_page THEN cardinality(v.images) END AS images
FROM chosen c
JOIN product p ON p.id = c.id
LEFT JOIN product_latest l ON l.product_id = p.id
LEFT JOIN product_text x ON x.product_id = p.id
LEFT JOIN category k ON k.id = l.bsr_category_id
LEFT JOIN LATERAL (
    SELECT *, EXISTS (SELECT 1 FROM listing_version
        WHERE product_id = p.id AND source = ANY(%(pages)s)) AS is_page
    FROM listing_version WHERE product_id = p.id ORDER BY first_seen_at DESC LIMIT 1
) AS v ON true
ORDER BY c.added_at NULLS FIRST, p.id
"""


@requires(Permission.READ)
def compare_competitors(
    session: Session, principal: Principal, product_id: int
) -> tuple[CompetitorValues, list[CompetitorValues]]:
    """Return a product and the competitors that the team chose for it, the first one first."""
    values: dict[str, Any] = {"team": principal.team_id, "product": product_id, "pages": PAGES}
    with driver_connection(session).cursor(row_factory=class_row(CompetitorValues)) as cursor:
        own, *others = cursor.execute(_CONTENDERS, values).fetchall()
    return own, others


@dataclass(frozen=True, slots=True)
class Position:
    """Where a product stands among its competitors, in the stored units.

    Prices: 1 is the lowest. Ranks: only of competitors in the product's own category.
    """

    price: Ranking
    rank: Ranking
    rating: Ranking
    ratings_count: Ranking
    title_length: Ranking
    bullets: Ranking
    bullets_length: Ranking
    description_length: Ranking
    images: Ranking


def position_of(own: CompetitorValues, others: Sequence[CompetitorValues]) -> Position:
    """Return where a product stands among others of its marketplace."""

    def most_first(name: str, what: str) -> Ranking:
        values = [getattr(each, name) for each in others]
        return find_ranking(getattr(own, name), values, what, smallest_first=False)

    prices = [each.price for each in others]
    same = [each.bsr for each in others if _in_same_category(own, each)]
    return Position(
        price=find_ranking(own.price, prices, "price", smallest_first=True),
        rank=find_ranking(own.bsr, same, "rank in the same category", smallest_first=True),
        rating=most_first("rating", "rating"),
        ratings_count=most_first("ratings_count", "number of ratings"),
        title_length=most_first("title_length", "title"),
        bullets=most_first("bullets", "number of bullets"),
        bullets_length=most_first("bullets_length", "length of bullets"),
        description_length=most_first("description_length", "description"),
        images=most_first("images", "number of images"),
    )


def _in_same_category(one: CompetitorValues, other: CompetitorValues) -> bool:
    return is_named(one.bsr_category) and one.bsr_category_id == other.bsr_category_id


def how_to_choose(is_followed: bool, others: Sequence[CompetitorValues]) -> str | None:
    """Say what is missing for a comparison and where it is mended; None: nothing is missing."""
    if not is_followed:
        return (
            "Your team does not follow this product, so it has no competitors. Have it followed "
            "with `track_products`; then choose competitors on its screen, under Competitors."
        )
    if not others:
        return (
            "No competitor is chosen yet. A person adds them on the product's screen, under "
            "Competitors, or approves one of `propose_tracking_adjustment`; `compare_products` "
            "compares any products meanwhile."
        )
    unseen = sum(each.captured_at is None for each in others)
    if not unseen:
        return None
    return (
        f"{unseen} of the competitors were never looked at. `get_fetch_status` says why, "
        "`trigger_product_refresh` has them fetched."
    )
