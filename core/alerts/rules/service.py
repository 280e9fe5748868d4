"""Operations on a team's alert rules. Never commits.

A change begins a rule anew: a new version, from now on, for no product yet. What it opened before
stays recorded.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.models import StoredRule
from core.alerts.rules.builtin import make_new_rules
from core.alerts.rules.queries import Reach, TeamRule, make_team_rule, read_reach
from core.alerts.rules.rule import AMOUNTS, AlertRule, Condition, ScopeKind, Subject
from core.alerts.rules.rule_json import dump_rule, load_rule
from core.alerts.rules.validation import check_builtin_change, check_rule, check_rule_name
from core.errors import InvalidInputError, NotFoundError
from core.text.numbers import format_counted
from core.tracking.sellers.queries import read_own_sellers
from core.tracking.views.queries import find_team_view

MOST_OWN_RULES: Final = 100  # of a team
LARGE_REACH: Final = 10_000  # products: for more a rule must be confirmed
_USUAL: Final = {each.code: each.rule for each in make_new_rules()}


class ManyProductsError(InvalidInputError):
    """A rule for very many products was not confirmed."""

    def __init__(self, products: int) -> None:
        """Ask whether the rule is meant for so many products."""
        super().__init__(
            f"The rule is for {format_counted(products, 'product')}. Confirm that it is meant for "
            "all of them, or choose fewer, for instance by a tag."
        )
        self.products = products


@dataclass(frozen=True, slots=True)
class SavedRule:
    """A rule that was created or changed."""

    rule: TeamRule
    products: int  # in its scope now
    remarks: tuple[str, ...]  # what to know of it, as sentences


@requires(Permission.TEAM)
def create_rule(
    session: Session,
    principal: Principal,
    rule: AlertRule,
    now: datetime,
    *,
    name: str | None = None,
    confirmed: bool = False,
) -> SavedRule:
    """Create a rule of the team's own, which counts from now on.

    `confirmed`: also for very many products. Raises ManyProductsError without it,
    InvalidInputError, NotFoundError for a product that the team doesn't track.
    """
    return _create(session, principal, rule, now, name, confirmed=confirmed, is_on=True)


@requires(Permission.PROPOSE)
def draft_rule(
    session: Session,
    principal: Principal,
    rule: AlertRule,
    now: datetime,
    *,
    name: str | None = None,
) -> SavedRule:
    """Create a rule of the team's own that is off until a manager switches it on.

    Raises as `create_rule` does; a rule for very many products is no draft.
    """
    return _create(session, principal, rule, now, name, confirmed=False, is_on=False)


def _create(
    session: Session,
    principal: Principal,
    rule: AlertRule,
    now: datetime,
    name: str | None,
    *,
    confirmed: bool,
    is_on: bool,
) -> SavedRule:
    check_rule(rule)
    reach = _check_reach(session, principal, rule, confirmed)
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('alert rules'), :team)"),
        {"team": principal.team_id},
    )
    own = select(func.count()).where(
        StoredRule.team_id == principal.team_id, StoredRule.code.is_(None)
    )
    if session.scalars(own).one() >= MOST_OWN_RULES:
        raise InvalidInputError(
            f"A team has at most {MOST_OWN_RULES} rules of its own. Delete one first."
        )
    stored = StoredRule(
        team_id=principal.team_id,
        name=check_rule_name(name),
        definition=dump_rule(rule),
        is_on=is_on,
        active_from=now,
        created_by=principal.person_id,
    )
    session.add(stored)
    session.flush()
    session.refresh(stored)
    if is_on:
        audit.record(
            session, principal, "created alert rule", _target(stored), new=_audited(stored)
        )
    else:
        audit.record(
            session, principal, "drafted alert rule", _target(stored), new=_audited(stored)
        )
    return _saved(session, principal, stored, reach)


@requires(Permission.TEAM)
def change_rule(
    session: Session,
    principal: Principal,
    rule_id: int,
    rule: AlertRule,
    now: datetime,
    *,
    confirmed: bool = False,
) -> SavedRule:
    """Change what a rule watches; of a built-in one only its thresholds, times and severity.

    Raises as `create_rule`, and NotFoundError for a rule of another team.
    """
    stored = _lock_rule(session, principal, rule_id)
    if stored.code is None:
        check_rule(rule)
        reach = _check_reach(session, principal, rule, confirmed)
    else:
        check_builtin_change(load_rule(stored.definition), rule)
        reach = read_reach(session, principal.team_id, rule.scope)
    _set_definition(session, principal, stored, rule, now, "changed alert rule")
    return _saved(session, principal, stored, reach)


@requires(Permission.TEAM)
def reset_rule(session: Session, principal: Principal, rule_id: int, now: datetime) -> SavedRule:
    """Give a built-in rule the usual thresholds and times of a new team."""
    stored = _lock_rule(session, principal, rule_id)
    if stored.code is None:
        raise InvalidInputError("Only a built-in rule has usual values. Change this one instead.")
    rule = _USUAL[stored.code]
    _set_definition(session, principal, stored, rule, now, "reset alert rule")
    return _saved(session, principal, stored, read_reach(session, principal.team_id, rule.scope))


@requires(Permission.TEAM)
def rename_rule(session: Session, principal: Principal, rule_id: int, name: str | None) -> None:
    """Name a rule of the team's own; empty: its sentence is its name."""
    stored = _lock_own_rule(session, principal, rule_id, "The name of a built-in rule stays.")
    before, after = stored.name, check_rule_name(name)
    if before == after:
        return
    stored.name = after
    session.flush()
    audit.record(
        session,
        principal,
        "renamed alert rule",
        _target(stored),
        {"name": before},
        {"name": after},
    )


