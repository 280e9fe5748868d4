"""SELECTs on alert rules, and on the products that they are for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.models import StoredRule
from core.alerts.rules.builtin import without_own_sellers
from core.alerts.rules.rule import AlertRule, RuleScope, ScopeKind
from core.alerts.rules.rule_json import load_rule
from core.catalog.marketplaces import get_marketplace
from core.database.session import driver_connection
from core.errors import NotFoundError
from core.tracking.lists.list_filter_sql import make_filter_of
from core.tracking.sellers.models import OwnSellerRow
from core.tracking.views.queries import find_team_view


@dataclass(frozen=True, slots=True)
class TeamRule:
    """A team's rule as it is stored."""

    rule_id: int
    team_id: int
    code: str | None  # of a built-in rule or a threshold; None: the team's own
    name: str | None  # None: its sentence is its name
    rule: AlertRule
    version: int
    is_on: bool
    active_from: datetime  # nothing from before is sent
    started_at: datetime | None  # None: its products were not evaluated yet


def read_active_rules(session: Session) -> list[TeamRule]:
    """Return the rules of all teams that are switched on, in the order of their ids.

    A team that named no own sellers has its rules as `without_own_sellers` gives them.
    """
    with_sellers = set(session.scalars(select(OwnSellerRow.team_id).distinct()))
    found = session.scalars(select(StoredRule).where(StoredRule.is_on).order_by(StoredRule.id))
    rules = [make_team_rule(each) for each in found]
    return [
        each if each.team_id in with_sellers else replace(each, rule=without_own_sellers(each.rule))
        for each in rules
    ]


@requires(Permission.READ)
def list_rules(session: Session, principal: Principal) -> list[TeamRule]:
    """Return all rules of the team: the built-in ones, the thresholds, then its own."""
    found = session.scalars(
        select(StoredRule)
        .where(StoredRule.team_id == principal.team_id)
        .order_by(StoredRule.code.is_(None), StoredRule.id)
        .execution_options(populate_existing=True)
    )
    return [make_team_rule(each) for each in found]


@requires(Permission.READ)
def get_rule(session: Session, principal: Principal, rule_id: int) -> TeamRule:
    """Return a rule of the team. Raises NotFoundError."""
    for each in list_rules(session, principal):
        if each.rule_id == rule_id:
            return each
    raise NotFoundError("This alert rule does not exist (any more).")


def make_team_rule(stored: StoredRule) -> TeamRule:
    """Return a rule from its row."""
    return TeamRule(
        rule_id=stored.id,
        team_id=stored.team_id,
        code=stored.code,
        name=stored.name,
        rule=load_rule(stored.definition),
        version=stored.version,
        is_on=stored.is_on,
        active_from=stored.active_from,
        started_at=stored.started_at,
    )


_KINDS: Final = {
    ScopeKind.PRODUCT: "t.product_id = %(scope_product)s",
    ScopeKind.TAG: "t.tags @> ARRAY[%(scope_tag)s::text]",
    ScopeKind.OWN: "t.role = 'own'",
    ScopeKind.COMPETITORS: "t.role = 'competitor'",
    ScopeKind.TRACKED: "true",
}
_IS_ACTIVE: Final = """
EXISTS (SELECT 1 FROM tracking AS active WHERE active.team_id = t.team_id
    AND active.product_id = t.product_id AND active.paused_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class ScopeSql:
    """Which rows of `tracking t` are in a scope. A product may have several rows."""

    tables: str
    condition: str
    values: Mapping[str, Any]


_NOTHING: Final = ScopeSql("tracking t", "false", {})


def make_scope_sql(session: Session, team_id: int, scope: RuleScope) -> ScopeSql:
    """Return a scope of a team's rule as SQL. Paused products are in no scope.

    A view is its filter as it is now: of the team's list, or of the products that the user who
    saved it tracks. A deleted view has no products, nor one that filters by what checks change: a
    product would leave it by the change that the rule is to report.
    """
    if scope.view_id is not None:
        return _make_view_sql(session, team_id, scope.view_id)
    return ScopeSql(
        "tracking t",
        f"t.team_id = %(team)s AND t.paused_at IS NULL AND {_KINDS[scope.kind]}",
        {"team": team_id, "scope_product": scope.product_id, "scope_tag": scope.tag},
    )


def _make_view_sql(session: Session, team_id: int, view_id: int) -> ScopeSql:
    view = find_team_view(session, team_id, view_id)
    if view is None or view.follows_values:
        return _NOTHING
    filtered = make_filter_of(view.person_id, team_id, view.definition.list_filter)
    condition = f"t.team_id = %(team)s AND {filtered.conditions} AND {_IS_ACTIVE}"
    return ScopeSql(filtered.from_tables(), condition, filtered.values)


@dataclass(frozen=True, slots=True)
class Reach:
    """The products that a scope has now."""

    products: int
    currencies: tuple[str, ...]  # of their marketplaces, sorted


_REACH: Final = """
SELECT p.marketplace, count(*) FROM (SELECT DISTINCT t.product_id FROM {tables} WHERE {condition})
    AS s JOIN product AS p ON p.id = s.product_id
GROUP BY p.marketplace
"""
# Any of them, but the same each time.
_SAMPLE: Final = """
SELECT product_id FROM (SELECT DISTINCT t.product_id FROM {tables} WHERE {condition}) AS s
ORDER BY hashint8(product_id) LIMIT %(size)s
"""
_ANY: Final = """
SELECT p.marketplace, p.asin, x.title
FROM (SELECT t.product_id FROM {tables} WHERE {condition} LIMIT 1) AS s
JOIN product AS p ON p.id = s.product_id
LEFT JOIN product_text AS x ON x.product_id = p.id
"""


def read_reach(session: Session, team_id: int, scope: RuleScope) -> Reach:
    """Return how many products a scope has now; paused ones are in none."""
    counts = _fetch_scope(session, team_id, scope, _REACH)
    currencies = {get_marketplace(marketplace).currency for marketplace, _ in counts}
    return Reach(sum(count for _, count in counts), tuple(sorted(currencies)))


def sample_reach(session: Session, team_id: int, scope: RuleScope, size: int) -> list[int]:
    """Return the products that a scope has now, or of more than `size` a sample."""
    return [number for (number,) in _fetch_scope(session, team_id, scope, _SAMPLE, size)]


@dataclass(frozen=True, slots=True)
class ReachedProduct:
    """One of the products in a scope."""

    marketplace: str
    asin: str
    title: str | None


def find_reached_product(session: Session, team_id: int, scope: RuleScope) -> ReachedProduct | None:
    """Return any product that a scope has now; None: it has none."""
    rows = _fetch_scope(session, team_id, scope, _ANY)
    return ReachedProduct(*rows[0]) if rows else None


def _fetch_scope(
    session: Session, team_id: int, scope: RuleScope, statement: str, size: int | None = None
) -> list[Any]:
    sql = make_scope_sql(session, team_id, scope)
    statement = statement.format(tables=sql.tables, condition=sql.condition)
    return driver_connection(session).execute(statement, {**sql.values, "size": size}).fetchall()
