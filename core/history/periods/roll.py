"""Moves kept changes to the next day at each marketplace's midnight. Never commits.

A product is moved whether it was checked or not. Rows that hold for the day already are left
alone, so that a roll may end at any time and begin again, and a missed one is made up for.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.catalog.marketplaces import MARKETPLACES
from core.database.session import driver_connection
from core.history.periods.change_period import MarketDay, find_day, make_market_day
from core.history.periods.product_changes import move_rows

CHUNK: Final = 10_000  # products moved in one transaction: an observation waits for it no longer


def list_due_days(session: Session, now: datetime) -> dict[str, MarketDay]:
    """Return today of the marketplaces with products whose changes hold for an earlier day."""
    days = list_market_days(now)
    values = {"codes": list(days), "days": [each.day for each in days.values()]}
    with driver_connection(session).cursor() as cursor:
        found = cursor.execute(_DUE_MARKETPLACES, values).fetchall()
    return {code: days[code] for (code,) in found}


def list_market_days(now: datetime) -> Mapping[str, MarketDay]:
    """Return today of every marketplace."""
    days = {}
    for code, marketplace in MARKETPLACES.items():
        zone = ZoneInfo(marketplace.time_zone)
        days[code] = make_market_day(find_day(now, zone), zone)
    return days


def roll_products(
    session: Session, marketplace: str, day: MarketDay, after: int, limit: int = CHUNK
) -> list[int]:
    """Move a marketplace's next products to a day and return their ids in order.

    `after`: the largest id of those before.
    """
    values = {"code": marketplace, "after": after, "day": day.day, "limit": limit}
    with driver_connection(session).cursor() as cursor:
        found = cursor.execute(_LOCK_DUE, values).fetchall()
    ids = [product_id for (product_id,) in found]
    move_rows(session, dict.fromkeys(ids, day))
    return ids


_IS_DUE: Final = "(c.day IS NULL OR c.day < {day})"
_DUE_MARKETPLACES: Final = f"""
SELECT d.code FROM unnest(%(codes)s::text[], %(days)s::date[]) AS d (code, day)
WHERE EXISTS (SELECT 1 FROM product AS p JOIN product_change AS c ON c.product_id = p.id
    WHERE p.marketplace = d.code AND {_IS_DUE.format(day="d.day")})
"""
_LOCK_DUE: Final = f"""
SELECT c.product_id FROM product_change AS c JOIN product AS p ON p.id = c.product_id
WHERE p.marketplace = %(code)s AND c.product_id > %(after)s AND {_IS_DUE.format(day="%(day)s")}
ORDER BY c.product_id LIMIT %(limit)s FOR UPDATE OF c
"""
