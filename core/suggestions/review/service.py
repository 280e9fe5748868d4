"""The verbs of reviewing: approve, decline, each or all. None commits.

Only a person at a page approves, and only from manager on: no token, tool, job or
command does. What approving leads to is in `applying`.
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
from core.suggestions.review.preconditions import problem_with, why_stale
from core.suggestions.rules import ActionState, Kind, SuggestionState

LONGEST_REASON = 2000  # characters
MOST_AT_ONCE = 500  # suggestions in a bulk decision
_APPROVED_ALREADY = frozenset(
    {ActionState.APPROVED, ActionState.APPLIED, ActionState.VERIFIED, ActionState.UNSEEN}
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Where an action stands after somebody decided on it."""

    action_id: int
    state: ActionState
    did: bool  # False: somebody was there before, or it is over; `why` says which
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
    """Approve an action, with `edited` in place of what was proposed.

    An action whose time is over becomes expired instead, and one whose present value is
    no longer the reviewed one stale. Raises InvalidInputError for a value outside the
    product's price caps or against a listing rule, WrongStepError for an action that
    was declined or is over, NotAllowedError where four eyes are asked for.
    """
    held = lock_action(session, action_id, principal.team_id)
    _require_reviewer(session, principal, held)
    if held.state in _APPROVED_ALREADY:
        return Decision(action_id, held.state, False, "This was approved already.")
    if held.state is ActionState.PENDING and held.suggestion.expires_at <= now:
        return _expired(session, held, now)
    if held.state is ActionState.PENDING and (stale := why_stale(session, held)):
        transition(
            session,
            held,
            ActionState.STALE,
            now,
            ActorRef.of_principal(principal),
            stale,
            trouble=stale,
        )
        return Decision(action_id, ActionState.STALE, False, stale)
    return _approve(session, principal, held, now, edited, _cleaned(reason))


def _approve(
    session: Session,
    principal: Principal,
    held: LockedAction,
    now: datetime,
    edited: Mapping[str, Any] | None,
    reason: str | None,
) -> Decision:
    before = held.state
    wanted = held.wanted if edited is None else get_spec(held.change).validate(edited)
    if problem := problem_with(session, held, wanted, now):
        raise InvalidInputError(problem)
    # What a manager typed without changing anything is no edit.
    kept = None if are_equal(wanted, held.action.proposed) else dict(wanted)
    did = transition(
        session,
        held,
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
        new = {"action": held.action.id, "wanted": dict(wanted), "is_edited": kept is not None}
        _audit(session, principal, "approved suggestion", held, before, new)
    return Decision(held.action.id, held.state, did)


def _require_reviewer(session: Session, principal: Principal, held: LockedAction) -> None:
    """Raise NotAllowedError for a program, and for who asked where four eyes are asked for."""
    require_page(principal)
    asked_by = held.suggestion.asked_by
    if asked_by == principal.person_id and has_four_eyes(session, principal.team_id):
        raise NotAllowedError(
            "You requested this suggestion; another user of the team approves it."
        )


def _expired(session: Session, held: LockedAction, now: datetime) -> Decision:
    why = "It expired before it was decided. Ask for new suggestions."
    transition(session, held, ActionState.EXPIRED, now, BY_ITSELF, why)
    return Decision(held.action.id, ActionState.EXPIRED, False, why)


@requires(Permission.TEAM)
def decline(
    session: Session, principal: Principal, action_id: int, now: datetime, reason: str
) -> Decision:
    """Decline an action, with the reason that its time line and the next advice are told.

    Raises WrongStepError for one that was approved or is over, NotAllowedError for a program.
    """
    require_page(principal)
    cleaned = _cleaned(reason)
    if cleaned is None:
        raise InvalidInputError("Give a reason: sellers and the next advice read it.")
    held = lock_action(session, action_id, principal.team_id)
    before = held.state
    if before is ActionState.DECLINED:
        return Decision(action_id, before, False, "This was declined already.")
    did = transition(
        session,
        held,
        ActionState.DECLINED,
        now,
        ActorRef.of_principal(principal),
        cleaned,
        decided_by=principal.person_id,
        decided_at=now,
        decision_reason=cleaned,
    )
    if did:
        _audit(session, principal, "declined suggestion", held, before, {"action": action_id})
    return Decision(action_id, held.state, did)


def _cleaned(reason: str | None) -> str | None:
    cleaned = (reason or "").replace("\x00", "").strip()
    if len(cleaned) > LONGEST_REASON:
        raise InvalidInputError(f"A reason has at most {LONGEST_REASON:,} characters.")
    return cleaned or None


def _audit(
    session: Session,
    principal: Principal,
    what: str,
    held: LockedAction,
    before: ActionState,
    new: Mapping[str, Any],
) -> None:
    old, now = {"state": before.value}, {"state": held.state.value, **new}
    audit.record(session, principal, what, f"suggestion:{held.suggestion.id}", old, now)


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
    """Approve every action of a suggestion that waits, as proposed; none where one can't be."""
    waiting = _waiting(session, principal, suggestion_id)
    return [approve(session, principal, each, now, reason=reason) for each in waiting]


@requires(Permission.TEAM)
def decline_all(
    session: Session, principal: Principal, suggestion_id: int, now: datetime, reason: str
) -> list[Decision]:
    """Decline every action of a suggestion that waits."""
    waiting = _waiting(session, principal, suggestion_id)
    return [decline(session, principal, each, now, reason) for each in waiting]


def _waiting(session: Session, principal: Principal, suggestion_id: int) -> list[int]:
    lock_suggestion(session, suggestion_id, principal.team_id)
    waiting = (
        select(SuggestionAction.id)
        .where(
            SuggestionAction.suggestion_id == suggestion_id,
            SuggestionAction.state == ActionState.PENDING.value,
        )
        .order_by(SuggestionAction.place)
    )
    return list(session.scalars(waiting))


@requires(Permission.TEAM)
def approve_many(
    session: Session,
    principal: Principal,
    suggestion_ids: Collection[int],
    now: datetime,
    *,
    reason: str | None = None,
) -> list[Decision]:
    """Approve suggestions about tracking at once; those about a listing or price are read singly.

    Raises InvalidInputError when one of them is about a listing or a price.
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
    """Decline suggestions about tracking at once."""
    found = _tracking_only(session, principal, suggestion_ids)
    return [
        decision
        for each in found
        for decision in decline_all(session, principal, each, now, reason)
    ]


def _tracking_only(
    session: Session, principal: Principal, suggestion_ids: Collection[int]
) -> list[int]:
    """Return which of them wait, in the order in which all sessions lock them."""
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
            "Only suggestions about tracking are decided many at once. Read the others singly."
        )
    return [number for number, _ in rows]


# Four eyes


def has_four_eyes(session: Session, team_id: int) -> bool:
    """Return whether who asked for advice may not approve it."""
    found = select(SuggestionSettings.four_eyes).where(SuggestionSettings.team_id == team_id)
    return bool(session.scalar(found))


@requires(Permission.ADMIN)
def set_four_eyes(session: Session, principal: Principal, is_on: bool) -> None:
    """Set whether who asked for advice may not approve it."""
    before = has_four_eyes(session, principal.team_id)
    session.execute(
        postgresql.insert(SuggestionSettings)
        .values(team_id=principal.team_id, four_eyes=is_on)
        .on_conflict_do_update(index_elements=["team_id"], set_={"four_eyes": is_on})
    )
    if before != is_on:
        audit.record(session, principal, "set four eyes", None, {"is_on": before}, {"is_on": is_on})
