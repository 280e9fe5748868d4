"""Counts a team's products and changes by day, and how prices and ranks moved. Never commits.

Closed days only, from the closes of `product_daily`. Computing a day again replaces it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.catalog.marketplaces import get_marketplace
from core.database.bulk_write import execute_with_arrays
from core.database.session import driver_connection
from core.history.accepted_values import DAY_COLUMNS, VALUE_NAMES, AcceptedValues
from core.history.periods.change_detection import find_change, make_change_rule
from core.history.periods.change_period import ChangePeriod
from core.history.periods.index import FEWEST
from core.history.periods.product_changes import LATE_DAYS, base_columns, join_newest_day
from core.history.periods.roll import list_market_days
from core.thresholds import Thresholds
from core.tracking.lists.team_thresholds import TEAM_DEFAULTS


@dataclass(frozen=True, slots=True)
class LateProduct:
    """A product with closed days that changed after they were counted."""

    product_id: int
    since: date
    marked_at: datetime


@dataclass(frozen=True, slots=True)
class DueDays:
    """The days of teams to compute, and what makes them due."""

    closed: Mapping[str, date]  # the newest closed day of each marketplace
    days: list[date]
    late: Sequence[LateProduct]


def find_due_days(session: Session, now: datetime) -> DueDays:
    """Return the days that closed since the last count, and those that changed afterwards."""
    closed = {code: each.day - timedelta(1) for code, each in list_market_days(now).items()}
    counted = session.execute(text("SELECT marketplace, through FROM market_day_count"))
    through: dict[str, date] = {row.marketplace: row.through for row in counted}
    due: set[date] = set()
    for code, newest in closed.items():
        # The first count is of one day: what was stored before is counted where it is late.
        first = max(through.get(code, newest - timedelta(1)), newest - timedelta(LATE_DAYS))
        due |= {first + timedelta(n) for n in range(1, (newest - first).days + 1)}
    late = [LateProduct(*row) for row in session.execute(text(_LATE))]
    if late:
        newest = max(closed.values())
        first = max(min(each.since for each in late), newest - timedelta(LATE_DAYS))
        due |= {first + timedelta(n) for n in range((newest - first).days + 1)}
    return DueDays(closed, sorted(due), late)


_LATE: Final = (
    "SELECT product_id, late_since, late_at FROM product_change WHERE late_since IS NOT NULL "
    "ORDER BY product_id"
)


def compute_day(session: Session, day: date, closed: Mapping[str, date]) -> None:
    """Compute a day of every team anew, in the marketplaces where it is closed."""
    codes = [code for code, newest in closed.items() if day <= newest]
    with driver_connection(session).cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS day_pair")
        zones = [get_marketplace(code).time_zone for code in codes]
        cursor.execute(_PAIRS, {"day": day, "codes": codes, "zones": zones})
        cursor.execute("DELETE FROM team_index_day WHERE day = %s", [day])
        cursor.execute(_INDEX, {"day": day, "fewest": FEWEST})
        cursor.execute("DELETE FROM team_figure_day WHERE day = %s", [day])
        cursor.execute(_FIGURES, {"day": day})
        cursor.execute("DELETE FROM team_change_day WHERE day = %s", [day])
        rows = cursor.execute(_MAY_BE_CHANGED).fetchall()
        cursor.execute("DROP TABLE day_pair")
    execute_with_arrays(session, _COUNT, _find_kinds(rows, day))


def finish_days(session: Session, due: DueDays) -> None:
    """Record that the days were computed; what changed meanwhile stays due."""
    execute_with_arrays(session, _SET_THROUGH, list(due.closed.items()))
    late = [(each.product_id, each.since, each.marked_at) for each in due.late]
    execute_with_arrays(session, _LOCK_LATE, late, fetch=True)
    execute_with_arrays(session, _CLEAR_LATE, late)


_SET_THROUGH: Final = (
    "INSERT INTO market_day_count (marketplace, through) "
    "SELECT * FROM unnest(%s::text[], %s::date[]) ON CONFLICT (marketplace) DO UPDATE "
    "SET through = greatest(market_day_count.through, excluded.through)"
)
_OF_LATE: Final = "unnest(%s::int8[], %s::date[], %s::timestamptz[]) AS n (product_id, since, at) "
# In the order of ids first, as observations lock them.
_LOCK_LATE: Final = (
    f"SELECT c.product_id FROM {_OF_LATE} JOIN product_change AS c "
    "ON c.product_id = n.product_id ORDER BY c.product_id FOR UPDATE OF c"
)
_CLEAR_LATE: Final = (
    f"UPDATE product_change AS c SET late_since = NULL, late_at = NULL FROM {_OF_LATE} "
    "WHERE c.product_id = n.product_id AND c.late_since = n.since AND c.late_at = n.at"
)

_CLOSES: Final = {
    "price": "price_close",
    "bsr": "bsr_close",
    "availability": "availability_close",
    "seller": "seller_close",
}
_NOW: Final = ", ".join(f"d.{_CLOSES.get(name, name)} AS {name}" for name in VALUE_NAMES)
_BASES: Final = ", ".join(f"{sql} AS {name}" for name, sql in base_columns(ChangePeriod.DAY))
_PAIRS: Final = f"""
CREATE TEMP TABLE day_pair ON COMMIT DROP AS
SELECT w.product_id, w.marketplace, {_NOW}, {_BASES}, EXISTS (
    SELECT 1 FROM listing_version v WHERE v.product_id = w.product_id
    AND v.first_seen_at >= w.starts_at AND v.first_seen_at < w.ends_at
    AND EXISTS (SELECT 1 FROM listing_version f WHERE f.product_id = w.product_id
        AND f.first_seen_at < v.first_seen_at)) AS listing_changed
