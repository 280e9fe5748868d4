"""The products of a report with their values at the closes of two days. SELECTs only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.marketplaces import get_marketplace
from core.database.session import driver_connection
from core.history.accepted_values import AcceptedValues
from core.history.periods.change_period import LOOKBACK_DAYS, ChangePeriod, find_day
from core.reports.content import LINE_DAYS, ReportProduct
from core.tracking.list_filter import ListScope
from core.tracking.lists.list_filter_sql import SCOPES, scope_values
from core.tracking.rules import Role

MOST_PRODUCTS: Final = 20_000  # that one report is made of
_CHUNK: Final = 2_000  # products read at once


@dataclass(frozen=True, slots=True)
class DayPair:
    """A marketplace's day, and the day whose close it is compared with."""

    day: date
    then_day: date


@dataclass(frozen=True, slots=True)
class ProductCloses:
    """A product and its values at two closes. None: unknown.

    `percents`: the tracking user's own thresholds of price and rank, None: the team's.
    """

    product: ReportProduct
    percents: tuple[Decimal | None, Decimal | None]
    then: AcceptedValues
    now: AcceptedValues
    is_checked: bool  # between the two closes
    has_new_listing: bool  # since the earlier close, other than before it


def find_pair(marketplace: str, period: ChangePeriod, at: datetime) -> DayPair:
    """Return a marketplace's last day that was over at a moment, and the day to compare with."""
    zone = ZoneInfo(get_marketplace(marketplace).time_zone)
    day = find_day(at, zone) - timedelta(days=1)
    return DayPair(day, day - timedelta(days=period.days))


_PRODUCTS: Final = """
SELECT t.product_id, p.marketplace, p.asin, x.title, t.role,
    t.price_change_percent, t.rank_change_percent
FROM tracking t JOIN product p ON p.id = t.product_id
LEFT JOIN product_text x ON x.product_id = t.product_id
WHERE {scope} AND t.paused_at IS NULL
ORDER BY t.is_primary DESC, (t.role = 'own') DESC, t.product_id LIMIT {limit}
"""
_COUNT: Final = "SELECT count(*) AS number FROM tracking t WHERE {scope} AND t.paused_at IS NULL"


@requires(Permission.READ)
def read_closes(
    session: Session, principal: Principal, scope: ListScope, period: ChangePeriod, at: datetime
) -> tuple[list[ProductCloses], int]:
    """Return the products that are checked, key and own ones first, and how many are left out.

    `at`: the report's moment; each marketplace's day is the last that was over then.
    """
    values = scope_values(principal)
    statement = _PRODUCTS.format(scope=SCOPES[scope], limit=MOST_PRODUCTS)
    rows = _fetch(session, statement, values)
    left_out = 0
    if len(rows) == MOST_PRODUCTS:
        [count] = _fetch(session, _COUNT.format(scope=SCOPES[scope]), values)
        left_out = count.number - len(rows)
    pairs = {code: find_pair(code, period, at) for code in {row.marketplace for row in rows}}
    found: list[ProductCloses] = []
    for first in range(0, len(rows), _CHUNK):
        found += _read_chunk(session, rows[first : first + _CHUNK], pairs)
    return found, left_out


_DAYS: Final = """
SELECT d.product_id, d.day, d.price_close AS price, d.bsr_close AS bsr, d.bsr_category_id,
    d.rating, d.ratings_count, d.availability_close AS availability, d.seller_close AS seller,
    d.looks
FROM unnest(%(ids)s::int8[], %(firsts)s::date[], %(lasts)s::date[]) AS w (id, first, last)
JOIN product_daily d ON d.product_id = w.id AND d.day BETWEEN w.first AND w.last
ORDER BY d.product_id, d.day
"""
_LISTINGS: Final = """
SELECT DISTINCT v.product_id
FROM unnest(%(ids)s::int8[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
    AS w (id, since, until)
JOIN listing_version v ON v.product_id = w.id AND v.first_seen_at >= w.since
    AND v.first_seen_at < w.until
WHERE EXISTS (SELECT 1 FROM listing_version e
    WHERE e.product_id = w.id AND e.first_seen_at < w.since)
"""


