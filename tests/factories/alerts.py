"""Alert rules and incidents for tests. Every argument that is left out is an ordinary value."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.evaluation.fold import Finding
from core.alerts.evaluation.memory_json import dump_findings
from core.alerts.models import StoredIncident, StoredRule
from core.alerts.rules.builtin import OPEN_ISSUES, make_threshold_rule
from core.alerts.rules.rule import AlertRule, Comparison, Condition, Subject
from core.alerts.rules.rule_json import dump_rule
from tests.factories.observations import NOON

PRICE_RULE = AlertRule((Condition(Subject.PRICE, Comparison.CHANGED, percent=10),))
BUILTIN_RULES = {each.code: each.rule for each in OPEN_ISSUES}


def add_rule(
    session: Session,
    principal: Principal,
    rule: AlertRule | None = None,
    code: str | None = None,
    **values: Any,
) -> int:
    """Return the id of a team's rule; the one of `code`, with these values, where it has it."""
    if code is not None:
        known = session.scalar(
            select(StoredRule).where(
                StoredRule.team_id == principal.team_id, StoredRule.code == code
            )
        )
        if known is not None:
            for name, value in values.items():
                setattr(known, name, value)
            session.flush()
            return known.id
        rule = rule or BUILTIN_RULES.get(code)
    stored = StoredRule(
        team_id=principal.team_id,
        code=code,
        definition=dump_rule(rule or PRICE_RULE),
        **({"active_from": NOON} | values),
    )
    session.add(stored)
    session.flush()
    return stored.id


def set_team_threshold(session: Session, principal: Principal, code: str, percent: float) -> None:
    """Set the team's default threshold."""
    rule = make_threshold_rule(code, percent)
    add_rule(session, principal, code=code, definition=dump_rule(rule))


def add_incident(
    session: Session,
    principal: Principal,
    product_id: int,
    opened_at: datetime = NOON,
    *,
    rule_id: int | None = None,
    code: str | None = "out_of_stock",
    findings: tuple[Finding | None, ...] | None = None,
    **values: Any,
) -> int:
    """Return the id of an incident that lasts; of the built-in rule `code` unless of `rule_id`."""
    rule_id = rule_id or add_rule(session, principal, code=code)
    usual: dict[str, Any] = {
        "rule_version": 1,
        "state": "firing",
        "severity": "critical",
        "data_version": 1,
    }
    stored = StoredIncident(
        team_id=principal.team_id,
        rule_id=rule_id,
        product_id=product_id,
        opened_at=opened_at,
        findings=dump_findings(findings or (Finding(7, opened_at, 1, NOON),)),
        **(usual | values),
    )
    session.add(stored)
    session.flush()
    return stored.id