FROM (SELECT p.id AS product_id, p.marketplace, %(day)s::date AS day,
        %(day)s::date::timestamp AT TIME ZONE z.zone AS starts_at,
        (%(day)s::date + 1)::timestamp AT TIME ZONE z.zone AS ends_at
    FROM product AS p JOIN unnest(%(codes)s::text[], %(zones)s::text[]) AS z (code, zone)
        ON z.code = p.marketplace) AS w
JOIN product_daily AS d ON d.product_id = w.product_id AND d.day = w.day
{join_newest_day(ChangePeriod.DAY)}
WHERE EXISTS (SELECT 1 FROM tracking t WHERE t.product_id = w.product_id AND t.is_first)
"""
_INDEX: Final = """
INSERT INTO team_index_day
    (team_id, day, role, price_ratio, price_products, rank_ratio, rank_products)
SELECT t.team_id, %(day)s, t.role,
    CASE WHEN count(r.price) >= %(fewest)s
        THEN exp(percentile_cont(0.5) WITHIN GROUP (ORDER BY r.price)) END, count(r.price),
    CASE WHEN count(r.rank) >= %(fewest)s
        THEN exp(percentile_cont(0.5) WITHIN GROUP (ORDER BY r.rank)) END, count(r.rank)
FROM (SELECT product_id,
        CASE WHEN price > 0 AND day_price > 0 THEN ln(price::float8 / day_price) END AS price,
        CASE WHEN bsr > 0 AND day_bsr > 0 AND bsr_category_id = day_bsr_category_id
            THEN ln(bsr::float8 / day_bsr) END AS rank
    FROM day_pair) AS r
JOIN tracking AS t ON t.product_id = r.product_id AND t.is_first
    AND t.role IN ('own', 'competitor')
GROUP BY t.team_id, t.role
"""
_FIGURES: Final = """
INSERT INTO team_figure_day
    (team_id, day, marketplace, role, availability, seller, products, rated, ratings_sum)
SELECT t.team_id, %(day)s, d.marketplace, t.role, coalesce(d.availability, 0),
    CASE WHEN t.role = 'own' THEN coalesce(d.seller, '') ELSE '' END,
    count(*), count(d.rating), coalesce(sum(d.rating), 0)
FROM day_pair AS d
JOIN tracking AS t ON t.product_id = d.product_id AND t.is_first
GROUP BY 1, 2, 3, 4, 5, 6
"""
# Wider than `find_change`, never narrower: it skips products that did not change.
_MAY_BE_CHANGED: Final = f"""
SELECT t.team_id, d.product_id, h.price_percent, h.rank_percent, d.listing_changed,
    {", ".join(f"d.{name}" for name in (*VALUE_NAMES, *DAY_COLUMNS))}
FROM day_pair AS d
JOIN tracking AS t ON t.product_id = d.product_id AND t.is_first
JOIN ({TEAM_DEFAULTS}) AS s ON s.team_id = t.team_id
CROSS JOIN LATERAL (SELECT coalesce(t.price_change_percent, s.price_percent) AS price_percent,
    coalesce(t.rank_change_percent, s.rank_percent) AS rank_percent) AS h
WHERE abs(d.price - d.day_price) >= d.day_price * h.price_percent::float8 * 0.00999
    OR greatest(d.bsr, d.day_bsr)
        >= least(d.bsr, d.day_bsr) * (1 + h.rank_percent::float8 * 0.00999)
    OR d.ratings_count <= d.day_ratings_count * (1 - 0.0499)
    OR d.availability <> d.day_availability OR d.seller <> d.day_seller OR d.listing_changed
"""
_COUNT: Final = """
INSERT INTO team_change_day (team_id, day, marketplace, role, kind, products)
SELECT t.team_id, n.day, p.marketplace, t.role, n.kind, count(*)
FROM unnest(%s::int8[], %s::int8[], %s::date[], %s::text[]) AS n (team_id, product_id, day, kind)
JOIN product AS p ON p.id = n.product_id
JOIN tracking AS t ON t.product_id = n.product_id AND t.team_id = n.team_id AND t.is_first
GROUP BY t.team_id, n.day, p.marketplace, t.role, n.kind
"""


def _find_kinds(rows: Collection[Sequence[Any]], day: date) -> list[tuple[int, int, date, str]]:
    """Return the worst change of each team's products on a day, by the team's thresholds."""
    found = []
    for team_id, product_id, price_percent, rank_percent, listing_changed, *values in rows:
        rule = make_change_rule(Thresholds(price_percent, rank_percent))
        now = AcceptedValues(*values[: len(VALUE_NAMES)])
        then = AcceptedValues(*values[len(VALUE_NAMES) :])
        kind, _ = find_change(then, now, listing_changed, rule)
        if kind is not None:
            found.append((team_id, product_id, day, kind.value))
    return found
