"""Products in results: a row of a list, and one product's details."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field as Described

from core.accounts.access.permissions import Principal
from core.catalog.asin import product_url
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_price
from core.database.session import read_scope
from core.history.changes import text as change_wording
from core.history.changes.change import read_change
from core.history.current import missing_values
from core.history.current.missing_values import Group
from core.history.labels import availability_label, flag_reasons
from core.history.observation import Outcome
from core.history.product_summary import FetchState, ProductSummary
from core.text.numbers import format_capped_count, format_count, format_rank, format_rating
from core.text.times import format_age
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from core.tracking.lists import queries
from core.tracking.rules import Role
from core.tracking.sellers.rules import OwnSellers, is_own_seller
from mcp_server.results.base import (
    ListResult,
    Moment,
    Number,
    ObservedEarlier,
    ProductRef,
    Result,
    ResultPart,
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


# One product


class Value(ResultPart):
    """A current value with its time, or why it is unknown."""

    value: Number | str | None
    unit: str
    seen_at: Annotated[Moment | None, Described(description="Null: never reported.")]
    why_unknown: str | None = None


class TrackedBy(ResultPart):
    """How the token's owner tracks a product, else the first user of the team who does."""

    is_mine: bool
    role: Role
    cadence: str
    tags: UntrustedTexts
    note: Annotated[Untrusted | None, Described(description="Null: none, or a teammate's.")]
    price_change_percent: Annotated[
        Number | None, Described(description="Own threshold; null: the default.")
    ]
    rank_change_percent: Number | None
    is_paused: bool


class ProductDetails(ProductRef, Result):
    """A product's current values."""

    title: Untrusted | None
    brand: Untrusted | None
    url: str
    price: Value
    list_price: Value
    coupon: Value
    rank: Value
    rank_category: Untrusted | None
    rating: Value
    ratings_count: Value
    availability: Value
    stock_left: Value
    buy_box_seller: Annotated[
        Untrusted | None,
        Described(description="Null: no Buy Box, or not named."),
    ]
    buy_box_seller_id: Annotated[
        str | None, Described(description="Amazon's id. Null: no Buy Box, or not reported.")
    ]
    is_own_seller: Annotated[
        bool | None,
        Described(
            description="True: this seller is one of your team's own. Null: the team has set "
            "none for this marketplace, or the seller is unknown."
        ),
    ]
    is_doubtful: Annotated[
        bool, Described(description="True: the newest check has a flagged value.")
    ]
    doubts: list[str]
    unreadable: Annotated[
        dict[str, Untrusted],
        Described(
            description="By field: its newest text, which could not be parsed. The value may be "
            "older."
        ),
    ]
    followed: Annotated[TrackedBy | None, Described(description="Null: not tracked by the team.")]
    next_fetch: str
    trouble: Annotated[str | None, Described(description="Why newer values are missing.")]
    is_demo: bool


def make_product_details(head: ProductSummary, own: OwnSellers, now: datetime) -> ProductDetails:
    """Return a product's current values in the units of results."""
    currency = get_marketplace(head.marketplace).currency

    def value(
        amount: int | float | str | None,
        unit: str,
        group: Group,
        *,
        is_beside: bool = False,
        column: str | None = None,
    ) -> Value:
        why = missing_values.blank_reason(head, group, now, is_beside=is_beside, column=column)
        seen_at = format_moment_or_none(missing_values.observed_at(head, group))
        return Value(
            value=amount, unit=unit, seen_at=seen_at, why_unknown=why if amount is None else None
        )

    coupon = to_major_units(head.coupon_amount, currency)
    in_percent = head.coupon_percent is not None
    return ProductDetails(
        product=format_product_name(head.marketplace, head.asin),
        marketplace=head.marketplace,
        asin=head.asin,
        title=mark_untrusted(head.title),
        brand=mark_untrusted(head.brand),
        url=product_url(head.marketplace, head.asin),
        price=value(to_major_units(head.price, currency), currency, "price"),
        list_price=value(
            to_major_units(head.list_price, currency),
            currency,
            "price",
            is_beside=True,
            column="list_price",
        ),
        coupon=value(
            head.coupon_percent if in_percent else coupon,
            "%" if in_percent else currency,
            "price",
            is_beside=True,
            column="coupon",
        ),
        rank=value(head.bsr, "place, 1 is the best", "bsr"),
        rank_category=mark_untrusted(head.bsr_category),
        rating=value(to_stars(head.rating), "stars, 1 to 5", "rating", column="rating"),
        ratings_count=value(head.ratings_count, "ratings", "rating", column="ratings_count"),
        availability=value(availability_name(head.availability), "state", "availability"),
        stock_left=value(
            head.stock_left,
            "items, as stated on the page",
            "availability",
            is_beside=True,
            column="stock_left",
        ),
        buy_box_seller=mark_untrusted(head.seller),
        buy_box_seller_id=head.seller_id,
        is_own_seller=is_own_seller(own, head.marketplace, head.seller_id, head.seller),
        is_doubtful=bool(head.flags),
        doubts=flag_reasons(head.flags),
        unreadable={name: Untrusted(untrusted=text) for name, text in head.unreadable.items()},
        followed=_followed(head),
        next_fetch=missing_values.next_fetch_text(head.fetching, now),
        trouble=missing_values.fetch_problem(head.fetching, now),
        is_demo=head.is_demo,
        summary=_summarize_details(head, now),
    )


def _followed(head: ProductSummary) -> TrackedBy | None:
    following = head.tracking
    if following is None:
        return None
    settings = following.settings
    return TrackedBy(
        is_mine=following.is_mine,
        role=settings.role,
        cadence=settings.cadence.value,
        tags=UntrustedTexts(untrusted=list(settings.tags)),
        note=mark_untrusted(settings.note),
        price_change_percent=_percent(settings.price_change_percent),
        rank_change_percent=_percent(settings.rank_change_percent),
        is_paused=following.paused_at is not None,
    )


def _percent(value: Any) -> float | None:
    return None if value is None else float(value)


def _summarize_details(head: ProductSummary, now: datetime) -> str:
    if head.captured_at is None:
        why = missing_values.never_observed_text(head.fetching, now)
        return (
            f"{format_product_name(head.marketplace, head.asin)}: no values yet, {why}. "
            "`get_fetch_status` explains why."
        )
    return (
        f"{format_product_name(head.marketplace, head.asin)} {quote_text(head.title)}: "
        f"{', '.join(format_values(head, with_category=True))}, "
        f"{availability_label(head.availability)}; "
        f"checked {format_age(head.captured_at, now)}."
    )


def format_values(head: ProductSummary, *, with_category: bool = False) -> list[str]:
    """Return price, rank and rating; for values older than the newest check, when last seen."""
    place = f" in {quote_text(head.bsr_category or 'unknown')}" if with_category else ""
    of_ratings = f"stars of {format_count(head.ratings_count)} ratings"
    return [
        format_price(head.price, head.marketplace) + _since(head, "price"),
        f"rank {format_rank(head.bsr)}{place}{_since(head, 'bsr')}",
        f"{format_rating(head.rating)} {of_ratings}{_since(head, 'rating')}",
    ]


def _since(head: ProductSummary, group: Group) -> str:
    at = missing_values.observed_at(head, group)
    is_old = at is not None and head.captured_at is not None and at < head.captured_at
    return f" (last seen {format_moment(at)})" if at is not None and is_old else ""
