"""Evaluates alert rules in tests. Times are long after the rules became active."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.engine.cursors import list_changed_products
from core.alerts.engine.evaluate_products import EvaluationCount, evaluate_products
from core.alerts.models import StoredIncident, StoredRule
from core.alerts.rules.rule import AlertRule, Condition, RuleScope, ScopeKind
from core.alerts.rules.rule_json import dump_rule
from tests.factories.observations import NOON, store_observation
from tests.factories.products import LAMP

TRACKED = RuleScope(ScopeKind.TRACKED)
LONG_AGO = NOON - timedelta(days=365)


def add_tracked_rule(
    session: Session,
    principal: Principal,
    *conditions: Condition,
    code: str | None = None,
    active_from: datetime = LONG_AGO,
    is_started: bool = True,
    **values: Any,
) -> int:
    """Store a rule of the team, for all products it tracks, and return its id."""
    rule = AlertRule(conditions, **({"scope": TRACKED} | values))
    stored = StoredRule(
        team_id=principal.team_id,
        code=code,
        definition=dump_rule(rule),
        active_from=active_from,
        started_at=active_from if is_started else None,
    )
    session.add(stored)
    session.flush()
    return stored.id


def switch_rules_off(session: Session) -> None:
    """Switch off the rules that every team has, so that a test has only its own."""
    session.execute(update(StoredRule).values(is_on=False))


def evaluate_new(session: Session, now: datetime) -> EvaluationCount:
    """Evaluate every product with new data."""
    changed = [number for number, _ in list_changed_products(session, 0, 1000)]
    count = evaluate_products(session, changed, now)
    assert list_changed_products(session, 0, 1000) == []
    return count


def observe(session: Session, hour: float, asin: str = LAMP, **values: Any) -> None:
    """Store an observation of so many hours after noon, and evaluate it a minute later."""
    at = NOON + timedelta(hours=hour)
    store_observation(session, at, asin, **values)
    evaluate_new(session, at + timedelta(minutes=1))


def list_incidents(session: Session) -> list[StoredIncident]:
    """Return all incidents as they are now, in the order of their openings."""
    session.expire_all()
    found = select(StoredIncident).order_by(StoredIncident.opened_at, StoredIncident.rule_id)
    return list(session.scalars(found))
