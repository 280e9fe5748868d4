"""A product against the competitors that the team chose for it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_price, minor_units
from core.database.session import read_scope
from core.history.current import missing_values
from core.history.current.competitor_position import Position, find_comparison_gap, find_position
from core.history.current.competitor_values import ComparedProduct, compare_competitors
from core.history.current.ranking import Ranking
from core.history.product_summary import ProductSummary
from core.history.timeline import statistics_text
from core.text.numbers import format_count, format_rank, format_rating
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import ProductName
from mcp_server.results.base import (
    Moment,
    Number,
    ObservedEarlier,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    WhyUnknown,
    format_moment,
    format_moment_or_none,
    format_product_name,
    mark_untrusted,
    quote_text,
)
from mcp_server.results.period import FigureOrReason
from mcp_server.results.product_lookup import find_product
from mcp_server.results.units import availability_name, to_major_units, to_stars


class StandingAmong(ResultPart):
    """One value of the product, compared with its competitors' known values."""

    own: FigureOrReason
    unit: str
    place: Annotated[int | None, Described(description="1 is the first in `order`.")]
    place_of: Annotated[int | None, Described(description="Number of products, with this one.")]
    order: str
    median: Annotated[FigureOrReason, Described(description="Of the competitors' known values.")]
    least: Number | None
    most: Number | None
    own_to_median: Annotated[
        str | None,
        Described(
            description="Distance above (+) or below (−) the median; for ranks, below is better."
        ),
    ]


class ContenderRow(ProductRef):
    """The product or a competitor, with its current values."""

    title: Untrusted | None
    price: Annotated[Number | None, Described(description="In `currency` of the result.")]
    price_seen_at: Moment | None
    rank: int | None
    rank_category: Untrusted | None
    rating: float | None
    ratings_count: int | None
    availability: str | None
    title_length: Annotated[int | None, Described(description="Characters.")]
    bullets: int | None
    bullets_length: Annotated[int | None, Described(description="Characters in all.")]
    description_length: Annotated[int | None, Described(description="Characters.")]
    images: int | None
    why_unknown: WhyUnknown
    seen_earlier: ObservedEarlier
    looked_at: Annotated[Moment | None, Described(description="Last check; null: never checked.")]


class CompetitorAnalysis(ProductRef, Result):
    """A product compared with its competitors."""

    currency: str
    own: ContenderRow
    competitors: list[ContenderRow]
    total: Annotated[int, Described(description="Number of competitors.")]
    truncated: Annotated[bool, Described(description="Always false.")] = False
    price: StandingAmong
    rank: Annotated[
        StandingAmong, Described(description="Among competitors in the same category only.")
    ]
    rating: StandingAmong
    ratings_count: StandingAmong
    title_length: StandingAmong
    bullets: StandingAmong
    bullets_length: StandingAmong
    description_length: StandingAmong
    images: StandingAmong
    how_to_go_on: Annotated[
        str | None, Described(description="What is missing and who can add it; null: nothing.")
    ]


_LOWEST, _BEST, _MOST, _LONGEST = "lowest first", "best first", "most first", "longest first"


@tool(Permission.READ, "Competitor analysis")
def get_competitor_analysis(call: Call, product: ProductName) -> CompetitorAnalysis:
    """Compare one product with the competitors that the team chose for it: price, rank, rating,
    ratings count and listing size (title, bullets, description, images), each with the
    competitors' median.

    Competitors are chosen on the product's page.
    """
    with read_scope() as session:
        head = find_product(session, call.principal, product)
        own, others = compare_competitors(session, call.principal, head.product_id)
    position = find_position(own, others)
    currency = get_marketplace(head.marketplace).currency
    advice = find_comparison_gap(head.tracking is not None, others)
    return CompetitorAnalysis(
        product=format_product_name(head.marketplace, head.asin),
        marketplace=head.marketplace,
        asin=head.asin,
        currency=currency,
        own=_make_row(own),
        competitors=[_make_row(each) for each in others],
        total=len(others),
        price=_compare(position.price, currency, _LOWEST, minor_units(currency)),
        rank=_compare(position.rank, "place, 1 is the best", _BEST),
        rating=_compare(position.rating, "stars, 1 to 5", _BEST, 10),
        ratings_count=_compare(position.ratings_count, "ratings", _MOST),
        title_length=_compare(position.title_length, "characters", _LONGEST),
        bullets=_compare(position.bullets, "bullets", _MOST),
        bullets_length=_compare(position.bullets_length, "characters", _LONGEST),
        description_length=_compare(position.description_length, "characters", _LONGEST),
        images=_compare(position.images, "images", _MOST),
        how_to_go_on=advice,
        summary=_summarize(head, position, len(others), advice),
    )


