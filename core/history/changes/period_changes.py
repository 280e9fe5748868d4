"""Changes of tracked products over a day, a week or a month, from the kept ones. SELECTs only."""

from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.errors import InvalidInputError
from core.history.accepted_values import CURRENT_COLUMNS, VALUE_NAMES, AcceptedValues
from core.history.changes.change_query import ORDER_VALUES, ChangeQuery, ChangesPage
from core.history.changes.change_rows import (
    NOW,
    SMALLEST_LOSS,
    FoundChanges,
    current_values,
    fetch_rows,
    find_notable,
    format_least,
    make_changed_product,
    make_values,
)
from core.history.changes.comparison import ChangedProduct, find_notable_change
from core.history.observation import Availability
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import find_movers
from core.history.periods.roll import list_market_days
from core.tracking.list_filter import ListFilter
from core.tracking.lists.list_filter_sql import PRICE_PERCENT, RANK_PERCENT, SCOPES, scope_values
from core.tracking.lists.team_thresholds import read_team_thresholds


@requires(Permission.READ)
def list_by_value(
    session: Session, principal: Principal, query: ChangeQuery, offset: int, size: int
) -> ChangesPage:
    """Return the products with a change of one value, by its size."""
    if query.period is None:
        raise InvalidInputError("An order by a value needs `period`: day, week or month.")
    if query.kinds:
        raise InvalidInputError("`kinds` need the order worst or newest.")
    page = find_movers(
        session,
        principal,
        ListFilter(roles=query.roles, scope=query.scope),
        query.period,
        ORDER_VALUES[query.order],
        is_descending=query.is_descending,
        skipped=offset,
        size=size,
    )
    rows = read_period_details(session, principal, query, query.period, page.product_ids)
    return ChangesPage(rows, page.total)


_THEN_OF_PERIOD: Final = {
    period: ", ".join(f"c.{period}_{name} AS then_{name}" for name in VALUE_NAMES)
    for period in ChangePeriod
}
MARKETS: Final = "unnest(%(codes)s::text[], %(starts)s::timestamptz[]) AS m (code, starts_at)"
_LISTING_CHANGED_IN_PERIOD: Final = """
(l.listing_changed_at >= m.starts_at AND EXISTS (
    SELECT 1 FROM listing_version v
    WHERE v.product_id = l.product_id AND v.first_seen_at < m.starts_at))
"""
# Wider than the check in Python, never narrower, as `_MAY_BE_OF_NOTE`.
_CHANGED_FROM: Final = f"""
FROM tracking t
JOIN product p ON p.id = t.product_id
JOIN {MARKETS} ON m.code = p.marketplace
JOIN product_latest l ON l.product_id = t.product_id AND l.captured_at >= m.starts_at
JOIN product_change c ON c.product_id = t.product_id
WHERE {{scope}} AND (abs(c.{{period}}_price_change) >= {format_least(PRICE_PERCENT)}
    OR abs(c.{{period}}_rank_change) >= ln(1 + {format_least(RANK_PERCENT)})
    OR -c.{{period}}_ratings_change >= c.{{period}}_ratings_count * {SMALLEST_LOSS}
    OR l.availability <> c.{{period}}_availability OR c.{{period}}_seller_changed
    OR l.listing_changed_at >= m.starts_at)
"""
_CHANGED_IN_PERIOD: Final = f"""
SELECT l.product_id, l.captured_at, t.price_change_percent, t.rank_change_percent,
    {", ".join(f"l.{name}" for name in CURRENT_COLUMNS)}, {{then}},
    {_LISTING_CHANGED_IN_PERIOD} AS listing_changed
{_CHANGED_FROM}
"""


_CANDIDATES: Final = 4  # times as many as are listed: the score in SQL is a little rougher
# As `change_detection.find_change`: worst first, by what it costs.
_SCORE: Final = f"""
greatest(
    CASE WHEN l.availability <> c.{{period}}_availability THEN CASE l.availability
        WHEN {int(Availability.GONE)} THEN 100 WHEN {int(Availability.UNAVAILABLE)} THEN 90
        WHEN {int(Availability.NO_OFFERS)} THEN 90
        WHEN {int(Availability.BUY_BOX_SUPPRESSED)} THEN 81 ELSE 15 END END,
    CASE WHEN c.{{period}}_seller_changed THEN 85 END,
    CASE WHEN -c.{{period}}_ratings_change >= c.{{period}}_ratings_count * {SMALLEST_LOSS}
        THEN 70 END,
    CASE WHEN c.{{period}}_rank_change >= ln(1 + {format_least(RANK_PERCENT)})
        THEN least(69, 40 + 10 * c.{{period}}_rank_change) END,
    CASE WHEN l.listing_changed_at >= m.starts_at THEN 30 END,
    CASE WHEN abs(c.{{period}}_price_change) >= {format_least(PRICE_PERCENT)}
        THEN least(39, 20 + 20 * abs(c.{{period}}_price_change)) END,
    0)
"""
_WORST_IN_PERIOD: Final = f"""
SELECT l.product_id {_CHANGED_FROM}
ORDER BY {_SCORE} DESC, l.product_id DESC LIMIT %(size)s
"""


