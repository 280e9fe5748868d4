"""Applies what was approved, and takes it back. Never commits.

Tracking settings are set here, at once. A listing or price change becomes part of a
change set, for the seller to upload; a direct push is an applier's.
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
from core.suggestions.changes.registry import current_of, get_tracking_spec
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
from core.suggestions.rules import ActionState

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
            inverse = _make_change(session, principal, held, now)
    except AmazcopeError as error:
        transition(
            session, held, ActionState.FAILED, now, BY_ITSELF, str(error), trouble=str(error)
        )
        return held.state
    _mark_applied(session, principal, held, now, inverse, pushed)
    return held.state


def _make_change(
    session: Session, principal: Principal, held: LockedAction, now: datetime
) -> dict[str, Any]:
    """Set a setting; return what undoing the change sets. A seller publishes all else."""
    if held.change.is_setting:
        return get_tracking_spec(held.change).apply(session, principal, held, now)
    return current_of(session, held)


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
    until = None if held.change.is_setting else now + timedelta(days=VERIFY_DAYS)
    why = pushed or ("Set." if held.change.is_setting else "Part of a change set.")
    values = {"applied_at": now, "inverse": dict(inverse), "verify_until": until}
    transition(session, held, ActionState.APPLIED, now, by, why, **values)
    old = {"state": ActionState.APPROVED.value, "value": dict(inverse)}
    new = {"state": ActionState.APPLIED.value, "value": dict(held.wanted)}
    _audit(session, principal, "applied suggestion", held, old, new)
    if held.change.is_setting:  # a setting is read back at once
        transition(
            session, held, ActionState.VERIFIED, now, BY_ITSELF, "Read back.", verified_at=now
        )


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
    if held.change.is_setting and held.state in _DONE:
        get_tracking_spec(held.change).undo(session, principal, held)
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
