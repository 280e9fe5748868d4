"""What a rule would have done in stored history, by the fold that evaluates it live.

The products in its scope now, each with its own threshold as live. Very many products are
sampled, and a period with very many observations is tried on fewer products: the result has their
number. Never commits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.engine.scopes import find_scoped_rules
from core.alerts.evaluation.fold import Incident, Reading
from core.alerts.evaluation.preview import WEEK, count_weeks, find_rate_threshold, preview_rule
from core.alerts.evaluation.readings import read_rule_readings
from core.alerts.rules.builtin import without_own_sellers
from core.alerts.rules.queries import TeamRule, read_reach, sample_reach
from core.alerts.rules.rule import AlertRule, RuleScope, ScopeKind
from core.alerts.rules.thresholds import Threshold
from core.catalog.models import Product, ProductText
from core.errors import InvalidInputError
from core.tracking.sellers.queries import read_own_sellers

WARM_UP: Final = timedelta(days=30)  # before the period: what was usual, and what lasted already
LONGEST_PREVIEW: Final = 366  # days
MOST_PRODUCTS: Final = 1_000
MOST_READINGS: Final = 250_000  # about two seconds, and 100 MB
SHOWN: Final = 50  # incidents
_AT_ONCE: Final = 100  # products
_UNSAVED: Final = 0  # no stored rule has this id


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """What to try. `product_id`: on this product alone, whatever the rule's scope."""

    rule: AlertRule
    days: int
    stored: TeamRule | None = None  # the rule as it is stored: products have thresholds of it
    product_id: int | None = None
    at_most_per_week: float | None = None  # for all products together; None: find no threshold


@dataclass(frozen=True, slots=True)
class PreviewedIncident:
    """An incident that the rule would have opened."""

    product_id: int
    marketplace: str
    asin: str
    title: str | None
    incident: Incident


@dataclass(frozen=True, slots=True)
class RulePreview:
    """What a rule would have done in a period. `rule`: as it was tried."""

    rule: AlertRule
    since: datetime
    until: datetime
    products: int  # tried
    products_in_scope: int
    per_week: tuple[int, ...]  # from `since` on; the last week may be cut short
    alerted: int  # products with an incident
    openings: tuple[tuple[datetime, int], ...]  # each incident's, with the product's id
    newest: list[PreviewedIncident]
    threshold: Threshold | None  # None: none was asked for, or none alerts so seldom

    @property
    def total(self) -> int:
        """Return how many incidents there would have been."""
        return sum(self.per_week)

    @property
    def is_sample(self) -> bool:
        """Return whether the rule was tried on some of its products."""
        return self.products < self.products_in_scope


@dataclass(frozen=True, slots=True)
class _Tried:
    """A product that the rule was tried on."""

    product_id: int
    rule: AlertRule
    readings: Sequence[Reading]


@requires(Permission.READ)
def preview_on_history(
    session: Session, principal: Principal, request: PreviewRequest, now: datetime
) -> RulePreview:
    """Return what a rule would have done in the days before now.

    Raises InvalidInputError for a period that is no or too long.
    """
    if not 1 <= request.days <= LONGEST_PREVIEW:
        raise InvalidInputError(f"A preview takes 1 to {LONGEST_PREVIEW} days.")
    if request.at_most_per_week is not None and not 0 <= request.at_most_per_week < 1e9:
        raise InvalidInputError("Alerts per week are 0 or more.")
    since = now - timedelta(days=request.days)
    rule = _get_rule(session, request, principal.team_id, now)
    scope = rule.rule.scope
    in_scope = read_reach(session, principal.team_id, scope).products
    ids = sample_reach(session, principal.team_id, scope, MOST_PRODUCTS)
    tried = list(_read_products(session, rule, ids, since, now))
    found = {
        each.product_id: preview_rule(each.rule, each.readings, since, now).incidents
        for each in tried
    }
    openings = tuple(
        sorted((each.opened_at, number) for number, some in found.items() for each in some)
    )
    newest = sorted(
        ((each.opened_at, number, each) for number, some in found.items() for each in some),
        key=lambda each: each[:2],
        reverse=True,
    )[:SHOWN]
    part = len(tried) / in_scope if in_scope else 1.0
    return RulePreview(
        rule=rule.rule,
        since=since,
        until=now,
        products=len(tried),
        products_in_scope=in_scope,
        per_week=count_weeks([at for at, _ in openings], since, now),
        openings=openings,
        alerted=sum(map(bool, found.values())),
        newest=_with_products(session, [(number, each) for _, number, each in newest]),
        threshold=_find_threshold(request, rule.rule, tried, since, now, part),
    )


def _get_rule(session: Session, request: PreviewRequest, team_id: int, now: datetime) -> TeamRule:
    """Return the rule as `read_active_rules` would."""
    rule = request.rule
    if not read_own_sellers(session, team_id):
        rule = without_own_sellers(rule)
    if request.product_id is not None:
        rule = replace(rule, scope=RuleScope(ScopeKind.PRODUCT, request.product_id))
    stored = request.stored or TeamRule(
        rule_id=_UNSAVED,
        team_id=team_id,
        code=None,
        name=None,
        rule=rule,
        version=1,
        is_on=True,
        active_from=now,
        started_at=None,
    )
    return replace(stored, rule=rule)


def _read_products(
    session: Session, rule: TeamRule, ids: Sequence[int], since: datetime, until: datetime
) -> Iterator[_Tried]:
    """Yield products with their readings, until there are enough of these."""
    count = 0
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        scoped = find_scoped_rules(session, [rule], some)
        readings = read_rule_readings(
            session, rule.rule, rule.team_id, some, since - WARM_UP, until
        )
        for number in some:
            for one in scoped.get(number, ()):
                yield _Tried(number, one.rule, readings[number])
        count += sum(map(len, readings.values()))
        if count >= MOST_READINGS:
            return


def _find_threshold(
    request: PreviewRequest,
    rule: AlertRule,
    tried: Sequence[_Tried],
    since: datetime,
    until: datetime,
    part: float,
) -> Threshold | None:
    """Return the threshold for a rate. Products with their own threshold keep that one."""
    if request.at_most_per_week is None:
        return None
    most = request.at_most_per_week * ((until - since) / WEEK) * part
    fixed = [each for each in tried if each.rule != rule]
    most -= sum(
        len(preview_rule(each.rule, each.readings, since, until).incidents) for each in fixed
    )
    free = [each.readings for each in tried if each.rule == rule]
    return find_rate_threshold(rule, free, since, until, most)


def _with_products(
    session: Session, incidents: Sequence[tuple[int, Incident]]
) -> list[PreviewedIncident]:
    rows = session.execute(
        select(Product.id, Product.marketplace, Product.asin, ProductText.title)
        .outerjoin(ProductText, ProductText.product_id == Product.id)
        .where(Product.id.in_({number for number, _ in incidents}))
    )
    products = {row.id: row for row in rows}
    return [
        PreviewedIncident(
            number,
            products[number].marketplace,
            products[number].asin,
            products[number].title,
            each,
        )
        for number, each in incidents
    ]
