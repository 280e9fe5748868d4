"""The newest values that lists don't keep: first sub rank and number of new offers. One SELECT."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class FurtherValues:
    """Values of the newest observation with a rank, and of the newest one. None: not reported."""

    sub_rank: int | None
    sub_category: str | None  # text from outside
    offers: int | None


NOTHING_FURTHER = FurtherValues(None, None, None)
_NEWEST = """
SELECT r.sub_rank, c.name, o.offers_new
FROM product_latest l
LEFT JOIN LATERAL (
    SELECT sub_rank, sub_category_id FROM snapshot
    WHERE product_id = l.product_id AND captured_at = l.bsr_at AND bsr IS NOT NULL
    ORDER BY source LIMIT 1
) AS r ON true
LEFT JOIN category c ON c.id = r.sub_category_id
LEFT JOIN LATERAL (
    SELECT offers_new FROM snapshot
    WHERE product_id = l.product_id AND captured_at = l.captured_at AND offers_new IS NOT NULL
    ORDER BY source LIMIT 1
) AS o ON true
WHERE l.product_id = :product
"""


def read_further_values(session: Session, product_id: int) -> FurtherValues:
    """Return a product's newest sub rank and number of offers."""
    row = session.execute(text(_NEWEST), {"product": product_id}).one_or_none()
    return NOTHING_FURTHER if row is None else FurtherValues(*row)
