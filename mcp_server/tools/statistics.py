"""Statistics of a product's period, as on its page."""

from typing import Annotated

from pydantic import Field as Described

from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import minor_units
from core.database.session import read_scope
from core.history.product_summary import ProductSummary
from core.history.timeline import statistics, statistics_text
from core.history.timeline.period import list_named_rank_categories
from core.history.timeline.statistics import Statistics
from core.text.numbers import format_percent_change, format_rank_change
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import Days, ProductName, Until, resolve_period
from mcp_server.results.base import (
    ProductRef,
    Result,
    Untrusted,
    format_moment,
    format_product_name,
    mark_untrusted,
    quote_text,
)
from mcp_server.results.period import (
    FigureOrReason,
    PeriodFigures,
    PeriodPart,
    RankFigures,
    make_figure,
    make_figures,
    make_rank_figures,
    period_fields,
    product_fields,
    read_product_period,
)
from mcp_server.results.product_lookup import find_product


class ProductStatistics(PeriodPart, ProductRef, Result):
    """Statistics of a product's period, without flagged values."""

    currency: Annotated[str, Described(description="Of both prices.", examples=["USD"])]
    price: PeriodFigures
    list_price: PeriodFigures
    rank: Annotated[
        RankFigures, Described(description="Best Sellers Rank, 1 is the best; in `rank_category`.")
    ]
    rank_category: Untrusted | None
    rating: Annotated[PeriodFigures, Described(description="In stars, 1 to 5.")]
    ratings_count: Annotated[PeriodFigures, Described(description="Number of ratings.")]
    in_stock_share: Annotated[
        FigureOrReason, Described(description="0 to 1, of the time with known availability.")
    ]
    looks: Annotated[int, Described(description="Number of checks.")]
    doubtful_looks: Annotated[FigureOrReason, Described(description="Checks with a flagged value.")]


@tool(Permission.READ, "Statistics of a period")
def get_statistics(
    call: Call, product: ProductName, days: Days = 30, until: Until = None
) -> ProductStatistics:
    """Return a product's statistics for a period: price, list price, rank, rating and ratings
    count (last, first, extremes, median, change), share of time in stock, observations."""
    with read_scope() as session:
        head = find_product(session, call.principal, product)
        seen = read_product_period(
            session, head, resolve_period(days, until, call.now), (), call.now
        )
        categories = list_named_rank_categories(session, seen)
    found = seen.compute_statistics()
    currency = get_marketplace(head.marketplace).currency
    cents = float(minor_units(currency))
    return ProductStatistics(
        **product_fields(head),
        **period_fields(seen),
        currency=currency,
        price=make_figures(found.price, cents, format_percent_change),
        list_price=make_figures(found.list_price, cents, format_percent_change),
        rank=make_rank_figures(found.rank, format_rank_change),
        rank_category=mark_untrusted(categories[-1][1]) if categories else None,
        rating=make_figures(found.rating, 10, statistics_text.rating_change),
        ratings_count=make_figures(found.ratings_count, 1, statistics_text.count_change),
        in_stock_share=make_figure(found.in_stock_share),
        looks=found.observations,
        doubtful_looks=make_figure(statistics.count_flagged(found)),
        summary=_summarize(head, found, format_moment(seen.since), format_moment(seen.until)),
    )


def _summarize(head: ProductSummary, found: Statistics, since: str, until: str) -> str:
    rows = "; ".join(
        ", ".join([f"{row.name} {row.now}", *row.details])
        for row in statistics_text.statistics_rows(found, head.marketplace)
    )
    name = f"{format_product_name(head.marketplace, head.asin)} {quote_text(head.title)}"
    return f"{name}, {since} to {until}: {rows}. {statistics_text.summary_text(found)}."
