"""A product's accepted values at one time. A value; no storage."""

from typing import NamedTuple


class AcceptedValues(NamedTuple):
    """A product's accepted values at one time, in the stored units. None: unknown or none.

    `product_latest` has a column for each of the newest (`CURRENT_COLUMNS`), `product_change` for
    those at the close of yesterday (`DAY_COLUMNS`).
    """

    price: int | None = None
    bsr: int | None = None
    bsr_category_id: int | None = None
    rating: int | None = None
    ratings_count: int | None = None
    availability: int | None = None
    seller: str | None = None  # who holds the Buy Box


VALUE_NAMES = AcceptedValues._fields
CURRENT_COLUMNS = tuple("buy_box_seller" if name == "seller" else name for name in VALUE_NAMES)
DAY_COLUMNS = tuple(f"day_{name}" for name in VALUE_NAMES)
