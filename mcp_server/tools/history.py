"""Histories of a product's price, rank and rating."""

from typing import Annotated

from pydantic import Field as Described
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_price, minor_units
from core.database.session import read_scope
from core.history.current.sub_ranks import newest_ranks
from core.history.timeline import series, statistics_text
from core.history.timeline.period import list_named_rank_categories
from core.history.timeline.timeline import Timeline
from core.text.numbers import format_percent_change, format_rank, format_rank_change, format_rating
from mcp_server.protocol.call_log import Call
from mcp_server.protocol.tools import tool
from mcp_server.results.arguments import Days, MostPoints, ProductName, Until, resolve_period
from mcp_server.results.base import (
    Moment,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    format_moment,
    mark_untrusted,
)
from mcp_server.results.period import (
    DEFAULT_POINTS,
    PeriodFigures,
    PeriodPart,
    RankFigures,
    Series,
    make_figures,
    make_rank_figures,
    period_fields,
    product_fields,
    read_product_period,
    series_fields,
    summarize_history,
)
from mcp_server.results.product_lookup import find_product

MAX_SPELLS = 30  # category spells in one result


class PriceHistory(Series, PeriodPart, ProductRef, Result):
    """A product's price over time."""

    currency: Annotated[str, Described(examples=["USD"])]
    figures: PeriodFigures


@tool(Permission.READ, "Price history")
def get_price_history(
    call: Call,
    product: ProductName,
    days: Days = 90,
    until: Until = None,
    most_points: MostPoints = DEFAULT_POINTS,
) -> PriceHistory:
    """Return a product's price history: every change in the period, with low, high,
    time-weighted average and median.

    Prices are of the featured offer (Buy Box) where there was one. Periods over 400 days are by
    day.
    """
    with read_scope() as session:
        head = find_product(session, call.principal, product)
        seen = read_product_period(
            session, head, resolve_period(days, until, call.now), (series.PRICE,), call.now
        )
    currency = get_marketplace(head.marketplace).currency
    divisor = float(minor_units(currency))
    span = seen.compute_field_statistics(series.PRICE)

    def money(minor: float | None) -> str:
        return format_price(minor, head.marketplace)

    return PriceHistory(
        **product_fields(head),
        **period_fields(seen),
        **series_fields(seen, series.PRICE, f"{currency} per item", divisor, most_points),
        figures=make_figures(span, divisor, format_percent_change, is_by_day=seen.is_by_day),
        currency=currency,
        summary=summarize_history(head, "Price", seen, span, money, format_percent_change),
    )


class CategorySpell(ResultPart):
    """A period in which the main rank was in one category."""

    since: Annotated[Moment, Described(description="With resolution days: a marketplace day.")]
    category: Untrusted | None


class OtherRank(ResultPart):
    """A rank of the newest check in a further category."""

    rank: int
    category: Untrusted


class BsrHistory(Series, PeriodPart, ProductRef, Result):
    """A product's Best Sellers Rank over time; 1 is the best, smaller is better."""

    category: Annotated[
        Untrusted | None,
        Described(
            description="Of the period's newest rank; `figures` cover only this category. Null: no "
            "rank."
        ),
    ]
    figures: RankFigures
    category_spells: Annotated[
        list[CategorySpell],
        Described(
            description="Categories of the main rank, oldest first. Ranks of different categories "
            "can't be compared: `points` has a null at each change of category."
        ),
    ]
    category_spells_total: int
    other_ranks_now: Annotated[
        list[OtherRank],
        Described(description="Newest ranks in further categories."),
    ]


@tool(Permission.READ, "Rank history")
def get_bsr_history(
    call: Call,
    product: ProductName,
    days: Days = 90,
    until: Until = None,
    most_points: MostPoints = DEFAULT_POINTS,
) -> BsrHistory:
    """Return a product's Best Sellers Rank history and its category. A smaller rank is better:
    it improves or worsens.

    The series breaks where the category changes. Periods over 400 days are by day (the day's
    last rank).
    """
    with read_scope() as session:
        head = find_product(session, call.principal, product)
        seen = read_product_period(
            session, head, resolve_period(days, until, call.now), (series.RANK,), call.now
        )
        spells = _spells(session, seen)
        others = newest_ranks(session, call.principal, head)
    span = seen.compute_field_statistics(series.RANK)
    summary = summarize_history(head, "Rank", seen, span, format_rank, format_rank_change)
    return BsrHistory(
        **product_fields(head),
        **period_fields(seen),
        **series_fields(seen, series.RANK, "place in its category, 1 is the best", 1, most_points),
        figures=make_rank_figures(span, format_rank_change, is_by_day=seen.is_by_day),
        category=spells[-1].category if spells else None,
        category_spells=spells[-MAX_SPELLS:],
        category_spells_total=len(spells),
        other_ranks_now=[
            OtherRank(rank=each.rank, category=Untrusted(untrusted=each.category))
            for each in others
        ],
        summary=f"{summary}{_category_warning(len(spells))}",
    )


def _spells(session: Session, seen: Timeline) -> list[CategorySpell]:
    return [
        CategorySpell(
            since=at.date().isoformat() if seen.is_by_day else format_moment(at),
            category=mark_untrusted(name),
        )
        for at, name in list_named_rank_categories(session, seen)
    ]


def _category_warning(spells: int) -> str:
    if spells < 2:
        return ""
    return f" The category changed ({spells} spells): compare ranks within one category only."


class CountLine(Series):
    """The number of ratings over time."""

    figures: PeriodFigures


class RatingHistory(Series, PeriodPart, ProductRef, Result):
    """A product's average rating and number of ratings over time."""

    figures: PeriodFigures
    ratings_count: CountLine


@tool(Permission.READ, "Rating history")
def get_rating_history(
    call: Call,
    product: ProductName,
    days: Days = 90,
    until: Until = None,
    most_points: MostPoints = DEFAULT_POINTS,
) -> RatingHistory:
    """Return the history of a product's rating (stars) and ratings count.

    The count includes ratings without a written review, often of all variations, and can fall.
    Periods over 400 days are by day.
    """
    with read_scope() as session:
        head = find_product(session, call.principal, product)
        seen = read_product_period(
            session,
            head,
            resolve_period(days, until, call.now),
            (series.RATING, series.RATINGS_COUNT),
            call.now,
        )
    stars = seen.compute_field_statistics(series.RATING)
    counted = seen.compute_field_statistics(series.RATINGS_COUNT)
    counts = CountLine(
        **series_fields(seen, series.RATINGS_COUNT, "ratings", 1, most_points),
        figures=make_figures(counted, 1, statistics_text.count_change, is_by_day=seen.is_by_day),
    )
    summary = summarize_history(
        head, "Rating", seen, stars, format_rating, statistics_text.rating_change
    )
    change = statistics_text.change_text(counted, statistics_text.count_change)
    reason = counted.start.reason or counted.now.reason
    return RatingHistory(
        **product_fields(head),
        **period_fields(seen),
        **series_fields(seen, series.RATING, "stars, 1 to 5", 10, most_points),
        figures=make_figures(stars, 10, statistics_text.rating_change, is_by_day=seen.is_by_day),
        ratings_count=counts,
        summary=f"{summary} Number of ratings: {change or reason}.",
    )
