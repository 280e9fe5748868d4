"""Which rules are for which products: by who tracks them, in which role, with which tags, in views.

Paused products are in no scope. Never commits.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from core.alerts.evaluation.series import Series, list_series
from core.alerts.rules.builtin import PRICE_CHANGE, THRESHOLD_CODES
from core.alerts.rules.queries import TeamRule, make_scope_sql
from core.alerts.rules.rule import AlertRule, RuleScope, ScopeKind
from core.alerts.rules.rule_json import load_rule
from core.alerts.rules.thresholds import with_percent
from core.database.session import driver_connection


@dataclass(frozen=True, slots=True)
class ScopedRule:
    """A team's rule as it is for a product."""

    stored: TeamRule
    rule: AlertRule  # with the product's own threshold
    series: tuple[Series, ...]  # by condition


class _Tracking(NamedTuple):
    """How a team tracks a product. A threshold of None: no user set one."""

    product_id: int
    team_id: int
    is_own: bool
    is_competitor: bool
    price_percent: float | None
    rank_percent: float | None
    has_default_price: bool  # for a user, the rule's own threshold
    has_default_rank: bool


_TRACKINGS: Final = """
SELECT product_id, team_id, bool_or(role = 'own'), bool_or(role = 'competitor'),
    min(price_change_percent)::float8, min(rank_change_percent)::float8,
    bool_or(price_change_percent IS NULL), bool_or(rank_change_percent IS NULL)
FROM tracking
WHERE product_id = ANY(%(products)s) AND team_id = ANY(%(teams)s) AND paused_at IS NULL
GROUP BY product_id, team_id
"""
_TAGS: Final = """
SELECT DISTINCT product_id, team_id, tag FROM tracking CROSS JOIN unnest(tags) AS tag
WHERE product_id = ANY(%(products)s) AND team_id = ANY(%(teams)s) AND paused_at IS NULL
    AND tag = ANY(%(tags)s)
"""


def find_scoped_rules(
    session: Session, rules: Sequence[TeamRule], product_ids: Collection[int]
) -> dict[int, list[ScopedRule]]:
    """Return the rules of each product. A product of no rule has no entry."""
    found: dict[int, list[ScopedRule]] = {}
    if not rules or not product_ids:
        return found
    values = {
        "products": list(product_ids),
        "teams": sorted({each.team_id for each in rules}),
        "tags": sorted({each.rule.scope.tag for each in rules if each.rule.scope.tag}),
    }
    by_team: dict[int, list[TeamRule]] = defaultdict(list)
    for each in rules:
        by_team[each.team_id].append(each)
    connection = driver_connection(session)
    tags: dict[tuple[int, int], set[str]] = defaultdict(set)
    if values["tags"]:
        for product_id, team_id, tag in connection.execute(_TAGS, values):
            tags[product_id, team_id].add(tag)
    named = {each.rule.scope.product_id for each in rules}
    views = _find_views(session, rules, list(product_ids))
    alike: dict[object, list[ScopedRule]] = {}  # most products are tracked alike
    for row in connection.execute(_TRACKINGS, values):
        tracking = _Tracking(*row)
        product_id = tracking.product_id
        own_tags = frozenset(tags.get((product_id, tracking.team_id), ()))
        own_views = frozenset(views.get((product_id, tracking.team_id), ()))
        is_named = product_id in named
        key = (product_id if is_named else None, own_tags, own_views, *tracking[1:])
        if key not in alike:
            alike[key] = _list_rules(by_team[tracking.team_id], tracking, own_tags, own_views)
        if product_id in found:
            found[product_id] = found[product_id] + alike[key]
        elif alike[key]:
            found[product_id] = alike[key]
    return found


def _find_views(
    session: Session, rules: Iterable[TeamRule], product_ids: list[int]
) -> dict[tuple[int, int], set[int]]:
    """Return the views of rules that list these products, by product and team."""
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    named = {
        (each.team_id, each.rule.scope) for each in rules if each.rule.scope.view_id is not None
    }
    for team_id, scope in named:
        sql = make_scope_sql(session, team_id, scope)
        rows = driver_connection(session).execute(
            f"SELECT t.product_id FROM {sql.tables} WHERE {sql.condition} "
            "AND t.product_id = ANY(%(products)s)",
            {**sql.values, "products": product_ids},
        )
        for (product_id,) in rows:
            found[product_id, team_id].add(scope.view_id or 0)
    return found


def _list_rules(
    rules: Iterable[TeamRule],
    tracking: _Tracking,
    tags: Collection[str],
    views: Collection[int],
) -> list[ScopedRule]:
    return [
        ScopedRule(each, rule, list_series(rule, each.team_id))
        for each in rules
        if _is_in_scope(each.rule.scope, tracking, tags, views)
        for rule in [_with_threshold(each, tracking)]
    ]


def _is_in_scope(
    scope: RuleScope, tracking: _Tracking, tags: Collection[str], views: Collection[int]
) -> bool:
    match scope.kind:
        case ScopeKind.PRODUCT:
            return scope.product_id == tracking.product_id
        case ScopeKind.TAG:
            return scope.tag in tags
        case ScopeKind.VIEW:
            return scope.view_id in views
        case ScopeKind.OWN:
            return tracking.is_own
        case ScopeKind.COMPETITORS:
            return tracking.is_competitor
        case ScopeKind.TRACKED:
            return True


