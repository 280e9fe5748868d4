"""Figures of products: now, their change over a period, and day by day. SELECTs only."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.history.observation import Availability
from core.history.periods.change_period import ChangePeriod
from core.tracking.list_filter import ListFilter
from core.tracking.lists.list_filter_sql import make_filter_sql
from core.tracking.rules import Role
from core.tracking.sellers.rules import OwnSellers, is_own_seller


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the products of which it is known.

    `change` is that of the share over the period, of the products known at both times. None: of
    none.
    """

    part: int
    whole: int
    change: float | None

    @property
    def value(self) -> float | None:
        """Return the share from 0 to 1, None if nothing is known."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Average:
    """The mean of a value over products, each counted once, and its change over the period."""

    value: float | None
    products: int
    change: float | None


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """Figures of a set of products by their newest observations."""

    products: int
    observed: int  # products with an observation
    since: date | None  # the first of the marketplaces' days whose close is compared with
    rank_change: float | None  # median of the ranks' ratios to those before; above 1 is worse
    ranked: int  # products with a rank at both times
    buy_box: Share | None  # won by the team; None: the team set no own seller
    in_stock: Share
    rating: Average  # in tenths of a star


@requires(Permission.READ)
def list_product_ids(
    session: Session, principal: Principal, list_filter: ListFilter, size: int | None = None
) -> list[int]:
    """Return the ids of a list's products in order, at most `size`."""
    filtered = make_filter_sql(principal, list_filter)
    statement = (
        f"SELECT t.product_id FROM {filtered.from_tables()} WHERE {filtered.conditions} "
        f"ORDER BY t.product_id LIMIT {'ALL' if size is None else size}"
    )
    return [row.product_id for row in _fetch(session, statement, filtered.values)]


@requires(Permission.READ)
def list_changed_ids(
    session: Session, principal: Principal, list_filter: ListFilter, size: int
) -> list[int]:
    """Return at most `size` of a list's products that changed since yesterday, worst first."""
    filtered = make_filter_sql(principal, list_filter)
    statement = (
        f"SELECT c.product_id FROM {filtered.from_tables('c')} WHERE {filtered.conditions} "
        f"AND c.attention > 0 ORDER BY c.attention DESC, c.product_id DESC LIMIT {size}"
    )
    return [row.product_id for row in _fetch(session, statement, filtered.values)]


@requires(Permission.READ)
def read_period_figures(
    session: Session,
    _principal: Principal,
    product_ids: Sequence[int],
    own_sellers: OwnSellers,
    period: ChangePeriod,
) -> PeriodFigures:
    """Return the figures of products, of `list_product_ids`, over a period."""
    [row] = _fetch(session, _FIGURES.format(period=period), {"ids": list(product_ids)})
    buy_box = _share_buy_box(row.holders or (), own_sellers) if own_sellers else None
    return PeriodFigures(
        products=len(product_ids),
        observed=row.observed,
        since=None if row.day is None else row.day - timedelta(days=period.days),
        rank_change=row.rank_change,
        ranked=row.ranked,
        buy_box=buy_box,
        in_stock=Share(row.in_stock, row.stock_known, row.stock_change),
        rating=Average(row.rating, row.rated, row.rating_change),
    )


_STOCKED: Final = (int(Availability.IN_STOCK), int(Availability.LIMITED))
_IN_STOCK: Final = str(_STOCKED)
# In one pass: the rows of many products are what takes time.
_FIGURES: Final = f"""
WITH r AS MATERIALIZED (
    SELECT p.marketplace, l.captured_at, c.day, c.{{period}}_rank_change AS rank_change,
        l.availability, c.{{period}}_availability AS availability_then,
        l.rating, c.{{period}}_rating_change AS rating_change,
        l.buy_box_seller_id AS seller_id, l.buy_box_seller AS seller,
        c.{{period}}_seller AS seller_then
    FROM unnest(%(ids)s::int8[]) AS o (id)
    JOIN product AS p ON p.id = o.id
    JOIN product_latest AS l ON l.product_id = o.id
    JOIN product_change AS c ON c.product_id = o.id)
SELECT count(captured_at) AS observed, min(day) AS day,
    exp(percentile_cont(0.5) WITHIN GROUP (ORDER BY rank_change)) AS rank_change,
    count(rank_change) AS ranked,
    count(availability) AS stock_known,
    count(*) FILTER (WHERE availability IN {_IN_STOCK}) AS in_stock,
    avg((availability IN {_IN_STOCK})::int - (availability_then IN {_IN_STOCK})::int)::float8
        AS stock_change,
    avg(rating)::float8 AS rating, count(rating) AS rated, avg(rating_change)::float8
        AS rating_change,
    (SELECT json_agg(h) FROM (SELECT marketplace, seller_id, seller, availability, seller_then,
        availability_then, count(*) FROM r GROUP BY 1, 2, 3, 4, 5, 6) AS h
    ) AS holders
FROM r
"""


