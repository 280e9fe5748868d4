"""SELECTs on alert rules, and on the products that they are for."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.models import StoredRule
from core.alerts.rules.builtin import without_own_sellers
from core.alerts.rules.rule import AlertRule, RuleScope
from core.alerts.rules.rule_json import load_rule
from core.catalog.marketplaces import get_marketplace
from core.errors import NotFoundError
from core.tracking.sellers.models import OwnSellerRow


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


@dataclass(frozen=True, slots=True)
class Reach:
    """The products that a scope has now."""

    products: int
    currencies: tuple[str, ...]  # of their marketplaces, sorted


_IN_SCOPE: Final = """
t.team_id = :team AND t.paused_at IS NULL AND CASE :kind
    WHEN 'product' THEN t.product_id = :product
    WHEN 'tag' THEN t.tags @> ARRAY[CAST(:tag AS text)]
    WHEN 'own' THEN t.role = 'own'
    WHEN 'competitors' THEN t.role = 'competitor'
    ELSE true END
"""
_REACH = text(f"""
SELECT p.marketplace, count(DISTINCT t.product_id) AS products
FROM tracking t JOIN product p ON p.id = t.product_id
WHERE {_IN_SCOPE}
GROUP BY p.marketplace
""")
# Any of them, but the same each time.
_SAMPLE = text(f"""
SELECT product_id FROM (SELECT DISTINCT t.product_id FROM tracking t WHERE {_IN_SCOPE}) AS p
ORDER BY hashint8(product_id) LIMIT :size
""")

_ANY = text(f"""
SELECT p.marketplace, p.asin, x.title
FROM tracking t JOIN product p ON p.id = t.product_id
LEFT JOIN product_text x ON x.product_id = p.id
WHERE {_IN_SCOPE} LIMIT 1
""")


def read_reach(session: Session, team_id: int, scope: RuleScope) -> Reach:
    """Return how many products a scope has now; paused ones are in none."""
    found = session.execute(_REACH, _scope_values(team_id, scope)).all()
    currencies = {get_marketplace(row.marketplace).currency for row in found}
    return Reach(sum(row.products for row in found), tuple(sorted(currencies)))


def sample_reach(session: Session, team_id: int, scope: RuleScope, size: int) -> list[int]:
    """Return the products that a scope has now, or of more than `size` a sample."""
    values = {**_scope_values(team_id, scope), "size": size}
    return list(session.scalars(_SAMPLE, values))


@dataclass(frozen=True, slots=True)
class ReachedProduct:
    """One of the products in a scope."""

    marketplace: str
    asin: str
    title: str | None


def find_reached_product(session: Session, team_id: int, scope: RuleScope) -> ReachedProduct | None:
    """Return any product that a scope has now; None: it has none."""
    row = session.execute(_ANY, _scope_values(team_id, scope)).first()
    return None if row is None else ReachedProduct(*row)


def _scope_values(team_id: int, scope: RuleScope) -> dict[str, object]:
    return {
        "team": team_id,
        "kind": scope.kind.value,
        "product": scope.product_id,
        "tag": scope.tag,
    }