def _make_row(each: ComparedProduct) -> ContenderRow:
    return ContenderRow(
        product=format_product_name(each.marketplace, each.asin),
        marketplace=each.marketplace,
        asin=each.asin,
        title=mark_untrusted(each.title),
        price=to_major_units(each.price, get_marketplace(each.marketplace).currency),
        price_seen_at=format_moment_or_none(each.price_at),
        rank=each.bsr,
        rank_category=mark_untrusted(each.bsr_category),
        rating=to_stars(each.rating),
        ratings_count=each.ratings_count,
        availability=availability_name(each.availability),
        title_length=each.title_length,
        bullets=each.bullets,
        bullets_length=each.bullets_length,
        description_length=each.description_length,
        images=each.images,
        why_unknown=dict(_blanks(each)),
        seen_earlier=dict(_earlier(each)),
        looked_at=format_moment_or_none(each.captured_at),
    )


_SIZES = ("title_length", "bullets", "bullets_length", "description_length", "images")


def _values(each: ComparedProduct) -> Iterator[tuple[str, int | None, datetime | None]]:
    """Yield each value's name, the value, and when it was last reported."""
    yield "price", each.price, each.price_at
    yield "rank", each.bsr, each.bsr_at
    yield "rating", each.rating, each.rating_at
    yield "ratings_count", each.ratings_count, each.rating_at
    yield "availability", each.availability, each.availability_at


def _earlier(each: ComparedProduct) -> Iterator[tuple[str, str]]:
    """Yield the values older than the newest check, with the time they were reported."""
    newest = each.captured_at
    for name, value, reported_at in _values(each):
        if value is not None and reported_at and newest and reported_at < newest:
            yield name, format_moment(reported_at)


def _blanks(each: ComparedProduct) -> Iterator[tuple[str, str]]:
    """Yield the null values, with the reason."""
    for name, value, reported_at in _values(each):
        if value is None:
            is_rating = name in ("rating", "ratings_count")
            why = missing_values.blank_of_observed(reported_at, is_beside=is_rating)
            yield name, "never checked" if each.captured_at is None else why
    for name in _SIZES:
        if getattr(each, name) is None:
            yield name, "product page not checked yet"


def _compare(found: Ranking, unit: str, order: str, divisor: float = 1) -> StandingAmong:
    def scale(value: float | None) -> float | None:
        return None if value is None else round(value / divisor, 4)

    return StandingAmong(
        own=FigureOrReason(value=scale(found.own), why_unknown=found.why_own_is_unknown),
        unit=unit,
        place=found.place and found.place.place,
        place_of=found.place and found.place.of,
        order=order,
        median=FigureOrReason(value=scale(found.median), why_unknown=found.why_others_are_unknown),
        least=scale(found.least),
        most=scale(found.most),
        own_to_median=None if found.share is None else statistics_text.format_distance(found.share),
    )


def _summarize(head: ProductSummary, position: Position, others: int, advice: str | None) -> str:
    name = f"{format_product_name(head.marketplace, head.asin)} {quote_text(head.title)}"
    if not others:
        return f"{name}: {advice}"
    values: Sequence[tuple[str, Ranking, str]] = (
        (f"Price {format_price(head.price, head.marketplace)}", position.price, _LOWEST),
        (f"Rank {format_rank(head.bsr)}", position.rank, _BEST),
        (f"Rating {format_rating(head.rating)}", position.rating, _BEST),
        (f"Ratings {format_count(head.ratings_count)}", position.ratings_count, _MOST),
    )
    parts = [f"{own}: {_format_place(each, order)}" for own, each, order in values]
    return f"{name} among {others} competitors. {'; '.join(parts)}."


def _format_place(found: Ranking, order: str) -> str:
    if found.place is None:
        return found.why_own_is_unknown or found.why_others_are_unknown or "unknown"
    return f"{found.place.place} of {found.place.of}, {order}"