@requires(Permission.READ)
def list_worst_changes(
    session: Session,
    principal: Principal,
    query: ChangeQuery,
    product_ids: Sequence[int],
    size: int,
) -> list[ChangedProduct]:
    """Return at most `size` of some products that changed over a period, worst first."""
    if query.period is None or not product_ids:
        return []
    scope = f"{SCOPES[query.scope]} AND t.product_id = ANY(%(ids)s)"
    statement = _WORST_IN_PERIOD.format(period=query.period, scope=scope)
    values = scope_values(principal) | make_period_values(query.period)
    values |= {"ids": list(product_ids), "size": _CANDIDATES * size}
    found = [row.product_id for row in fetch_rows(session, statement, values)]
    return read_period_details(session, principal, query, query.period, found)[:size]


@requires(Permission.READ)
def compare_with_close(
    session: Session,
    principal: Principal,
    query: ChangeQuery,
    period: ChangePeriod,
) -> FoundChanges:
    """Return the products that changed over a period."""
    conditions = [SCOPES[query.scope]]
    if query.roles:
        conditions.append("t.role = ANY(%(roles)s)")
    statement = _CHANGED_IN_PERIOD.format(
        period=period, then=_THEN_OF_PERIOD[period], scope=" AND ".join(conditions)
    )
    values = scope_values(principal) | make_values(query) | make_period_values(period)
    team = read_team_thresholds(session, principal.team_id)
    rows = fetch_rows(session, statement, values)
    return find_notable(rows, _values_then, query, team)


def make_period_values(period: ChangePeriod) -> dict[str, Any]:
    """Return the marketplaces, and when the period began in each."""
    days = list_market_days(datetime.now(UTC))
    place = list(ChangePeriod).index(period)
    return {"codes": list(days), "starts": [each.starts[place] for each in days.values()]}


_then_values_of = attrgetter(*(f"then_{name}" for name in VALUE_NAMES))


def _values_then(row: Any) -> AcceptedValues:
    return AcceptedValues(*_then_values_of(row))


_PERIOD_DETAILS = f"""
SELECT p.id AS product_id, p.marketplace, p.asin, p.is_demo, x.title, t.role, t.tags,
    t.price_change_percent, t.rank_change_percent, l.captured_at, g.name AS bsr_category,
    {NOW}, {{then}}, c.day - {{days}} AS then_day, {_LISTING_CHANGED_IN_PERIOD} AS listing_changed
FROM unnest(%(ids)s::int8[]) WITH ORDINALITY AS o (id, place)
JOIN product p ON p.id = o.id
JOIN {MARKETS} ON m.code = p.marketplace
JOIN tracking t ON t.product_id = o.id AND {{scope}}
JOIN product_latest l ON l.product_id = o.id
JOIN product_change c ON c.product_id = o.id
LEFT JOIN product_text x ON x.product_id = o.id
LEFT JOIN category g ON g.id = l.bsr_category_id
WHERE c.day IS NOT NULL
ORDER BY o.place
"""


@requires(Permission.READ)
def read_period_details(
    session: Session,
    principal: Principal,
    query: ChangeQuery,
    period: ChangePeriod,
    ids: Sequence[int],
) -> list[ChangedProduct]:
    """Return the products of these ids, in their order, with their worst changes."""
    statement = _PERIOD_DETAILS.format(
        then=_THEN_OF_PERIOD[period], days=period.days, scope=SCOPES[query.scope]
    )
    values = (
        scope_values(principal) | make_values(query) | make_period_values(period) | {"ids": ids}
    )
    team = read_team_thresholds(session, principal.team_id)
    changes = []
    for row in fetch_rows(session, statement, values):
        then, now = _values_then(row), current_values(row)
        thresholds = team.with_own(row.price_change_percent, row.rank_change_percent)
        notable = find_notable_change(then, now, row.listing_changed, thresholds)
        kind = None if notable is None else notable[0]
        if kind is not None or query.order in ORDER_VALUES:
            changes.append(make_changed_product(row, then, now, kind, row.then_day))
    return changes
