"""A whole list of products as rows of raw values, in batches. No formats, no files."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import expm1
from typing import Any, Final

from core.accounts.access.permissions import Principal
from core.catalog.asin import product_url
from core.catalog.marketplaces import MARKETPLACES
from core.catalog.money import to_decimal
from core.database.session import read_scope
from core.history.observation import Availability
from core.text.streamed_tables import Value
from core.tracking.list_filter import ListFilter, Sort
from core.tracking.lists import queries
from core.tracking.lists.list_filter_sql import PERIODS

BATCH: Final = 1_000  # rows read at a time
Row = Mapping[str, Any]

# Prices in major units, ratings in stars, shares and changes in percent, times in UTC. The
# newest accepted values, with the time of each: those of a removed listing are old.
COLUMNS: Final = (
    "asin",
    "marketplace",
    "title",
    "brand",
    "price",
    "currency",
    "price_at",
    "bsr",
    "bsr_category",
    "bsr_at",
    "rating",
    "ratings_count",
    "rating_at",
    "buy_box_seller",
    "buy_box_share_30d",
    "availability",
    "availability_at",
    *(f"{name}_{days}d" for days in PERIODS for name in ("price_change", "bsr_change")),
    "tags",
    "role",
    "is_key_product",
    "is_paused",
    "is_flagged",
    "last_checked",
    "url",
)


def read_batches(
    principal: Principal, ids: Sequence[int], list_filter: ListFilter
) -> Iterator[list[list[Value]]]:
    """Yield the rows of products in their order, each batch as it is when it is read.

    `ids`: of `list_ids`. A product that is tracked no more is left out. Between batches no
    transaction is open.
    """
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        with read_scope() as session:
            rows = queries.read_rows(session, principal, list_filter.scope, part)
        yield [make_row(row) for row in rows]


def list_ids(principal: Principal, list_filter: ListFilter, sort: Sort) -> list[int]:
    """Return the ids of all products of a list in its order."""
    with read_scope() as session:
        return queries.list_ids(session, principal, list_filter, sort)


def make_row(row: Row) -> list[Value]:
    """Return a product's values in the order of COLUMNS. None: unknown or none."""
    currency = MARKETPLACES[row["marketplace"]].currency
    return [
        row["asin"],
        row["marketplace"],
        row["title"],
        row["brand"],
        None if row["price"] is None else to_decimal(row["price"], currency),
        currency,
        row["price_at"],
        row["bsr"],
        row["bsr_category"],
        row["bsr_at"],
        None if row["rating"] is None else Decimal(row["rating"]).scaleb(-1),
        row["ratings_count"],
        row["rating_at"],
        row["buy_box_seller"],
        _to_percent(row["seller_share"]),
        None if row["availability"] is None else Availability(row["availability"]).name.lower(),
        row["availability_at"],
        *_changes(row),
        row["tags"],
        row["role"],
        row["is_primary"],
        row["paused_at"] is not None,
        row["flags"] != 0,
        row["captured_at"],
        product_url(row["marketplace"], row["asin"]),
    ]


def _changes(row: Row) -> Iterator[float | None]:
    for period in PERIODS.values():
        rank = row[f"{period}_rank_change"]
        yield _to_percent(row[f"{period}_price_change"])
        yield None if rank is None else _to_percent(expm1(rank))


def _to_percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 2)
