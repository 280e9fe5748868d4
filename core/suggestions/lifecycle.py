"""State transitions of suggestions: each is one UPDATE … WHERE state = … and one event.

Only this module writes states. Never commits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.permissions import Principal, Via
from core.catalog.models import Product
from core.errors import NotAllowedError, NotFoundError
from core.suggestions.expected_values import update_expected_value
from core.suggestions.models import Suggestion, SuggestionAction, SuggestionEvent
from core.suggestions.rules import (
    ActionState,
    Change,
    SuggestionState,
    derive_suggestion_state,
    require_transition,
)


@dataclass(frozen=True, slots=True)
class ActorRef:
    """Who makes a transition, and via which interface. `person_id` None: a job by itself."""

    person_id: int | None
    means: Via

    @classmethod
    def of_principal(cls, principal: Principal) -> "ActorRef":
        return cls(principal.person_id, principal.via)


BY_ITSELF = ActorRef(None, Via.JOB)


def require_page(principal: Principal) -> None:
    """Raise NotAllowedError for a program: it may decide nothing, whatever its role."""
    if principal.via is not Via.PAGE or principal.scopes is not None:
        raise NotAllowedError("Only a user on a page can decide. Sign in and review it there.")


@dataclass(frozen=True, slots=True)
class LockedAction:
    """An action with its suggestion and product. The suggestion's row is locked."""

    action: SuggestionAction
    suggestion: Suggestion
    product: Product

    @property
    def change(self) -> Change:
        return Change(self.action.change)

    @property
    def state(self) -> ActionState:
        return ActionState(self.action.state)

    @property
    def new_values(self) -> Mapping[str, Any]:
        """Return the values to set: as a manager edited them, else as proposed."""
        return self.action.proposed if self.action.edited is None else self.action.edited


def lock_action(session: Session, action_id: int, team_id: int | None = None) -> LockedAction:
    """Return an action as it is now; no other can decide on it until the transaction ends.

    Raises NotFoundError if it was removed with its product or belongs to another team.
    """
    suggestion_id = session.scalar(
        select(SuggestionAction.suggestion_id).where(SuggestionAction.id == action_id)
    )
    suggestion = None if suggestion_id is None else lock_suggestion(session, suggestion_id, team_id)
    action = session.get(SuggestionAction, action_id, populate_existing=True)
    if suggestion is None or action is None:
        raise NotFoundError("This suggestion no longer exists: its product was removed.")
    return LockedAction(action, suggestion, session.get_one(Product, suggestion.product_id))


def lock_suggestion(session: Session, suggestion_id: int, team_id: int | None = None) -> Suggestion:
    """Lock a suggestion's row and return it. Raises NotFoundError."""
    statement = select(Suggestion).where(Suggestion.id == suggestion_id).with_for_update()
    if team_id is not None:
        statement = statement.where(Suggestion.team_id == team_id)
    found = session.scalars(statement.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFoundError("This suggestion no longer exists, or belongs to another team.")
    return found


def transition(
    session: Session,
    locked: LockedAction,
    then: ActionState,
    now: datetime,
    by: ActorRef,
    why: str | None = None,
    **values: Any,
) -> bool:
    """Move an action from the state it was read in to `then`; return whether this call did.

    False if another transaction was first. Raises InvalidTransitionError for a transition that does
    not exist.
    """
    before = locked.state
    require_transition(before, then)
    changed = session.execute(
        update(SuggestionAction)
        .where(SuggestionAction.id == locked.action.id, SuggestionAction.state == before.value)
        .values(state=then.value, **values)
        .returning(SuggestionAction.id)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        return False
    session.refresh(locked.action)
    update_expected_value(session, locked.suggestion, locked.action, then, now)
    append_event(
        session, locked.suggestion.id, then.value, now, by, before.value, why, locked.action.id
    )
    if then in JOB_TRANSITIONS:
        _audit(session, locked, before, then, by, why)
    _update_suggestion_state(session, locked.suggestion, now)
    return True


JOB_TRANSITIONS = frozenset(
    {
        ActionState.VERIFIED,
        ActionState.UNSEEN,
        ActionState.STALE,
        ActionState.FAILED,
        ActionState.EXPIRED,
    }
)
"""Transitions that jobs make. The others are recorded by the operation that makes them."""


def _audit(
    session: Session,
    locked: LockedAction,
    before: ActionState,
    then: ActionState,
    by: ActorRef,
    why: str | None,
) -> None:
    """Record a transition in the team's audit log."""
    audit.record_transition(
        session,
        locked.suggestion.team_id,
        by.person_id,
        by.means,
        f"suggestion {then.value}",
        f"suggestion:{locked.suggestion.id}",
        {"state": before.value},
        {"state": then.value, "action": locked.action.id, "why": why},
    )


def _update_suggestion_state(session: Session, suggestion: Suggestion, now: datetime) -> None:
    """Set a suggestion's state to the one that follows from its actions."""
    states = session.scalars(
        select(SuggestionAction.state).where(SuggestionAction.suggestion_id == suggestion.id)
    )
    state = derive_suggestion_state(map(ActionState, states))
    if state.value == suggestion.state:
        return
    if suggestion.state == SuggestionState.PENDING.value:
        suggestion.decided_at = now
    suggestion.state = state.value
    session.flush()


def append_event(
    session: Session,
    suggestion_id: int,
    after: str,
    now: datetime,
    by: ActorRef,
    before: str | None = None,
    why: str | None = None,
    action_id: int | None = None,
) -> None:
    """Append an event to a suggestion's activity."""
    session.execute(
        insert(SuggestionEvent).values(
            suggestion_id=suggestion_id,
            action_id=action_id,
            at=now,
            person_id=by.person_id,
            means=by.means.value,
            before=before,
            after=after,
            why=why,
        )
    )


# Expiry


def expire_suggestions(
    session: Session, now: datetime, limit: int = 1000, *, product_id: int | None = None
) -> int:
    """Expire the pending actions of suggestions past their time; return how many.

    `product_id`: only suggestions about this product.
    """
    over = (
        select(SuggestionAction.id)
        .join(Suggestion, Suggestion.id == SuggestionAction.suggestion_id)
        .where(
            Suggestion.state == SuggestionState.PENDING.value,
            Suggestion.expires_at <= now,
            SuggestionAction.state == ActionState.PENDING.value,
        )
        .order_by(Suggestion.id, SuggestionAction.place)
        .limit(limit)
    )
    if product_id is not None:
        over = over.where(Suggestion.product_id == product_id)
    return sum(_expire(session, each, now) for each in list(session.scalars(over)))


def _expire(session: Session, action_id: int, now: datetime) -> bool:
    locked = lock_action(session, action_id)
    if locked.state is not ActionState.PENDING:
        return False  # a manager has decided in the meantime
    return transition(
        session, locked, ActionState.EXPIRED, now, BY_ITSELF, "It was not decided in time."
    )
