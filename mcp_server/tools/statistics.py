"""Statistics of a product's period, as on its page."""

from dataclasses import fields
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
from core.history.timeline.summary import TrailingAverages, compute_facts, read_figures
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
    find_history_key,
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
    sub_rank: Annotated[RankFigures, Described(description="In `sub_rank_category`.")]
    sub_rank_category: Untrusted | None
    offers: Annotated[PeriodFigures, Described(description="Number of new offers.")]
    averages_90_days: Annotated[
        dict[str, FigureOrReason],
        Described(
            description="By figure name: average of the 90 days before `until`, weighted by "
            "duration."
        ),
    ]
    in_stock_share: Annotated[
        FigureOrReason, Described(description="0 to 1, of the time with known availability.")
    ]
    out_of_stock_share: FigureOrReason
    suppressed_share: Annotated[
        FigureOrReason, Described(description="Of the time: offers, none in the Buy Box.")
    ]
    price_changes_per_week: FigureOrReason
    price_percentile: Annotated[
        FigureOrReason,
        Described(description="0 to 1, of the time: the price was lower than now."),
    ]
    days_since_price_change: FigureOrReason
    rank_drops: Annotated[
        FigureOrReason,
        Described(
            description="How often the rank improved on the one before, as Keepa's sales rank "
            "drops. More frequent checks see more."
        ),
    ]
    looks: Annotated[int, Described(description="Number of checks.")]
    doubtful_looks: Annotated[FigureOrReason, Described(description="Checks with a flagged value.")]


_PRICES = ("price", "list_price")
_DIVISORS = {"rating": 10}  # stored units in one of a result


@tool(Permission.READ, "Statistics of a period")
def get_statistics(
    call: Call, product: ProductName, days: Days = 30, until: Until = None
) -> ProductStatistics:
    """Return a product's statistics for a period: price, list price, ranks, rating, ratings count
    and offers (last, first, extremes with their times, averages, change), shares of time in stock,
    out of stock and without a Buy Box, sales rank drops, observations."""
    with read_scope() as session:
        head = find_product(session, call.principal, product)
        bounds = resolve_period(days, until, call.now)
        seen = read_product_period(session, head, bounds, (), call.now)
        categories = list_named_rank_categories(session, seen)
        more = read_figures(session, find_history_key(head, call.now), *bounds)
    found = seen.compute_statistics()
    facts = compute_facts(seen, found, call.now)
    by_day = seen.is_by_day
    currency = get_marketplace(head.marketplace).currency
    cents = float(minor_units(currency))
    return ProductStatistics(
        **product_fields(head),
        **period_fields(seen),
        currency=currency,
        price=make_figures(found.price, cents, format_percent_change, is_by_day=by_day),
        list_price=make_figures(found.list_price, cents, format_percent_change, is_by_day=by_day),
        rank=make_rank_figures(found.rank, format_rank_change, is_by_day=by_day),
        rank_category=mark_untrusted(categories[-1][1]) if categories else None,
        rating=make_figures(found.rating, 10, statistics_text.rating_change, is_by_day=by_day),
        ratings_count=make_figures(
            found.ratings_count, 1, statistics_text.count_change, is_by_day=by_day
        ),
        sub_rank=make_rank_figures(more.sub_rank, format_rank_change, is_by_day=False),
        sub_rank_category=mark_untrusted(more.sub_category),
        offers=make_figures(more.offers, 1, statistics_text.count_change, is_by_day=False),
        averages_90_days={
            name: make_figure(
                getattr(more.averages, name), cents if name in _PRICES else _DIVISORS.get(name, 1)
            )
            for name in (each.name for each in fields(TrailingAverages))
        },
        in_stock_share=make_figure(found.in_stock_share),
        out_of_stock_share=make_figure(facts.out_of_stock),
        suppressed_share=make_figure(facts.suppressed),
        price_changes_per_week=make_figure(facts.price_changes_per_week),
        price_percentile=make_figure(facts.price_percentile),
        days_since_price_change=make_figure(facts.days_since_price_change),
        rank_drops=make_figure(facts.rank_drops),
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
