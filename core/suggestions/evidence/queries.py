"""The SELECTs behind an advisor's facts, each for many products at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg.rows import class_row
from sqlalchemy.orm import Session

from core.database.bulk_write import execute_with_arrays
from core.database.session import driver_connection
from core.history.current_values import COLUMNS, CurrentValues
from core.history.observation import WHOLE_PAGE_SOURCES
from core.suggestions.evidence.history_figures import HistoryDay
from core.suggestions.fingerprints import declined_mark
from core.suggestions.rules import ListingFacts, SnapshotKey

DECLINED_REMEMBERED_FOR = timedelta(days=180)  # how long a declined suggestion is not repeated

Moment = tuple[int, datetime]  # a product and the time of an observation


@dataclass(frozen=True, slots=True)
class ProductValues(CurrentValues):
    """A tracked product, its newest accepted values and its team's settings."""

    product_id: int
    marketplace: str
    asin: str
    coupon_percent: int | None
    coupon_amount: int | None
    stock_left: int | None
    cadence: str
    price_change_percent: Decimal | None  # set for this product
    rank_change_percent: Decimal | None
    person_price_percent: Decimal | None  # the user's setting for all products
    person_rank_percent: Decimal | None
    floor: int | None
    ceiling: int | None
    step_percent: float | None  # None: the team has set no caps


_PRODUCTS = f"""
SELECT p.id AS product_id, p.marketplace, p.asin, {COLUMNS},
    l.coupon_percent, l.coupon_amount, l.stock_left, t.cadence,
    t.price_change_percent, t.rank_change_percent,
    o.price_change_percent AS person_price_percent,
    o.rank_change_percent AS person_rank_percent, k.floor, k.ceiling, k.step_percent
FROM tracking AS t
JOIN product AS p ON p.id = t.product_id
JOIN product_latest AS l ON l.product_id = t.product_id
JOIN person AS o ON o.id = t.person_id
LEFT JOIN category AS c ON c.id = l.bsr_category_id
LEFT JOIN price_cap AS k ON k.team_id = t.team_id AND k.product_id = t.product_id
WHERE t.team_id = %s AND t.is_first AND t.product_id = ANY(%s)
"""


