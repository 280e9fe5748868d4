"""Which of a team's rules are for a product."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.engine.scopes import find_scoped_rules
from core.alerts.rules.queries import TeamRule
from core.alerts.rules.rule import AlertRule, Comparison, Condition, RuleScope, ScopeKind, Subject
from core.tracking.rules import Role
from core.tracking.service import pause
from tests.factories.people import add_colleague, add_stranger
from tests.factories.products import KETTLE, LAMP, track_products

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def make_rule(number: int, team_id: int, scope: RuleScope) -> TeamRule:
    rule = AlertRule((Condition(Subject.PRICE, Comparison.DIFFERS),), scope=scope)
    return TeamRule(number, team_id, None, None, rule, 1, True, NOON, NOON)


def test_a_rule_is_for_the_products_of_its_scope_alone(
    session: Session, principal: Principal
) -> None:
    colleague, stranger = add_colleague(session, principal), add_stranger(session)
    [lamp] = track_products(session, principal, [LAMP], role=Role.OWN)
    # It counts for every member who tracks it, in any role.
    track_products(session, colleague, [LAMP], tags=("season",))
    [rival] = track_products(session, colleague, [KETTLE], role=Role.COMPETITOR)
    # Two that are tracked alike: a rule for one of them is not the other's.
    alike = track_products(session, principal, ["B0TEST1000", "B0TEST1001"], tags=("other",))
    other = alike[1]
    [paused] = track_products(session, principal, ["B0TEST1002"], role=Role.OWN, tags=("season",))
    pause(session, principal, [paused])
    [theirs] = track_products(session, stranger, ["B0TEST1003"], role=Role.OWN)
    scopes = {
        RuleScope(ScopeKind.OWN): {lamp},
        RuleScope(ScopeKind.COMPETITORS): {rival},
        RuleScope(ScopeKind.TRACKED): {lamp, rival, *alike},
        RuleScope(ScopeKind.TAG, tag="season"): {lamp},
        RuleScope(ScopeKind.TAG, tag="seaso"): set(),
        RuleScope(ScopeKind.PRODUCT, product_id=other): {other},
        RuleScope(ScopeKind.PRODUCT, product_id=paused): set(),
    }
    rules = [make_rule(n, principal.team_id, scope) for n, scope in enumerate(scopes)]
    asked = [lamp, rival, *reversed(alike), paused, theirs]
    for_products = find_scoped_rules(session, rules, asked)
    found = {
        rule.rule.scope: {
            number
            for number, of_product in for_products.items()
            if rule in [each.stored for each in of_product]
        }
        for rule in rules
    }
    assert found == scopes
