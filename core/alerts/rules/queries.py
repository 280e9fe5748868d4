"""SELECTs on alert rules."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.alerts.models import StoredRule
from core.alerts.rules.rule import AlertRule
from core.alerts.rules.rule_json import load_rule


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
    """Return the rules of all teams that are switched on, in the order of their ids."""
    found = session.scalars(select(StoredRule).where(StoredRule.is_on).order_by(StoredRule.id))
    return [_make_team_rule(each) for each in found]


def _make_team_rule(stored: StoredRule) -> TeamRule:
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
