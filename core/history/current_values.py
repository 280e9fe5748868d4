"""The newest accepted values of a product, as pages, tools and advisors read them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class CurrentValues:
    """A product's newest accepted values; None: absent, or if `*_at` is None, unknown.

    Prices in minor units of the marketplace's currency, ratings in tenths of a star.
    """

    captured_at: datetime | None  # None: never observed
    flags: int  # of the newest observation
    price: int | None
    price_at: datetime | None
    bsr: int | None
    bsr_category_id: int | None
    bsr_category: str | None  # its name; text from outside
    bsr_at: datetime | None
    rating: int | None
    ratings_count: int | None
    rating_at: datetime | None
    availability: int | None
    availability_at: datetime | None


COLUMNS: Final = (
    "l.captured_at, l.flags, l.price, l.price_at, l.bsr, l.bsr_category_id, "
    "c.name AS bsr_category, l.bsr_at, l.rating, l.ratings_count, l.rating_at, "
    "l.availability, l.availability_at"
)
"""SQL of these values; `l` is `product_latest`, `c` the category of its `bsr_category_id`."""