def _share_buy_box(holders: Sequence[Mapping[str, Any]], own: OwnSellers) -> Share:
    won = known = moved = compared = 0
    for row in holders:
        market, count = row["marketplace"], row["count"]
        now = is_won(own, market, row["seller_id"], row["seller"], row["availability"])
        if now is None:
            continue
        known += count
        won += count * now
        then = is_won(own, market, None, row["seller_then"], row["availability_then"])
        if then is not None:
            compared += count
            moved += count * (now - then)
    return Share(won, known, moved / compared if compared else None)


_NOT_FOR_SALE: Final = frozenset(
    {Availability.NO_OFFERS, Availability.UNAVAILABLE, Availability.GONE}
)


def is_won(
    own: OwnSellers,
    marketplace: str,
    seller_id: str | None,
    seller: str | None,
    availability: int | None,
) -> bool | None:
    """Return whether the team has a product's Buy Box, None if that is not known.

    A suppressed one is not won. A product without a seller has none to win: None.
    """
    if marketplace not in own or availability in _NOT_FOR_SALE:
        return None
    if availability == Availability.BUY_BOX_SUPPRESSED:
        return False
    return is_own_seller(own, marketplace, seller_id, seller)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Figures of a team's products at a day's close, of those observed on it. None: of none."""

    day: date
    buy_box: float | None  # the share that the team won
    in_stock: float | None
    rating: float | None  # in tenths of a star


@dataclass(frozen=True, slots=True)
class FigureDays:
    """The closed days of a team's products, and on which of them a marketplace had any."""

    days: list[DayFigures]
    observed: dict[str, frozenset[date]]  # the marketplace with most products first


@requires(Permission.READ)
def list_figure_days(
    session: Session,
    principal: Principal,
    list_filter: ListFilter,
    own_sellers: OwnSellers,
    since: date,
) -> FigureDays:
    """Return the team's closed days from `since` on, of a list's roles and marketplaces.

    Days on which less than half as many products were observed as on the fullest have no
    figures: they would be those of other products.
    """
    values = {
        "team": principal.team_id,
        "since": since,
        "roles": [role.value for role in list_filter.roles or Role],
        "marketplaces": list(list_filter.marketplaces),
    }
    days: dict[date, list[Any]] = {}
    observed: dict[str, set[date]] = {}
    products: Counter[str] = Counter()
    for row in _fetch(session, _DAYS, values):
        days.setdefault(row.day, []).append(row)
        observed.setdefault(row.marketplace, set()).add(row.day)
        products[row.marketplace] += row.products
    sizes = {day: sum(row.products for row in found) for day, found in days.items()}
    fullest = max(sizes.values(), default=0)
    return FigureDays(
        [
            _make_day(day, found, own_sellers)
            for day, found in days.items()
            if 2 * sizes[day] >= fullest
        ],
        {code: frozenset(observed[code]) for code, _ in products.most_common()},
    )


_DAYS: Final = """
SELECT day, marketplace, availability, seller, products, rated, ratings_sum FROM team_figure_day
WHERE team_id = %(team)s AND day >= %(since)s AND role = ANY(%(roles)s)
    AND (marketplace = ANY(%(marketplaces)s) OR %(marketplaces)s::text[] = '{}')
ORDER BY day, marketplace
"""


def _make_day(day: date, rows: Sequence[Any], own: OwnSellers) -> DayFigures:
    won = known = stocked = in_stock = 0
    for row in rows:
        is_own = is_won(own, row.marketplace, None, row.seller or None, row.availability)
        if is_own is not None:
            known += row.products
            won += row.products * is_own
        if row.availability:
            stocked += row.products
            in_stock += row.products * (row.availability in _STOCKED)
    rated = sum(row.rated for row in rows)
    return DayFigures(
        day,
        won / known if known else None,
        in_stock / stocked if stocked else None,
        sum(row.ratings_sum for row in rows) / rated if rated else None,
    )


def _fetch(session: Session, statement: str, values: dict[str, Any]) -> list[Any]:
    # Never prepared: a plan made for any number of products is slow.
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()