def _with_threshold(stored: TeamRule, tracking: _Tracking) -> AlertRule:
    """Return a rule with the lowest threshold that applies to anyone who tracks the product."""
    if stored.code not in THRESHOLD_CODES:
        return stored.rule
    is_price = stored.code == PRICE_CHANGE
    percent = tracking.price_percent if is_price else tracking.rank_percent
    has_default = tracking.has_default_price if is_price else tracking.has_default_rank
    if percent is None:
        return stored.rule
    defaults = [each.percent for each in stored.rule.conditions if each.percent is not None]
    if has_default and defaults and min(defaults) <= percent:
        return stored.rule
    return with_percent(stored.rule, percent)


# The same scopes for all products at once

_IN_SCOPE: Final = """
EXISTS (SELECT 1 FROM tracking AS t WHERE t.team_id = r.team_id AND t.product_id = {product}
    AND t.paused_at IS NULL AND CASE COALESCE(r.definition->'scope'->>'kind', 'own')
        WHEN 'product' THEN t.product_id = (r.definition->'scope'->>'product_id')::int8
        WHEN 'tag' THEN t.tags @> ARRAY[r.definition->'scope'->>'tag']
        WHEN 'own' THEN t.role = 'own'
        WHEN 'competitors' THEN t.role = 'competitor'
        ELSE true END)
"""
_RESOLVE: Final = f"""
UPDATE incident SET state = 'resolved', ended_at = greatest(%(now)s, opened_at)
WHERE id IN (SELECT i.id FROM incident AS i JOIN alert_rule AS r ON r.id = i.rule_id
    WHERE i.state IN ('firing', 'flapping')
        AND NOT (r.is_on AND {_IN_SCOPE.format(product="i.product_id")})
    FOR UPDATE OF i SKIP LOCKED)
"""
_FORGET: Final = f"""
DELETE FROM alert_memory WHERE (rule_id, product_id) IN (
    SELECT m.rule_id, m.product_id FROM alert_memory AS m JOIN alert_rule AS r ON r.id = m.rule_id
    WHERE NOT (r.is_on AND {_IN_SCOPE.format(product="m.product_id")})
    FOR UPDATE OF m SKIP LOCKED)
"""
_STOP: Final = """
DELETE FROM alert_rule_start AS s USING alert_rule AS r WHERE r.id = s.rule_id AND NOT r.is_on
"""
# A view's filter is another statement each time.
_RESOLVE_OUT_OF_VIEW: Final = """
UPDATE incident SET state = 'resolved', ended_at = greatest(%(now)s, opened_at)
WHERE id IN (SELECT i.id FROM incident AS i
    WHERE i.rule_id = %(rule)s AND i.state IN ('firing', 'flapping') AND NOT EXISTS (
        SELECT 1 FROM {tables} WHERE {condition} AND t.product_id = i.product_id)
    FOR UPDATE OF i SKIP LOCKED)
"""
_FORGET_OUT_OF_VIEW: Final = """
DELETE FROM alert_memory WHERE (rule_id, product_id) IN (
    SELECT m.rule_id, m.product_id FROM alert_memory AS m
    WHERE m.rule_id = %(rule)s AND NOT EXISTS (
        SELECT 1 FROM {tables} WHERE {condition} AND t.product_id = m.product_id)
    FOR UPDATE OF m SKIP LOCKED)
"""
_VIEW_RULES: Final = """
SELECT id, team_id, definition FROM alert_rule
WHERE is_on AND definition->'scope'->>'kind' = 'view' ORDER BY id
"""


def resolve_out_of_scope(session: Session, now: datetime) -> int:
    """Resolve the open incidents of rules that are off, and of products that left the scope.

    Returns how many. What the rules kept of those products is deleted; a rule that is switched on
    again begins anew.
    """
    connection = driver_connection(session)
    resolved = connection.execute(_RESOLVE, {"now": now}).rowcount
    connection.execute(_FORGET)
    for rule_id, team_id, definition in connection.execute(_VIEW_RULES).fetchall():
        sql = make_scope_sql(session, team_id, load_rule(definition).scope)
        values = {**sql.values, "now": now, "rule": rule_id}
        parts = {"tables": sql.tables, "condition": sql.condition}
        resolved += connection.execute(_RESOLVE_OUT_OF_VIEW.format(**parts), values).rowcount
        connection.execute(_FORGET_OUT_OF_VIEW.format(**parts), values)
    connection.execute(_STOP)
    return resolved


def list_next_in_scope(session: Session, rule: TeamRule, after: int, limit: int) -> list[int]:
    """Return the next products in a rule's scope, in the order of their ids."""
    sql = make_scope_sql(session, rule.team_id, rule.rule.scope)
    rows = driver_connection(session).execute(
        f"SELECT DISTINCT t.product_id FROM {sql.tables} WHERE {sql.condition} "
        "AND t.product_id > %(after)s ORDER BY t.product_id LIMIT %(limit)s",
        {**sql.values, "after": after, "limit": limit},
    )
    return [number for (number,) in rows]
