"""Figures of a set of products: now, their change over a period, and day by day. SELECTs only."""

from collections.abc import Sequence
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
from core.tracking.sellers.rules import OwnSellers, is_own_seller

MOST_BY_DAY: Final = 5_000  # products; the days of more are not read


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
    values = {"ids": list(product_ids)}
    [row] = _fetch(session, _FIGURES.format(period=period), values)
    buy_box = None
    if own_sellers:
        held = _fetch(session, _HOLDERS.format(period=period), values)
        buy_box = _share_buy_box(held, own_sellers)
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


_IN_STOCK: Final = f"({int(Availability.IN_STOCK)}, {int(Availability.LIMITED)})"
_FIGURES: Final = f"""
SELECT count(l.captured_at) AS observed, min(c.day) AS day,
    exp(percentile_cont(0.5) WITHIN GROUP (ORDER BY c.{{period}}_rank_change)) AS rank_change,
    count(c.{{period}}_rank_change) AS ranked,
    count(l.availability) AS stock_known,
    count(*) FILTER (WHERE l.availability IN {_IN_STOCK}) AS in_stock,
    avg((l.availability IN {_IN_STOCK})::int - (c.{{period}}_availability IN {_IN_STOCK})::int)
        ::float8 AS stock_change,
    avg(l.rating)::float8 AS rating, count(l.rating) AS rated,
    avg(c.{{period}}_rating_change)::float8 AS rating_change
FROM unnest(%(ids)s::int8[]) AS o (id)
JOIN product_latest AS l ON l.product_id = o.id
JOIN product_change AS c ON c.product_id = o.id
"""
_HOLDERS: Final = """
SELECT p.marketplace, l.buy_box_seller_id AS seller_id, l.buy_box_seller AS seller, l.availability,
    c.{period}_seller AS seller_then, c.{period}_availability AS availability_then,
    count(*) AS products
FROM unnest(%(ids)s::int8[]) AS o (id)
JOIN product AS p ON p.id = o.id
JOIN product_latest AS l ON l.product_id = o.id
JOIN product_change AS c ON c.product_id = o.id
GROUP BY 1, 2, 3, 4, 5, 6
"""


def _share_buy_box(rows: Sequence[Any], own: OwnSellers) -> Share:
    won = known = moved = compared = 0
    for row in rows:
        now = is_won(own, row.marketplace, row.seller_id, row.seller, row.availability)
        if now is None:
            continue
        known += row.products
        won += row.products * now
        then = is_won(own, row.marketplace, None, row.seller_then, row.availability_then)
        if then is not None:
            compared += row.products
            moved += row.products * (now - then)
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

    A suppressed one is not won. A product that nobody sells has none to win: None.
    """
    if marketplace not in own or availability in _NOT_FOR_SALE:
        return None
    if availability == Availability.BUY_BOX_SUPPRESSED:
        return False
    return is_own_seller(own, marketplace, seller_id, seller)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Figures of products at a day's close, of those observed on it. None: of none."""

    day: date
    buy_box: float | None  # the share that the team won
    in_stock: float | None
    rating: float | None  # in tenths of a star


@requires(Permission.READ)
def list_day_figures(
    session: Session,
    _principal: Principal,
    product_ids: Sequence[int],
    own_sellers: OwnSellers,
    since: date,
) -> list[DayFigures]:
    """Return the figures of products day by day, from `since` on, by the marketplaces' days.

    Empty for more than `MOST_BY_DAY` products. Days on which less than half as many products
    were observed as on the fullest are left out: they would be figures of other products.
    """
    if not product_ids or len(product_ids) > MOST_BY_DAY:
        return []
    rows = _fetch(session, _DAYS, {"ids": list(product_ids), "since": since})
    days: dict[date, list[Any]] = {}
    for row in rows:
        days.setdefault(row.day, []).append(row)
    observed = {day: sum(row.products for row in found) for day, found in days.items()}
    fullest = max(observed.values(), default=0)
    return [
        _make_day(day, found, own_sellers)
        for day, found in sorted(days.items())
        if 2 * observed[day] >= fullest
    ]


_DAYS: Final = f"""
SELECT d.day, p.marketplace, d.seller_close AS seller, d.availability_close AS availability,
    count(*) AS products, sum(d.rating)::int8 AS ratings, count(d.rating) AS rated,
    count(coalesce(d.availability_close, d.in_stock_share)) AS stock_known,
    count(*) FILTER (WHERE CASE WHEN d.availability_close IS NULL THEN d.in_stock_share > 0
        ELSE d.availability_close IN {_IN_STOCK} END) AS in_stock
FROM product_daily AS d JOIN product AS p ON p.id = d.product_id
WHERE d.product_id = ANY(%(ids)s) AND d.day >= %(since)s
GROUP BY 1, 2, 3, 4
"""


def _make_day(day: date, rows: Sequence[Any], own: OwnSellers) -> DayFigures:
    won = known = 0
    for row in rows:
        is_own = is_won(own, row.marketplace, None, row.seller, row.availability)
        if is_own is not None:
            known += row.products
            won += row.products * is_own
    stock_known, rated = (
        sum(getattr(row, name) for row in rows) for name in ("stock_known", "rated")
    )
    return DayFigures(
        day,
        won / known if known else None,
        sum(row.in_stock for row in rows) / stock_known if stock_known else None,
        sum(row.ratings or 0 for row in rows) / rated if rated else None,
    )


SAMPLED: Final = 25  # products of each marketplace


@requires(Permission.READ)
def find_observed_days(
    session: Session, _principal: Principal, product_ids: Sequence[int], since: date
) -> dict[str, frozenset[date]]:
    """Return the days from `since` on with a value of the products, by marketplace.

    Of a marketplace with more, the days of `SAMPLED` products. Ordered by the number of
    products, the most first.
    """
    rows = _fetch(session, _OBSERVED, {"ids": list(product_ids), "since": since})
    return {row.marketplace: frozenset(row.days) for row in rows}


_OBSERVED: Final = f"""
WITH placed AS MATERIALIZED (
    SELECT p.marketplace, p.id,
        row_number() OVER (PARTITION BY p.marketplace ORDER BY p.id) AS place
    FROM unnest(%(ids)s::int8[]) AS o (id) JOIN product AS p ON p.id = o.id),
days AS MATERIALIZED (
    SELECT m.marketplace, array_agg(DISTINCT d.day) AS days
    FROM (SELECT * FROM placed WHERE place <= {SAMPLED}) AS m
    JOIN product_daily AS d ON d.product_id = m.id AND d.day >= %(since)s
    GROUP BY m.marketplace)
SELECT m.marketplace, coalesce(min(d.days), '{{}}') AS days
FROM placed AS m LEFT JOIN days AS d ON d.marketplace = m.marketplace
GROUP BY m.marketplace ORDER BY count(*) DESC, m.marketplace
"""


def _fetch(session: Session, statement: str, values: dict[str, Any]) -> list[Any]:
    # Never prepared: a plan made for any number of products is slow.
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()
