"""Begins rules that were made, changed or switched on, for all products in their scope.

A rule is evaluated for the last 30 days of each product, some products at a time; what lasts is
recorded and never sent. How far that came is stored, so that it goes on after a crash. Until a
product's turn, its new observations are not evaluated for the rule. Never commits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.alerts.engine.cursors import NEVER, lock_cursors
from core.alerts.engine.replays import replay_rule
from core.alerts.engine.scopes import ScopedRule, find_scoped_rules, list_next_in_scope
from core.alerts.models import RuleStart, StoredRule
from core.alerts.rules.queries import TeamRule, read_active_rules


@dataclass(frozen=True, slots=True)
class StartedRules:
    """How far the rules that have not begun everywhere came, by their ids."""

    until: Mapping[int, int]

    def select(
        self, rules: Sequence[TeamRule], scoped: Mapping[int, Sequence[ScopedRule]]
    ) -> Mapping[int, Sequence[ScopedRule]]:
        """Return each product's rules without those that have not begun for it."""
        if all(each.started_at is not None for each in rules):
            return scoped
        return {
            number: [each for each in of_product if self.includes(each.stored, number)]
            for number, of_product in scoped.items()
        }

    def includes(self, rule: TeamRule, product_id: int) -> bool:
        """Return whether a rule has begun for a product."""
        return rule.started_at is not None or product_id <= self.until.get(rule.rule_id, 0)


def read_started(session: Session, rules: Sequence[TeamRule]) -> StartedRules:
    """Return for which products rules have begun."""
    versions = {each.rule_id: each.version for each in rules if each.started_at is None}
    if not versions:
        return StartedRules({})
    rows = session.execute(
        select(RuleStart.rule_id, RuleStart.rule_version, RuleStart.until_product).where(
            RuleStart.rule_id.in_(versions)
        )
    )
    return StartedRules(
        {rule_id: until for rule_id, version, until in rows if versions[rule_id] == version}
    )


def list_unstarted_rules(session: Session) -> list[int]:
    """Return the rules that are on and have not begun for all products."""
    found = select(StoredRule.id).where(StoredRule.is_on, StoredRule.started_at.is_(None))
    return list(session.scalars(found.order_by(StoredRule.id)))


def start_rule(session: Session, rule_id: int, limit: int, now: datetime) -> bool:
    """Begin a rule for its next products, at most `limit`; return whether there may be more."""
    stored = session.scalars(
        select(StoredRule).where(StoredRule.id == rule_id).with_for_update(key_share=True)
    ).one_or_none()
    if stored is None or not stored.is_on or stored.started_at is not None:
        return False
    [rule] = [each for each in read_active_rules(session) if each.rule_id == rule_id]
    until = read_started(session, [rule]).until.get(rule_id, 0)
    products = list_next_in_scope(session, rule, until, limit)
    if not products:
        session.execute(delete(RuleStart).where(RuleStart.rule_id == rule_id))
        session.execute(update(StoredRule).where(StoredRule.id == rule_id).values(started_at=now))
        return False
    cursors = lock_cursors(session, products, wait=True)
    # One that was never evaluated is evaluated for all of its rules at once.
    known = [each for each in cursors if each.evaluated_version != NEVER]
    scoped = find_scoped_rules(session, [rule], [each.product_id for each in known])
    replay_rule(session, known, scoped, now)
    new = insert(RuleStart).values(
        rule_id=rule_id, rule_version=rule.version, until_product=products[-1]
    )
    session.execute(
        new.on_conflict_do_update(
            index_elements=["rule_id"],
            set_={
                "rule_version": new.excluded.rule_version,
                "until_product": new.excluded.until_product,
            },
        )
    )
    return True
