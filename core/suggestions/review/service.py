"""Operations of review: approve and decline, one action or all. Never commits.

Only managers and admins approve, and only on a page: no token, tool, job or command does.
`core.suggestions.execution.apply` applies what was approved.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.errors import InvalidInputError, NotAllowedError
from core.suggestions.changes.registry import get_spec
from core.suggestions.changes.values import are_equal
from core.suggestions.lifecycle import (
    BY_ITSELF,
    ActorRef,
    LockedAction,
    lock_action,
    lock_suggestion,
    require_page,
    transition,
)
from core.suggestions.models import Suggestion, SuggestionAction, SuggestionSettings
from core.suggestions.review.preconditions import find_problem, find_stale_reason
from core.suggestions.rules import ActionState, Kind, SuggestionState

LONGEST_REASON = 2000  # characters
MOST_AT_ONCE = 500  # suggestions in a bulk decision
_APPROVED_ALREADY = frozenset(
    {ActionState.APPROVED, ActionState.APPLIED, ActionState.VERIFIED, ActionState.UNSEEN}
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The state of an action after a decision on it."""

    action_id: int
    state: ActionState
    did: bool  # False: decided before, expired or stale; `why` names the reason
    why: str | None = None


@requires(Permission.TEAM)
def approve(
    session: Session,
    principal: Principal,
    action_id: int,
    now: datetime,
    *,
    edited: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> Decision:
    """Approve an action, with `edited` instead of the proposed values.

    An action past its expiry becomes expired instead, and one whose current value is no
    longer the reviewed one becomes stale. Raises InvalidInputError for a value outside the
    product's price caps or against a listing rule, InvalidTransitionError for an action that was
    declined or has expired, NotAllowedError where a second approver is required.
    """
    locked = lock_action(session, action_id, principal.team_id)
    _require_reviewer(session, principal, locked)
    if locked.state in _APPROVED_ALREADY:
        return Decision(action_id, locked.state, False, "This was approved already.")
    if locked.state is ActionState.PENDING and locked.suggestion.expires_at <= now:
        return _expired(session, locked, now)
    if locked.state is ActionState.PENDING and (stale := find_stale_reason(session, locked)):
        transition(
            session,
            locked,
            ActionState.STALE,
            now,
            ActorRef.of_principal(principal),
            stale,
            trouble=stale,
        )
        return Decision(action_id, ActionState.STALE, False, stale)
    return _approve(session, principal, locked, now, edited, _cleaned(reason))


def _approve(
    session: Session,
    principal: Principal,
    locked: LockedAction,
    now: datetime,
    edited: Mapping[str, Any] | None,
    reason: str | None,
) -> Decision:
    before = locked.state
    new_values = locked.new_values if edited is None else get_spec(locked.change).validate(edited)
    if problem := find_problem(session, locked, new_values, now):
        raise InvalidInputError(problem)
    # Values that equal the proposed ones are no edit.
    kept = None if are_equal(new_values, locked.action.proposed) else dict(new_values)
    did = transition(
        session,
        locked,
        ActionState.APPROVED,
        now,
        ActorRef.of_principal(principal),
        reason,
        edited=kept,
        decided_by=principal.person_id,
        decided_at=now,
        decision_reason=reason,
        trouble=None,
    )
    if did:
        new = {
            "action": locked.action.id,
            "wanted": dict(new_values),
            "is_edited": kept is not None,
        }
        _audit(session, principal, "approved suggestion", locked, before, new)
    return Decision(locked.action.id, locked.state, did)


def _require_reviewer(session: Session, principal: Principal, locked: LockedAction) -> None:
    """Raise NotAllowedError for a program, and for the requester where a second approver is
    required.
    """
    require_page(principal)
    asked_by = locked.suggestion.asked_by
    if asked_by == principal.person_id and requires_second_approver(session, principal.team_id):
        raise NotAllowedError(
            "You requested this suggestion, so another user of the team must approve it."
        )


def _expired(session: Session, locked: LockedAction, now: datetime) -> Decision:
    why = "It expired before it was decided. Request new suggestions."
    transition(session, locked, ActionState.EXPIRED, now, BY_ITSELF, why)
    return Decision(locked.action.id, ActionState.EXPIRED, False, why)


@requires(Permission.TEAM)
def decline(
    session: Session, principal: Principal, action_id: int, now: datetime, reason: str
) -> Decision:
    """Decline an action. Its timeline and later proposals show the reason.

    Raises InvalidTransitionError for an action that was approved or has expired,
    NotAllowedError for a program.
    """
    require_page(principal)
    cleaned = _cleaned(reason)
    if cleaned is None:
        raise InvalidInputError("Give a reason: sellers and agents read it.")
    locked = lock_action(session, action_id, principal.team_id)
    before = locked.state
    if before is ActionState.DECLINED:
        return Decision(action_id, before, False, "This was declined already.")
    did = transition(
        session,
        locked,
        ActionState.DECLINED,
        now,
        ActorRef.of_principal(principal),
        cleaned,
        decided_by=principal.person_id,
        decided_at=now,
        decision_reason=cleaned,
    )
    if did:
        _audit(session, principal, "declined suggestion", locked, before, {"action": action_id})
    return Decision(action_id, locked.state, did)


def _cleaned(reason: str | None) -> str | None:
    cleaned = (reason or "").replace("\x00", "").strip()
    if len(cleaned) > LONGEST_REASON:
        raise InvalidInputError(f"A reason has at most {LONGEST_REASON:,} characters.")
    return cleaned or None


def _audit(
    session: Session,
    principal: Principal,
    what: str,
    locked: LockedAction,
    before: ActionState,
    new: Mapping[str, Any],
) -> None:
    old, now = {"state": before.value}, {"state": locked.state.value, **new}
    audit.record(session, principal, what, f"suggestion:{locked.suggestion.id}", old, now)


# All actions of one, and many at once


@requires(Permission.TEAM)
def approve_all(
    session: Session,
    principal: Principal,
    suggestion_id: int,
    now: datetime,
    *,
    reason: str | None = None,
) -> list[Decision]:
    """Approve all pending actions of a suggestion as proposed. Raises where one can't be."""
    pending = _pending(session, principal, suggestion_id)
    return [approve(session, principal, each, now, reason=reason) for each in pending]


@requires(Permission.TEAM)
def decline_all(
    session: Session, principal: Principal, suggestion_id: int, now: datetime, reason: str
) -> list[Decision]:
    """Decline all pending actions of a suggestion."""
    pending = _pending(session, principal, suggestion_id)
    return [decline(session, principal, each, now, reason) for each in pending]


def _pending(session: Session, principal: Principal, suggestion_id: int) -> list[int]:
    lock_suggestion(session, suggestion_id, principal.team_id)
    pending = (
        select(SuggestionAction.id)
        .where(
            SuggestionAction.suggestion_id == suggestion_id,
            SuggestionAction.state == ActionState.PENDING.value,
        )
        .order_by(SuggestionAction.place)
    )
    return list(session.scalars(pending))


@requires(Permission.TEAM)
def approve_many(
    session: Session,
    principal: Principal,
    suggestion_ids: Collection[int],
    now: datetime,
    *,
    reason: str | None = None,
) -> list[Decision]:
    """Approve all pending actions of several suggestions about tracking.

    Raises InvalidInputError when one of them is about a listing or a price: each of those
    needs a review of its own.
    """
    found = _tracking_only(session, principal, suggestion_ids)
    return [
        decision
        for each in found
        for decision in approve_all(session, principal, each, now, reason=reason)
    ]


@requires(Permission.TEAM)
def decline_many(
    session: Session,
    principal: Principal,
    suggestion_ids: Collection[int],
    now: datetime,
    reason: str,
) -> list[Decision]:
    """Decline all pending actions of several suggestions about tracking."""
    found = _tracking_only(session, principal, suggestion_ids)
    return [
        decision
        for each in found
        for decision in decline_all(session, principal, each, now, reason)
    ]


def _tracking_only(
    session: Session, principal: Principal, suggestion_ids: Collection[int]
) -> list[int]:
    """Return the pending ones, in the order in which all sessions lock them."""
    if len(suggestion_ids) > MOST_AT_ONCE:
        raise InvalidInputError(f"At most {MOST_AT_ONCE} at once.")
    rows = session.execute(
        select(Suggestion.id, Suggestion.kind)
        .where(
            Suggestion.team_id == principal.team_id,
            Suggestion.id.in_(suggestion_ids),
            Suggestion.state == SuggestionState.PENDING.value,
        )
        .order_by(Suggestion.id)
    ).all()
    if any(kind != Kind.TRACKING.value for _, kind in rows):
        raise InvalidInputError(
            "Only suggestions about tracking can be decided together. Decide the others one by one."
        )
    return [number for number, _ in rows]


# A second approver


def requires_second_approver(session: Session, team_id: int) -> bool:
    """Return whether the user who requested a suggestion can't approve it."""
    found = select(SuggestionSettings.four_eyes).where(SuggestionSettings.team_id == team_id)
    return bool(session.scalar(found))


@requires(Permission.ADMIN)
def set_second_approver(session: Session, principal: Principal, is_on: bool) -> None:
    """Set whether the user who requested a suggestion can't approve it."""
    before = requires_second_approver(session, principal.team_id)
    session.execute(
        postgresql.insert(SuggestionSettings)
        .values(team_id=principal.team_id, four_eyes=is_on)
        .on_conflict_do_update(index_elements=["team_id"], set_={"four_eyes": is_on})
    )
    if before != is_on:
        audit.record(session, principal, "set four eyes", None, {"is_on": before}, {"is_on": is_on})
