"""A team's alert rules with what they did lately. SELECTs only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.rules.queries import ReachedProduct, TeamRule, find_reached_product, list_rules
from core.alerts.rules.rule import AMOUNTS, AlertRule, RuleScope, ScopeKind
from core.alerts.rules.sentences import describe_rule, name_rule
from core.alerts.rules.thresholds import Threshold, find_threshold
from core.tracking.sellers.queries import read_own_sellers
from core.tracking.views.queries import find_team_view
from core.tracking.views.rules import TeamView

LATELY: Final = timedelta(days=30)
_USUAL_MARKETPLACE: Final = "US"  # of amounts in examples, while the team tracks nothing


@dataclass(frozen=True, slots=True)
class RuleActivity:
    """What a rule did. Withdrawn incidents, and those from before it, don't count."""

    fired: int  # incidents of the last 30 days
    last_fired_at: datetime | None  # None: never
    open: int  # incidents that last, also muted ones
    older: int  # of these, those that began before the rule


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule with all that its sentence and its list need."""

    stored: TeamRule
    activity: RuleActivity
    marketplace: str  # whose currency and formats its amounts have
    product: ReachedProduct | None  # of a rule for one product
    has_own_sellers: bool
    view: TeamView | None = None  # of a rule for a saved view; None: it was deleted
    made_by: str | None = None  # None: built in, or by a former user

    @property
    def threshold(self) -> Threshold | None:
        """Return the rule's threshold; None: it has none, or several."""
        return find_threshold(self.stored.rule)

    def format_name(self) -> str:
        """Return the rule's name."""
        stored = self.stored
        return name_rule(
            stored.code,
            stored.name,
            stored.rule,
            self.marketplace,
            has_own_sellers=self.has_own_sellers,
        )

    def format_sentence(self) -> str:
        """Return what the rule watches, as sentences with an example."""
        product = self.product
        return describe_rule(
            self.stored.rule,
            self.marketplace,
            has_own_sellers=self.has_own_sellers,
            product=None if product is None else product.title or product.asin,
            view=self.view,
        )


_ACTIVITY = text("""
SELECT r.id,
    (SELECT count(*) FROM incident AS i WHERE i.rule_id = r.id AND i.opened_at >= :since
        AND i.state <> 'withdrawn' AND i.silent_reason IS DISTINCT FROM 'before_rule') AS fired,
    (SELECT i.opened_at FROM incident AS i WHERE i.rule_id = r.id
        AND i.state <> 'withdrawn' AND i.silent_reason IS DISTINCT FROM 'before_rule'
        ORDER BY i.opened_at DESC LIMIT 1) AS last_fired_at,
    coalesce(o.number, 0) AS open, coalesce(o.older, 0) AS older,
    (SELECT p.name FROM person AS p WHERE p.id = r.created_by) AS made_by
FROM alert_rule AS r
LEFT JOIN (SELECT i.rule_id, count(*) AS number,
        count(*) FILTER (WHERE i.silent_reason = 'before_rule') AS older FROM incident AS i
    WHERE i.team_id = :team AND i.state IN ('firing', 'flapping') GROUP BY 1) AS o
    ON o.rule_id = r.id
WHERE r.team_id = :team
""")


@requires(Permission.READ)
def list_rule_rows(session: Session, principal: Principal, now: datetime) -> list[RuleRow]:
    """Return all rules of the team with what they did: built-in ones, thresholds, its own."""
    values: dict[str, Any] = {"team": principal.team_id, "since": now - LATELY}
    found = session.execute(_ACTIVITY, values).all()
    makers = {row.id: row.made_by for row in found}
    activity = {
        row.id: RuleActivity(row.fired, row.last_fired_at, row.open, row.older) for row in found
    }
    has_own_sellers = bool(read_own_sellers(session, principal.team_id))
    anything = find_reached_product(session, principal.team_id, RuleScope(ScopeKind.TRACKED))
    rows = []
    for stored in list_rules(session, principal):
        reached = anything
        if stored.rule.scope.kind is ScopeKind.PRODUCT or _has_money(stored.rule):
            reached = find_reached_product(session, principal.team_id, stored.rule.scope) or reached
        is_of_product = stored.rule.scope.kind is ScopeKind.PRODUCT
        rows.append(
            RuleRow(
                stored=stored,
                activity=activity[stored.rule_id],
                marketplace=_USUAL_MARKETPLACE if reached is None else reached.marketplace,
                product=reached if is_of_product else None,
                has_own_sellers=has_own_sellers,
                view=_find_view(session, stored),
                made_by=makers[stored.rule_id],
            )
        )
    return rows


def _find_view(session: Session, stored: TeamRule) -> TeamView | None:
    view_id = stored.rule.scope.view_id
    return None if view_id is None else find_team_view(session, stored.team_id, view_id)


def _has_money(rule: AlertRule) -> bool:
    """Return whether a rule names an amount, which is in the currency of its products."""
    return any(
        condition.subject in AMOUNTS and (condition.target or condition.amount)
        for condition in rule.conditions
    )
