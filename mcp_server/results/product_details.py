"""One product in results: its current values, each with its time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field as Described

from core.catalog.asin import product_url
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_price
from core.history.current import missing_values
from core.history.current.missing_values import Group
from core.history.labels import availability_label, flag_reasons
from core.history.product_summary import ProductSummary
from core.text.numbers import format_count, format_rank, format_rating
from core.text.times import format_age
from core.tracking.rules import Role
from core.tracking.sellers.rules import OwnSellers, is_own_seller
from mcp_server.results.base import (
    Moment,
    Number,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    UntrustedTexts,
    format_moment,
    format_moment_or_none,
    format_product_name,
    mark_untrusted,
    quote_text,
)
from mcp_server.results.units import availability_name, to_major_units, to_stars


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


@dataclass(frozen=True, slots=True)
class _Values:
    """Makes a product's values, each with its time or why it is unknown."""

    head: ProductSummary
    now: datetime

    def make(
        self,
        amount: int | float | str | None,
        unit: str,
        group: Group,
        *,
        is_beside: bool = False,
        column: str | None = None,
    ) -> Value:
        seen_at = format_moment_or_none(missing_values.observed_at(self.head, group))
        if amount is not None:
            return Value(value=amount, unit=unit, seen_at=seen_at)
        why = missing_values.blank_reason(
            self.head, group, self.now, is_beside=is_beside, column=column
        )
        return Value(value=None, unit=unit, seen_at=seen_at, why_unknown=why)


def make_product_details(head: ProductSummary, own: OwnSellers, now: datetime) -> ProductDetails:
    """Return a product's current values in the units of results."""
    return ProductDetails(
        product=format_product_name(head.marketplace, head.asin),
        marketplace=head.marketplace,
        asin=head.asin,
        title=mark_untrusted(head.title),
        brand=mark_untrusted(head.brand),
        url=product_url(head.marketplace, head.asin),
        **_make_values(_Values(head, now)),
        rank_category=mark_untrusted(head.bsr_category),
        buy_box_seller=mark_untrusted(head.seller),
        buy_box_seller_id=head.seller_id,
        is_own_seller=is_own_seller(own, head.marketplace, head.seller_id, head.seller),
        is_doubtful=bool(head.flags),
        doubts=flag_reasons(head.flags),
        unreadable={name: Untrusted(untrusted=text) for name, text in head.unreadable.items()},
        followed=_make_tracked_by(head),
        next_fetch=missing_values.next_fetch_text(head.fetching, now),
        trouble=missing_values.fetch_problem(head.fetching, now),
        is_demo=head.is_demo,
        summary=_summarize_details(head, now),
    )


def _make_values(values: _Values) -> dict[str, Value]:
    """Return the values by their fields of `ProductDetails`."""
    head = values.head
    currency = get_marketplace(head.marketplace).currency
    price, list_price = (to_major_units(each, currency) for each in (head.price, head.list_price))
    return {
        "price": values.make(price, currency, "price"),
        "list_price": values.make(
            list_price, currency, "price", is_beside=True, column="list_price"
        ),
        "coupon": _make_coupon(values, currency),
        "rank": values.make(head.bsr, "place, 1 is the best", "bsr"),
        "rating": values.make(to_stars(head.rating), "stars, 1 to 5", "rating", column="rating"),
        "ratings_count": values.make(
            head.ratings_count, "ratings", "rating", column="ratings_count"
        ),
        "availability": values.make(availability_name(head.availability), "state", "availability"),
        "stock_left": values.make(
            head.stock_left,
            "items, as stated on the page",
            "availability",
            is_beside=True,
            column="stock_left",
        ),
    }


def _make_coupon(values: _Values, currency: str) -> Value:
    """Return what a coupon takes off, in percent or as an amount."""
    percent = values.head.coupon_percent
    amount = to_major_units(values.head.coupon_amount, currency) if percent is None else percent
    unit = currency if percent is None else "%"
    return values.make(amount, unit, "price", is_beside=True, column="coupon")


def _make_tracked_by(head: ProductSummary) -> TrackedBy | None:
    tracking = head.tracking
    if tracking is None:
        return None
    settings = tracking.settings
    return TrackedBy(
        is_mine=tracking.is_mine,
        role=settings.role,
        cadence=settings.cadence.value,
        tags=UntrustedTexts(untrusted=list(settings.tags)),
        note=mark_untrusted(settings.note),
        price_change_percent=_percent(settings.price_change_percent),
        rank_change_percent=_percent(settings.rank_change_percent),
        is_paused=tracking.paused_at is not None,
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
