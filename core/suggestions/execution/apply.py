"""Applies approved actions, and undoes them. Never commits.

A change of tracking is made here, at once. A price or listing change becomes part of a
change set that the seller publishes; a connector may push it instead.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Via
from core.accounts.people.membership import get_principal
from core.errors import AmazcopeError, NotFoundError
from core.suggestions.changes.registry import get_tracking_spec, read_current_values
from core.suggestions.lifecycle import (
    BY_ITSELF,
    ActorRef,
    LockedAction,
    lock_action,
    require_page,
    transition,
)
from core.suggestions.models import SuggestionAction
from core.suggestions.review.preconditions import find_stale_reason
from core.suggestions.rules import ActionState

VERIFY_DAYS = 14  # within which a check is expected to confirm a change
_DONE = frozenset(
    {ActionState.APPLIED, ActionState.VERIFIED, ActionState.UNSEEN, ActionState.UNDONE}
)


def list_approved_actions(session: Session, limit: int = 500) -> list[int]:
    """Return the approved actions, the earliest approval first."""
    approved = (
        select(SuggestionAction.id)
        .where(SuggestionAction.state == ActionState.APPROVED.value)
        .order_by(SuggestionAction.decided_at, SuggestionAction.id)
        .limit(limit)
    )
    return list(session.scalars(approved))


def apply(
    session: Session, action_id: int, now: datetime, pushed: str | None = None
) -> ActionState:
    """Apply an approved action and return its state. Applying it again changes nothing.

    It becomes stale when the current value is no longer the reviewed one, and failed when
    it can't be applied; `trouble` has the reason. `pushed`: the answer of a connector.
    """
    locked = lock_action(session, action_id)
    if locked.state is not ActionState.APPROVED:
        return locked.state
    if stale := find_stale_reason(session, locked):
        transition(session, locked, ActionState.STALE, now, BY_ITSELF, stale, trouble=stale)
        return locked.state
    try:
        with session.begin_nested():  # a failure leaves nothing half done
            principal = _approver(session, locked)
            inverse = _make_change(session, principal, locked, now)
    except AmazcopeError as error:
        transition(
            session, locked, ActionState.FAILED, now, BY_ITSELF, str(error), trouble=str(error)
        )
        return locked.state
    _mark_applied(session, principal, locked, now, inverse, pushed)
    return locked.state


def _make_change(
    session: Session, principal: Principal, locked: LockedAction, now: datetime
) -> dict[str, Any]:
    """Make a change of tracking. Return the values that undo sets, also for other changes."""
    if locked.change.is_setting:
        return get_tracking_spec(locked.change).apply(session, principal, locked, now)
    return read_current_values(session, locked)


def mark_failed(session: Session, action_id: int, now: datetime, why: str) -> ActionState:
    """Mark an approved action as failed to push; it can be approved again."""
    locked = lock_action(session, action_id)
    if locked.state is ActionState.APPROVED:
        transition(session, locked, ActionState.FAILED, now, BY_ITSELF, why, trouble=why)
    return locked.state


def _approver(session: Session, locked: LockedAction) -> Principal:
    """Return the approver, for whom the job acts.

    Raises NotFoundError for one who may no longer approve.
    """
    if locked.action.decided_by is None:
        raise NotFoundError("This has no approver.")
    principal = get_principal(session, locked.action.decided_by, Via.JOB)
    if principal.team_id != locked.suggestion.team_id or not principal.may(Permission.TEAM):
        raise NotFoundError("The user who approved this may no longer approve. Approve it again.")
    return principal


def _mark_applied(
    session: Session,
    principal: Principal,
    locked: LockedAction,
    now: datetime,
    inverse: Mapping[str, Any],
    pushed: str | None,
) -> None:
    by = ActorRef(principal.person_id, Via.JOB)
    until = None if locked.change.is_setting else now + timedelta(days=VERIFY_DAYS)
    why = pushed or ("Set." if locked.change.is_setting else "Part of a change set.")
    values = {"applied_at": now, "inverse": dict(inverse), "verify_until": until}
    transition(session, locked, ActionState.APPLIED, now, by, why, **values)
    old = {"state": ActionState.APPROVED.value, "value": dict(inverse)}
    new = {"state": ActionState.APPLIED.value, "value": dict(locked.new_values)}
    _audit(session, principal, "applied suggestion", locked, old, new)
    if locked.change.is_setting:  # a setting is read back at once
        transition(
            session, locked, ActionState.VERIFIED, now, BY_ITSELF, "Read back.", verified_at=now
        )


# Undo


@requires(Permission.TEAM)
def undo(
    session: Session, principal: Principal, action_id: int, now: datetime, reason: str | None = None
) -> bool:
    """Undo an applied action; return whether this call did it.

    A change of tracking is undone at once. A price or listing change gets a change set with
    the value from before. Raises InvalidTransitionError for an action that was not applied and
    for a setting that was changed since, NotAllowedError for a program.
    """
    require_page(principal)
    locked = lock_action(session, action_id, principal.team_id)
    before = locked.state
    if before is ActionState.UNDONE:
        return False
    if locked.change.is_setting and locked.state in _DONE:
        get_tracking_spec(locked.change).undo(session, principal, locked)
    cleaned = (reason or "").replace("\x00", "").strip() or None
    did = transition(
        session, locked, ActionState.UNDONE, now, ActorRef.of_principal(principal), cleaned
    )
    if did:
        old = {"state": before.value, "value": dict(locked.new_values)}
        new = {"state": ActionState.UNDONE.value, "value": dict(locked.action.inverse or {})}
        _audit(session, principal, "undid suggestion", locked, old, new)
    return did


def _audit(
    session: Session,
    principal: Principal,
    what: str,
    locked: LockedAction,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> None:
    stored = {**new, "action": locked.action.id}
    audit.record(session, principal, what, f"suggestion:{locked.suggestion.id}", old, stored)
