"""Products in results: the rows of a list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field as Described

from core.accounts.access.permissions import Principal
from core.catalog.marketplaces import get_marketplace
from core.database.session import read_scope
from core.history.changes import text as change_wording
from core.history.changes.change import read_change
from core.history.current import missing_values
from core.history.observation import Outcome
from core.history.product_summary import FetchState
from core.text.numbers import format_capped_count
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from core.tracking.lists import queries
from core.tracking.rules import Role
from mcp_server.results.base import (
    ListResult,
    Moment,
    Number,
    ObservedEarlier,
    ProductRef,
    Untrusted,
    UntrustedTexts,
    WhyUnknown,
    format_moment,
    format_moment_or_none,
    format_product_name,
    mark_untrusted,
    quote_text,
)
from mcp_server.results.cursors import hash_request, page_fields, read_cursor
from mcp_server.results.units import availability_name, to_major_units, to_stars


class ProductRow(ProductRef):
    """A product in a list, with its newest accepted values."""

    title: Untrusted | None
    brand: Untrusted | None
    role: Annotated[Role, Described(description="The product's role for the team.")]
    tags: UntrustedTexts
    price: Annotated[Number | None, Described(description="In `currency`; null: unknown or none.")]
    currency: str
    rank: Annotated[int | None, Described(description="Best Sellers Rank; 1 is the best.")]
    rank_category: Untrusted | None
    rating: Annotated[float | None, Described(description="Stars, 1 to 5.")]
    ratings_count: int | None
    availability: Annotated[str | None, Described(description="Null: unknown.")]
    why_unknown: WhyUnknown
    seen_earlier: ObservedEarlier
    change: Annotated[
        Untrusted | None,
        Described(description="Most important change since the day before; null: none."),
    ]
    looked_at: Annotated[Moment | None, Described(description="Last check; null: never checked.")]
    is_paused: bool
    is_demo: Annotated[bool, Described(description="True: an invented product.")]


class ProductList(ListResult):
    """A page of products."""

    products: list[ProductRow]


def list_products(
    principal: Principal,
    now: datetime,
    asked: ListFilter,
    sort: Sort,
    limit: int,
    cursor: str | None,
) -> ProductList:
    """Return a page of a list of products. Raises InvalidInputError for a foreign cursor."""
    mark = hash_request("products", asked, sort, limit)
    place = read_cursor(cursor, mark)
    with read_scope() as session:
        found = queries.find_rows(session, principal, asked, sort, place.offset, limit)
    rows = [make_product_row(row, now) for row in found.rows]
    return ProductList(
        **page_fields(found.total, place, len(rows), mark),
        products=rows,
        summary=_summarize_list(rows, found.total, asked, sort),
    )


def _summarize_empty_list(asked: ListFilter) -> str:
    """Return why a list is empty, and what to try instead."""
    if asked.search:
        return "No tracked product matches. Try fewer words, or add products by `track_products`."
    if asked != ListFilter(scope=asked.scope):
        return "No tracked product matches these filters. Use fewer to see others."
    if asked.scope is ListScope.MINE:
        return (
            "The token's owner tracks no products. `search_products` lists the team's, "
            "`track_products` adds products."
        )
    return "No products are tracked yet. `track_products` adds products."


def _order_warning(rows: Sequence[ProductRow], sort: Sort) -> str:
    """Return that prices of several currencies can't be ordered; empty otherwise."""
    currencies = sorted({row.currency for row in rows if row.price is not None})
    if sort.by is not SortBy.PRICE or len(currencies) < 2:
        return ""
    return (
        f" The order by price mixes {', '.join(currencies)}: filter by `marketplaces` of one "
        "currency."
    )


def _summarize_list(rows: Sequence[ProductRow], total: int, asked: ListFilter, sort: Sort) -> str:
    if not rows:
        return _summarize_empty_list(asked)
    shown = "; ".join(
        f"{row.product} {quote_text(row.title.untrusted if row.title else None, 50)}"
        for row in rows[:5]
    )
    count = format_capped_count(total)
    return f"{count} found, {len(rows)} shown: {shown}.{_order_warning(rows, sort)}"


def make_product_row(row: Mapping[Any, Any], now: datetime) -> ProductRow:
    """Return a row of a product list in the units of results."""
    place = get_marketplace(row["marketplace"])
    return ProductRow(
        product=format_product_name(place.code, row["asin"]),
        marketplace=place.code,
        asin=row["asin"],
        title=mark_untrusted(row["title"]),
        brand=mark_untrusted(row["brand"]),
        role=Role(row["role"]),
        tags=UntrustedTexts(untrusted=row["tags"]),
        price=to_major_units(row["price"], place.currency),
        currency=place.currency,
        rank=row["bsr"],
        rank_category=mark_untrusted(row["bsr_category"]),
        rating=to_stars(row["rating"]),
        ratings_count=row["ratings_count"],
        availability=availability_name(row["availability"]),
        why_unknown=_blanks(row, now),
        seen_earlier=_earlier(row),
        change=_change(row),
        looked_at=format_moment_or_none(row["captured_at"]),
        is_paused=row["paused_at"] is not None,
        is_demo=row["is_demo"],
    )


_REPORTED_AT = {
    "price": ("price", "price_at"),
    "rank": ("bsr", "bsr_at"),
    "rating": ("rating", "rating_at"),
    "ratings_count": ("ratings_count", "rating_at"),
    "availability": ("availability", "availability_at"),
}
"""By value name: its column, and the column of the time it was last reported."""


def _blanks(row: Mapping[Any, Any], now: datetime) -> dict[str, str]:
    """Return by value name why it is null."""
    never = (
        missing_values.never_observed_text(_fetching(row), now)
        if row["captured_at"] is None
        else None
    )
    return {
        name: never
        or (missing_values.UNREADABLE if column in (row["unreadable"] or {}) else None)
        or missing_values.blank_of_observed(row[reported_at], is_beside=reported_at == "rating_at")
        for name, (column, reported_at) in _REPORTED_AT.items()
        if row[column] is None
    }


def _earlier(row: Mapping[Any, Any]) -> dict[str, str]:
    """Return by value name when it was reported, for values older than the newest check."""
    return {
        name: format_moment(row[reported_at])
        for name, (column, reported_at) in _REPORTED_AT.items()
        if row[column] is not None and row[reported_at] and row[reported_at] < row["captured_at"]
    }


def _fetching(row: Mapping[Any, Any]) -> FetchState | None:
    """Return the schedule of a row's product; None: it is not on the schedule."""
    if row["due_at"] is None:
        return None
    ended = row["last_outcome"]
    return FetchState(
        due_at=row["due_at"],
        leased_until=row["leased_until"],
        failures=0,
        observed_at=None,
        last_outcome=None if ended is None else Outcome(ended),
        requested_at=row["requested_at"],
    )


def _change(row: Mapping[Any, Any]) -> Untrusted | None:
    if row["attention_kind"] is None:
        return None
    what = change_wording.change_label(row["attention_kind"])
    return mark_untrusted(f"{what}: {change_wording.format_before_and_after(read_change(row))}")