def _read_chunk(
    session: Session, rows: Sequence[Any], pairs: Mapping[str, DayPair]
) -> Iterator[ProductCloses]:
    ids = [row.product_id for row in rows]
    of_rows = [pairs[row.marketplace] for row in rows]
    values = {
        "ids": ids,
        "firsts": [pair.then_day - timedelta(days=LOOKBACK_DAYS) for pair in of_rows],
        "lasts": [pair.day for pair in of_rows],
        "starts": [_end_of(row.marketplace, pairs[row.marketplace].then_day) for row in rows],
        "ends": [_end_of(row.marketplace, pairs[row.marketplace].day) for row in rows],
    }
    days = {
        number: list(group)
        for number, group in groupby(_fetch(session, _DAYS, values), key=attrgetter("product_id"))
    }
    new_listings = {row.product_id for row in _fetch(session, _LISTINGS, values)}
    for row, pair in zip(rows, of_rows, strict=True):
        of_product = days.get(row.product_id, [])
        yield ProductCloses(
            ReportProduct(row.product_id, row.marketplace, row.asin, row.title, Role(row.role)),
            (row.price_change_percent, row.rank_change_percent),
            fold_close(of_product, pair.then_day),
            fold_close(of_product, pair.day),
            any(each.looks and each.day > pair.then_day for each in of_product),
            row.product_id in new_listings,
        )


def _end_of(marketplace: str, day: date) -> datetime:
    zone = ZoneInfo(get_marketplace(marketplace).time_zone)
    return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)


def fold_close(days: Sequence[Any], day: date) -> AcceptedValues:
    """Return the values at a day's close: each of the newest day with one, of up to a week before.

    `days`: rows of `product_daily` in their order. A rank keeps the category that it is in.
    """
    first = day - timedelta(days=LOOKBACK_DAYS)
    price = bsr = category = rating = ratings = availability = seller = None
    for each in days:
        if not first <= each.day <= day:
            continue
        price = each.price if each.price is not None else price
        if each.bsr is not None:
            bsr, category = each.bsr, each.bsr_category_id
        rating = each.rating if each.rating is not None else rating
        ratings = each.ratings_count if each.ratings_count is not None else ratings
        availability = each.availability if each.availability is not None else availability
        seller = each.seller if each.seller is not None else seller
    return AcceptedValues(price, bsr, category, rating, ratings, availability, seller)


Line = tuple[int | None, ...]

_LINES: Final = """
SELECT d.product_id, d.day, d.price_close AS price, d.bsr_close AS bsr, d.ratings_count
FROM unnest(%(ids)s::int8[], %(lasts)s::date[]) AS w (id, last)
JOIN product_daily d ON d.product_id = w.id AND d.day BETWEEN w.last - {days} AND w.last
"""


def read_lines(session: Session, days: Mapping[int, date]) -> dict[int, dict[str, Line]]:
    """Return prices, ranks and counts of ratings at each close of 30 days, the given one last.

    `days`: the last day of each product. The names are `price`, `bsr` and `ratings_count`.
    """
    values = {"ids": list(days), "lasts": list(days.values())}
    lines = {
        number: {name: [None] * LINE_DAYS for name in ("price", "bsr", "ratings_count")}
        for number in days
    }
    for row in _fetch(session, _LINES.format(days=LINE_DAYS - 1), values):
        place = LINE_DAYS - 1 - (days[row.product_id] - row.day).days
        for name, line in lines[row.product_id].items():
            line[place] = getattr(row, name)
    return {
        number: {name: tuple(line) for name, line in named.items()}
        for number, named in lines.items()
    }


def _fetch(session: Session, statement: str, values: Mapping[str, Any]) -> list[Any]:
    # Never prepared: a plan made for any number of products is slow.
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()