@requires(Permission.TEAM)
def switch_rule(
    session: Session, principal: Principal, rule_id: int, is_on: bool, now: datetime
) -> bool:
    """Switch a rule on, from now on, or off; return whether it was the other before."""
    stored = _lock_rule(session, principal, rule_id)
    if stored.is_on is is_on:
        return False
    stored.is_on = is_on
    _begin_anew(stored, now)
    session.flush()
    if is_on:
        audit.record(session, principal, "switched on alert rule", _target(stored))
    else:
        audit.record(session, principal, "switched off alert rule", _target(stored))
    return True


@requires(Permission.TEAM)
def delete_rule(session: Session, principal: Principal, rule_id: int) -> None:
    """Delete a rule of the team's own, with what it recorded."""
    stored = _lock_own_rule(
        session, principal, rule_id, "A built-in rule can't be deleted. Switch it off instead."
    )
    audit.record(session, principal, "deleted alert rule", _target(stored), _audited(stored))
    session.delete(stored)
    session.flush()


def _set_definition(
    session: Session,
    principal: Principal,
    stored: StoredRule,
    rule: AlertRule,
    now: datetime,
    what: str,
) -> None:
    before, definition = _audited(stored), dump_rule(rule)
    if definition == stored.definition:
        return
    stored.definition = definition
    _begin_anew(stored, now)
    session.flush()
    audit.record(session, principal, what, _target(stored), before, _audited(stored))


def _begin_anew(stored: StoredRule, now: datetime) -> None:
    stored.version += 1
    stored.active_from, stored.started_at = now, None


def _lock_rule(session: Session, principal: Principal, rule_id: int) -> StoredRule:
    found = session.scalars(
        select(StoredRule)
        .where(StoredRule.id == rule_id, StoredRule.team_id == principal.team_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFoundError("This alert rule does not exist (any more).")
    return found


def _lock_own_rule(
    session: Session, principal: Principal, rule_id: int, message: str
) -> StoredRule:
    stored = _lock_rule(session, principal, rule_id)
    if stored.code is not None:
        raise InvalidInputError(message)
    return stored


def _target(stored: StoredRule) -> str:
    return f"alert_rule:{stored.id}"


def _audited(stored: StoredRule) -> dict[str, object]:
    return {"name": stored.name, "version": stored.version, "definition": stored.definition}


# Which products a rule is for


def _check_reach(session: Session, principal: Principal, rule: AlertRule, confirmed: bool) -> Reach:
    """Return which products a rule is for. Raises unless that is as it may be."""
    if rule.scope.view_id is not None:
        _check_view(session, principal, rule.scope.view_id)
    reach = read_reach(session, principal.team_id, rule.scope)
    if rule.scope.kind is ScopeKind.PRODUCT and not reach.products:
        raise NotFoundError("The team does not track this product (any more), or it is paused.")
    if len(reach.currencies) > 1 and any(map(_has_money, rule.conditions)):
        raise InvalidInputError(
            f"The products have prices in {', '.join(reach.currencies)}: one amount can't be for "
            "all of them. Choose a percentage, or products of one currency by a tag."
        )
    if reach.products > LARGE_REACH and not confirmed:
        raise ManyProductsError(reach.products)
    return reach


def _check_view(session: Session, principal: Principal, view_id: int) -> None:
    view = find_team_view(session, principal.team_id, view_id)
    if view is None or not (view.is_shared or view.person_id == principal.person_id):
        raise NotFoundError("This saved view does not exist (any more).")
    if not view.is_shared:
        raise InvalidInputError(
            f"A rule is the team's: share the saved view “{view.name}” with the team first."
        )
    if view.follows_values:
        raise InvalidInputError(
            f"The saved view “{view.name}” filters by a status or by a worse BSR. Each check can "
            "change these, and a product would leave the view by the change that the rule reports. "
            "Choose a view that filters by search, marketplace, role or tag."
        )


def _has_money(condition: Condition) -> bool:
    """Return whether a condition names an amount of money; 0 is the same in every currency."""
    named = (condition.target, condition.clear_at, condition.amount)
    return condition.subject in AMOUNTS and any(named)


def _saved(session: Session, principal: Principal, stored: StoredRule, reach: Reach) -> SavedRule:
    rule = make_team_rule(stored)
    return SavedRule(rule, reach.products, _list_remarks(session, principal, rule.rule, reach))


def _list_remarks(
    session: Session, principal: Principal, rule: AlertRule, reach: Reach
) -> tuple[str, ...]:
    remarks = []
    if not reach.products and rule.scope.kind is ScopeKind.TAG:
        remarks.append(
            f"No product has the tag “{rule.scope.tag}” now: the rule counts once one has it."
        )
    elif not reach.products:
        remarks.append("The rule is for no product now: it counts once there is one.")
    if Subject.BUY_BOX_OWNER in rule.subjects and not read_own_sellers(session, principal.team_id):
        remarks.append(
            "The team has named no sellers of its own: until it does, each move of the Buy Box "
            "counts."
        )
    return tuple(remarks)
