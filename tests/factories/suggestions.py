"""Builds an own product with a price and a listing, and advice on it. No tests here."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.suggestions.execution import verify
from core.suggestions.models import Suggestion, SuggestionAction, SuggestionEvent
from core.suggestions.proposals.store import store_advice
from core.suggestions.rules import (
    ActionState,
    Advice,
    Advisor,
    Change,
    Direction,
    Evidence,
    Metric,
    ProposedAction,
    SnapshotKey,
)
from core.tracking.rules import Role
from tests.factories.observations import NOON, store_observation
from tests.factories.products import KETTLE, LAMP, add_product, make_listing, track_products

PRICE = 2000
TITLE = "Reading lamp with a long neck"
SHORTER = "Reading lamp"


def own_lamp(session: Session, principal: Principal) -> int:
    """Track an own lamp that sells for 20.00; return its id."""
    [number] = track_products(session, principal, [LAMP], role=Role.OWN)
    show(session)
    return number


def show(session: Session, at: datetime = NOON, asin: str = LAMP, **values: Any) -> None:
    """Store an observation of a product's page, with its listing."""
    usual = {"listing": make_listing(TITLE), "price": PRICE}
    store_observation(session, at, asin, **(usual | values))


def kettle(session: Session, principal: Principal) -> int:
    """Track a kettle that is not the team's own; return its id."""
    [number] = track_products(session, principal, [KETTLE])
    return number


def proposed(
    change: Change, current: dict[str, Any], values: dict[str, Any], reason: str = "It sells."
) -> ProposedAction:
    return ProposedAction(change, current, values, reason)


def new_price(price: int = 1900, current: int | None = PRICE) -> ProposedAction:
    return proposed(Change.UPDATE_PRICE, {"price": current}, {"price": price})


def new_title(title: str = SHORTER, current: str = TITLE) -> ProposedAction:
    return proposed(Change.UPDATE_TITLE, {"title": current}, {"title": title})


def new_cadence(cadence: str = "hourly", current: str = "daily") -> ProposedAction:
    return proposed(Change.SET_CADENCE, {"cadence": current}, {"cadence": cadence})


def advice(*actions: ProposedAction, evidence: int = PRICE, **values: Any) -> Advice:
    """Return advice with these actions, by default one on the price."""
    usual: dict[str, Any] = {
        "title": "Ask for less",
        "reasoning": "Others ask for less.",
        "priority": 2,
        "confidence": 0.6,
        "metric": Metric.BSR,
        "direction": Direction.IMPROVES,
        "window_days": 14,
        "evidence": (price_now(evidence),),
        "actions": actions or (new_price(),),
    }
    return Advice(**(usual | values))


def price_now(price: int) -> Evidence:
    snapshots = (SnapshotKey(1, NOON, 1),)
    return Evidence("price_now", "Price now", price, "USD minor", None, snapshots)


def suggest(
    session: Session,
    principal: Principal,
    *actions: ProposedAction,
    now: datetime = NOON,
    asked_by: int | None = None,
    **values: Any,
) -> int:
    """Store advice about the lamp and return the suggestion's id."""
    made = advice(*actions, **values)
    number = store_advice(
        session, principal.team_id, add_product(session), made, Advisor.RULES, None, asked_by, now
    )
    assert number is not None
    return number


def actions_of(session: Session, suggestion_id: int) -> list[SuggestionAction]:
    """Return a suggestion's actions as they are now, in order."""
    session.expire_all()
    found = session.query(SuggestionAction).filter_by(suggestion_id=suggestion_id)
    return found.order_by(SuggestionAction.place).all()


def only_action(session: Session, suggestion_id: int) -> SuggestionAction:
    [action] = actions_of(session, suggestion_id)
    return action


def state_of(session: Session, suggestion_id: int) -> str:
    session.expire_all()
    return session.get_one(Suggestion, suggestion_id).state


def time_line(session: Session, suggestion_id: int) -> list[tuple[str | None, str]]:
    """Return the transitions of a suggestion: (before, after), in order."""
    found = session.query(SuggestionEvent).filter_by(suggestion_id=suggestion_id)
    return [(each.before, each.after) for each in found.order_by(SuggestionEvent.id)]


def verify_waiting(session: Session, now: datetime) -> tuple[int, int]:
    """Verify all pending applied actions; return how many became verified and unseen."""
    states = [
        verify.verify_action(session, each, now)
        for each in verify.list_unconfirmed_actions(session, now)
    ]
    return states.count(ActionState.VERIFIED), states.count(ActionState.UNSEEN)
