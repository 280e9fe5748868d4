"""Applies what was approved, and takes it back. Never commits.

Tracking settings are set here, at once. A listing or price change becomes part of a
change set, for the seller to upload; a direct push is an applier's.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Via
from core.accounts.people.membership import get_principal
from core.catalog.service import find_products
from core.errors import AmazcopeError, InvalidInputError, NotFoundError
from core.suggestions.change_values import are_equal, format_value, is_tracking
from core.suggestions.competitors.service import add_competitor, remove_competitor
from core.suggestions.current_values import current_of, team_tracking
from core.suggestions.lifecycle import (
    BY_ITSELF,
    ActorRef,
    LockedAction,
    lock_action,
    require_page,
    transition,
)
from core.suggestions.models import SuggestionAction
from core.suggestions.review.preconditions import why_stale
from core.suggestions.rules import ActionState, Change, WrongStepError
from core.tracking import team_tracking as team
from core.tracking.rules import Cadence
from core.tracking.rules import Role as TrackingRole
from core.tracking.service import NewTracking, stop_tracking, track

VERIFY_DAYS = 14  # within which a change is expected to be seen on its page
_DONE = frozenset(
    {ActionState.APPLIED, ActionState.VERIFIED, ActionState.UNSEEN, ActionState.UNDONE}
)


def waiting_to_apply(session: Session, limit: int = 500) -> list[int]:
    """Return the approved actions that are not applied yet, the earliest approval first."""
    waiting = (
        select(SuggestionAction.id)
        .where(SuggestionAction.state == ActionState.APPROVED.value)
        .order_by(SuggestionAction.decided_at, SuggestionAction.id)
        .limit(limit)
    )
    return list(session.scalars(waiting))


def apply(
    session: Session, action_id: int, now: datetime, pushed: str | None = None
) -> ActionState:
    """Apply an approved action and return where it stands then. Twice does it once.

    It becomes stale when the present value is not the reviewed one any more, failed
    when it can't be done; `trouble` says why. `pushed` is what an applier said.
    """
    held = lock_action(session, action_id)
    if held.state is not ActionState.APPROVED:
        return held.state
    if stale := why_stale(session, held):
        transition(session, held, ActionState.STALE, now, BY_ITSELF, stale, trouble=stale)
        return held.state
    try:
        with session.begin_nested():  # what fails leaves nothing half done
            principal = _approver(session, held)
            inverse = _do(session, principal, held, now)
    except AmazcopeError as error:
        transition(
            session, held, ActionState.FAILED, now, BY_ITSELF, str(error), trouble=str(error)
        )
        return held.state
    _mark_applied(session, principal, held, now, inverse, pushed)
    return held.state


def fail(session: Session, action_id: int, now: datetime, why: str) -> ActionState:
    """Note that an approved action could not be pushed; it may be approved again."""
    held = lock_action(session, action_id)
    if held.state is ActionState.APPROVED:
        transition(session, held, ActionState.FAILED, now, BY_ITSELF, why, trouble=why)
    return held.state


def _approver(session: Session, held: LockedAction) -> Principal:
    """Return who approved, as the job acts for them. Raises for one who may not any more."""
    if held.action.decided_by is None:
        raise NotFoundError("Nobody approved this.")
    principal = get_principal(session, held.action.decided_by, Via.JOB)
    if principal.team_id != held.suggestion.team_id or not principal.may(Permission.TEAM):
        raise NotFoundError("Who approved this may not approve any more. Approve it again.")
    return principal


def _mark_applied(
    session: Session,
    principal: Principal,
    held: LockedAction,
    now: datetime,
    inverse: Mapping[str, Any],
    pushed: str | None,
) -> None:
    by = ActorRef(principal.person_id, Via.JOB)
    until = None if is_tracking(held.change) else now + timedelta(days=VERIFY_DAYS)
    why = pushed or ("Set." if is_tracking(held.change) else "Part of a change set.")
    values = {"applied_at": now, "inverse": dict(inverse), "verify_until": until}
    transition(session, held, ActionState.APPLIED, now, by, why, **values)
    old = {"state": ActionState.APPROVED.value, "value": dict(inverse)}
    new = {"state": ActionState.APPLIED.value, "value": dict(held.wanted)}
    _audit(session, principal, "applied suggestion", held, old, new)
    if is_tracking(held.change):  # a setting is read back at once
        transition(
            session, held, ActionState.VERIFIED, now, BY_ITSELF, "Read back.", verified_at=now
        )


def _do(
    session: Session, principal: Principal, held: LockedAction, now: datetime
) -> dict[str, Any]:
    """Make a change where it is one of a setting; return what undoing it sets."""
    before = current_of(session, held)
    if not is_tracking(held.change):
        return before
    product_id, wanted = held.product.id, held.wanted
    match held.change:
        case Change.ADD_COMPETITOR:
            return _add_competitor(session, principal, held, now)
        case Change.PAUSE_TRACKING:
            return {"people": team.pause_for_team(session, principal, product_id, now)}
        case _:
            _set(session, principal, held.change, product_id, wanted)
            return before


def _set(
    session: Session,
    principal: Principal,
    change: Change,
    product_id: int,
    values: Mapping[str, Any],
) -> None:
    if change is Change.SET_CADENCE:
        team.set_cadence(session, principal, product_id, Cadence(values["cadence"]))
        return
    which = team.Threshold.PRICE if change is Change.SET_PRICE_THRESHOLD else team.Threshold.RANK
    percent = None if values["percent"] is None else Decimal(values["percent"])
    team.set_threshold(session, principal, product_id, which, percent)


def _add_competitor(
    session: Session, principal: Principal, held: LockedAction, now: datetime
) -> dict[str, Any]:
    """Follow a product and compare with it; return which, and whether it was followed before."""
    key = held.wanted["marketplace"], held.wanted["asin"]
    if key[0] != held.product.marketplace:
        raise InvalidInputError("Ranks and prices compare only within one marketplace.")
    competitor_id = find_products(session, [key]).get(key)
    is_followed = competitor_id and team_tracking(session, principal.team_id, competitor_id)
    if competitor_id is None or not is_followed:
        wish = NewTracking(*key, role=TrackingRole.COMPETITOR)
        [answer] = track(session, principal, [wish], is_demo=held.product.is_demo)
        competitor_id = answer.product_id
    add_competitor(session, principal, held.product.id, competitor_id, now)
    return {"competitor": competitor_id, "unfollow": not is_followed}


# Taking it back


@requires(Permission.TEAM)
def undo(
    session: Session, principal: Principal, action_id: int, now: datetime, reason: str | None = None
) -> bool:
    """Take back what was applied; return whether this call did it.

    A setting is set back at once; a listing or price change gets a change set that
    sets the value from before. Raises WrongStepError for what was not applied, and for
    a setting that somebody changed since, NotAllowedError for a program.
    """
    require_page(principal)
    held = lock_action(session, action_id, principal.team_id)
    before = held.state
    if before is ActionState.UNDONE:
        return False
    if is_tracking(held.change) and held.state in _DONE:
        _set_back(session, principal, held)
    cleaned = (reason or "").replace("\x00", "").strip() or None
    did = transition(
        session, held, ActionState.UNDONE, now, ActorRef.of_principal(principal), cleaned
    )
    if did:
        old = {"state": before.value, "value": dict(held.wanted)}
        new = {"state": ActionState.UNDONE.value, "value": dict(held.action.inverse or {})}
        _audit(session, principal, "undid suggestion", held, old, new)
    return did


def _audit(
    session: Session,
    principal: Principal,
    what: str,
    held: LockedAction,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> None:
    stored = {**new, "action": held.action.id}
    audit.record(session, principal, what, f"suggestion:{held.suggestion.id}", old, stored)


def _set_back(session: Session, principal: Principal, held: LockedAction) -> None:
    inverse, product_id = held.action.inverse or {}, held.product.id
    match held.change:
        case Change.PAUSE_TRACKING:
            team.resume_for_team(session, principal, product_id, inverse["people"])
        case Change.ADD_COMPETITOR:
            remove_competitor(session, principal, product_id, inverse["competitor"])
            if inverse["unfollow"]:
                approver = replace(
                    principal, person_id=held.action.decided_by or principal.person_id
                )
                stop_tracking(session, approver, [inverse["competitor"]])  # that row alone
        case _:
            _require_unchanged(session, held)
            _set(session, principal, held.change, product_id, inverse)


def _require_unchanged(session: Session, held: LockedAction) -> None:
    now = current_of(session, held)
    if are_equal(now, held.wanted):
        return
    marketplace = held.product.marketplace
    set_to, is_now = (format_value(held.change, each, marketplace) for each in (held.wanted, now))
    raise WrongStepError(f"Somebody changed it since: it was set to {set_to}; now it is {is_now}.")
