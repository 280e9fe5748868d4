"""How a product's price, rank and rating moved."""

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
from mcp_server.results.arguments import Days, MostPoints, ProductName, Until, period
from mcp_server.results.base import (
    Moment,
    ProductRef,
    Result,
    ResultPart,
    Untrusted,
    format_moment,
    untrusted,
)
from mcp_server.results.period import (
    DEFAULT_POINTS,
    LineOfPoints,
    OfPeriod,
    PeriodFigures,
    RankFigures,
    figures_of,
    in_words,
    rank_figures,
    read,
    told_line,
    told_period,
    told_product,
)
from mcp_server.results.product_lookup import find_product

MOST_SWITCHES = 30  # of categories, in one answer


class PriceHistory(LineOfPoints, OfPeriod, ProductRef, Result):
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
        seen = read(session, head, period(days, until, call.now), (series.PRICE,), call.now)
    currency = get_marketplace(head.marketplace).currency
    divisor = float(minor_units(currency))
    span = seen.compute_field_statistics(series.PRICE)

    def money(minor: float | None) -> str:
        return format_price(minor, head.marketplace)

    return PriceHistory(
        **told_product(head),
        **told_period(seen),
        **told_line(seen, series.PRICE, f"{currency} per item", divisor, most_points),
        figures=figures_of(span, divisor, format_percent_change),
        currency=currency,
        summary=in_words(head, "Price", seen, span, money, format_percent_change),
    )


class CategorySpell(ResultPart):
    """From when on the main rank was in a category."""

    since: Annotated[
        Moment, Described(description="With the resolution days: a day of the marketplace.")
    ]
    category: Untrusted | None


class OtherRank(ResultPart):
    """A further rank of the newest look."""

    rank: int
    category: Untrusted


class BsrHistory(LineOfPoints, OfPeriod, ProductRef, Result):
    """A product's Best Sellers Rank over time; 1 is the best, smaller is better."""

    category: Annotated[
        Untrusted | None,
        Described(
            description="Of the period's newest rank; `figures` are about it alone. Null: no rank."
        ),
    ]
    figures: RankFigures
    category_spells: Annotated[
        list[CategorySpell],
        Described(
            description="Categories of the main rank, oldest first. Ranks of two categories can't "
            "be compared: `points` has a null where one follows another."
        ),
    ]
    category_spells_total: int
    other_ranks_now: Annotated[
        list[OtherRank], Described(description="Ranks in further categories, of the newest look.")
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
        seen = read(session, head, period(days, until, call.now), (series.RANK,), call.now)
        spells = _spells(session, seen)
        others = newest_ranks(session, call.principal, head)
    span = seen.compute_field_statistics(series.RANK)
    summary = in_words(head, "Rank", seen, span, format_rank, format_rank_change)
    return BsrHistory(
        **told_product(head),
        **told_period(seen),
        **told_line(seen, series.RANK, "place in its category, 1 is the best", 1, most_points),
        figures=rank_figures(span, format_rank_change),
        category=spells[-1].category if spells else None,
        category_spells=spells[-MOST_SWITCHES:],
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
            category=untrusted(name),
        )
        for at, name in list_named_rank_categories(session, seen)
    ]


def _category_warning(spells: int) -> str:
    if spells < 2:
        return ""
    return f" The category changed ({spells} spells): compare ranks within one category only."


class CountLine(LineOfPoints):
    """The number of ratings over time."""

    figures: PeriodFigures


class RatingHistory(LineOfPoints, OfPeriod, ProductRef, Result):
    """A product's average rating over time, and beside it the number of ratings."""

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
        seen = read(
            session,
            head,
            period(days, until, call.now),
            (series.RATING, series.RATINGS_COUNT),
            call.now,
        )
    stars = seen.compute_field_statistics(series.RATING)
    counted = seen.compute_field_statistics(series.RATINGS_COUNT)
    counts = CountLine(
        **told_line(seen, series.RATINGS_COUNT, "ratings", 1, most_points),
        figures=figures_of(counted, 1, statistics_text.count_change),
    )
    summary = in_words(head, "Rating", seen, stars, format_rating, statistics_text.rating_change)
    change = statistics_text.change_text(counted, statistics_text.count_change)
    reason = counted.start.reason or counted.now.reason
    return RatingHistory(
        **told_product(head),
        **told_period(seen),
        **told_line(seen, series.RATING, "stars, 1 to 5", 10, most_points),
        figures=figures_of(stars, 10, statistics_text.rating_change),
        ratings_count=counts,
        summary=f"{summary} Number of ratings: {change or reason}.",
    )