def read_products(
    session: Session, team_id: int, product_ids: Collection[int]
) -> dict[int, ProductValues]:
    """Return those of the products that the team tracks."""
    with driver_connection(session).cursor(
        binary=True, row_factory=class_row(ProductValues)
    ) as cursor:
        cursor.execute(_PRODUCTS, [team_id, list(product_ids)])
        return {row.product_id: row for row in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class ListingRow:
    """The newest version of a listing."""

    product_id: int
    title: str | None
    brand: str | None
    bullets: list[str]
    description: str | None
    category_path: list[str]
    images: int
    source: int
    is_page: bool  # whether a source of this version or an earlier one read a whole page
    first_seen_at: datetime


_LISTINGS = """
SELECT i.product_id, v.title, v.brand, v.bullets, v.description, v.category_path,
    cardinality(v.images) AS images, v.source, v.first_seen_at,
    EXISTS (SELECT 1 FROM listing_version
        WHERE product_id = i.product_id AND source = ANY(%s)) AS is_page
FROM unnest(%s::int8[]) AS i (product_id)
CROSS JOIN LATERAL (
    SELECT * FROM listing_version WHERE product_id = i.product_id
    ORDER BY first_seen_at DESC LIMIT 1
) AS v
"""


def read_listings(session: Session, product_ids: Collection[int]) -> dict[int, ListingRow]:
    """Return the newest listing of each product that has one."""
    connection = driver_connection(session)
    with connection.cursor(binary=True, row_factory=class_row(ListingRow)) as cursor:
        cursor.execute(_LISTINGS, [list(map(int, WHOLE_PAGE_SOURCES)), list(set(product_ids))])
        return {row.product_id: row for row in cursor.fetchall()}


def make_listing_facts(row: ListingRow | None) -> ListingFacts:
    """Return a listing's text.

    Bullets and images are unknown unless a whole page was read: tables and overviews have
    one image and no bullets.
    """
    if row is None:
        return ListingFacts()
    is_whole = row.is_page and (row.images > 1 or bool(row.bullets))
    return ListingFacts(
        title=row.title,
        brand=row.brand,
        bullets=tuple(row.bullets) if is_whole else None,
        description=row.description,
        category_path=tuple(row.category_path) or None,
        image_count=row.images if is_whole else None,
    )


def read_listing_facts(session: Session, product_id: int) -> ListingFacts:
    """Return the newest listing of a product as advisors and policies read it."""
    return make_listing_facts(read_listings(session, [product_id]).get(product_id))


_DAYS = """
SELECT product_id, day, price_low, price_high, price_close, bsr_close, bsr_category_id,
    in_stock_share, looks
FROM product_daily WHERE product_id = ANY(%s) AND day >= %s ORDER BY product_id, day
"""


def read_days(
    session: Session, product_ids: Collection[int], since: date
) -> dict[int, list[HistoryDay]]:
    """Return the daily values of each product from `since` on, oldest first."""
    found: dict[int, list[HistoryDay]] = defaultdict(list)
    with driver_connection(session).cursor(binary=True) as cursor:
        cursor.execute(_DAYS, [list(product_ids), since])
        for product_id, *values in cursor.fetchall():  # row by row costs as much again
            found[product_id].append(HistoryDay(*values))
    return found


_SOURCES = """
SELECT w.product_id, w.at, s.source
FROM unnest(%s::int8[], %s::timestamptz[]) AS w (product_id, at)
CROSS JOIN LATERAL (
    SELECT source FROM snapshot WHERE product_id = w.product_id AND captured_at = w.at
    ORDER BY source DESC LIMIT 1
) AS s
"""


def read_sources(session: Session, moments: Collection[Moment]) -> dict[Moment, int]:
    """Return the sources of the observations; one that retention has deleted has no entry."""
    rows = execute_with_arrays(session, _SOURCES, sorted(moments), fetch=True)
    return {(product_id, at): source for product_id, at, source in rows}


_FIRST_OBSERVATIONS = """
SELECT i.product_id, s.captured_at, s.source
FROM unnest(%(ids)s::int8[]) AS i (product_id)
CROSS JOIN LATERAL (
    SELECT captured_at, source FROM snapshot
    WHERE product_id = i.product_id AND captured_at >= %(since)s
    ORDER BY captured_at, source LIMIT 1
) AS s
"""


def read_first_observations(
    session: Session, product_ids: Sequence[int], since: datetime
) -> dict[int, SnapshotKey]:
    """Return the first observation of each product from `since` on."""
    with driver_connection(session).cursor(binary=True) as cursor:
        cursor.execute(_FIRST_OBSERVATIONS, {"ids": list(product_ids), "since": since})
        return {row[0]: SnapshotKey(*row) for row in cursor.fetchall()}


_DECLINED = """
SELECT product_id, change_hash, evidence_hash FROM suggestion
WHERE team_id = %s AND product_id = ANY(%s) AND state = 'declined' AND decided_at >= %s
"""


def read_declined(
    session: Session, team_id: int, product_ids: Collection[int], now: datetime
) -> Mapping[int, set[str]]:
    """Return the marks of each product's suggestions declined in the last half year."""
    found: dict[int, set[str]] = defaultdict(set)
    with driver_connection(session).cursor(binary=True) as cursor:
        cursor.execute(_DECLINED, [team_id, list(product_ids), now - DECLINED_REMEMBERED_FOR])
        for product_id, change, evidence in cursor.fetchall():
            found[product_id].add(declined_mark(bytes(change), bytes(evidence)))
    return found


_RANKED = """
SELECT t.product_id, l.bsr_category_id, l.bsr
FROM tracking AS t JOIN product_latest AS l ON l.product_id = t.product_id
WHERE t.team_id = %s AND t.is_first AND t.role <> 'own' AND l.bsr_category_id = ANY(%s)
AND l.bsr IS NOT NULL
"""


def read_ranked_others(
    session: Session, team_id: int, category_ids: Collection[int]
) -> list[tuple[Any, ...]]:
    """Return (product, category, rank) of tracked products that are not the team's own."""
    with driver_connection(session).cursor(binary=True) as cursor:
        cursor.execute(_RANKED, [team_id, list(category_ids)])
        return cursor.fetchall()


@dataclass(frozen=True, slots=True)
class ListingCategory:
    """A product's brand and category, from its newest listing version."""

    product_id: int
    asin: str
    brand: str | None
    category_path: list[str]
    bsr_at: datetime | None


_LISTING_CATEGORIES = """
SELECT i.product_id, p.asin, v.brand, v.category_path, l.bsr_at
FROM unnest(%s::int8[]) AS i (product_id)
JOIN product AS p ON p.id = i.product_id
JOIN product_latest AS l ON l.product_id = i.product_id
CROSS JOIN LATERAL (
    SELECT brand, category_path FROM listing_version WHERE product_id = i.product_id
    ORDER BY first_seen_at DESC LIMIT 1
) AS v
"""


def read_listing_categories(
    session: Session, product_ids: Collection[int]
) -> dict[int, ListingCategory]:
    """Return the brand and category of each product whose listing is known."""
    with driver_connection(session).cursor(
        binary=True, row_factory=class_row(ListingCategory)
    ) as cursor:
        cursor.execute(_LISTING_CATEGORIES, [list(product_ids)])
        return {row.product_id: row for row in cursor.fetchall()}
