"""The newest ranks of a product beyond its main one. SELECTs only."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.history.product_summary import ProductSummary


@dataclass(frozen=True, slots=True)
class FurtherRank:
    """A rank in a category that is not the main one. The name is text from outside."""

    rank: int
    category: str


_NEWEST = """
WITH newest AS (
    SELECT s.product_id, s.captured_at, s.source, s.sub_rank, s.sub_category_id
    FROM product_latest l
    JOIN snapshot s ON s.product_id = l.product_id AND s.captured_at = l.bsr_at
    WHERE l.product_id = :product AND s.bsr IS NOT NULL ORDER BY s.source LIMIT 1
)
SELECT r.rank, c.name FROM (
    SELECT sub_rank AS rank, sub_category_id AS category_id FROM newest
    UNION ALL
    SELECT r.rank, r.category_id FROM newest n JOIN snapshot_rank r
    ON r.product_id = n.product_id AND r.captured_at = n.captured_at AND r.source = n.source
) AS r JOIN category c ON c.id = r.category_id
WHERE r.rank IS NOT NULL ORDER BY r.rank, c.name
"""


@requires(Permission.READ)
def newest_ranks(session: Session, _acting: Principal, head: ProductSummary) -> list[FurtherRank]:
    """Return a product's newest further ranks, best first.

    Empty: the page has none, or nothing is known.
    """
    rows = session.execute(text(_NEWEST), {"product": head.product_id})
    return [FurtherRank(row.rank, row.name) for row in rows]
