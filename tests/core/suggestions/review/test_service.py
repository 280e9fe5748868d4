"""Managers approve and decline: once, within the caps and rules, on what they saw."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role, Scope, Via
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.history.observation import Availability
from core.suggestions import lifecycle
from core.suggestions.execution import apply
from core.suggestions.models import SuggestionAction
from core.suggestions.review import service
from core.suggestions.review.service import Decision, approve, decline
from core.suggestions.rules import ActionState, Change, InvalidTransitionError
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.price_caps.service import set_price_cap
from tests.factories.observations import NOON
from tests.factories.people import add_member, add_stranger
from tests.factories.suggestions import (
    SHORTER,
    actions_of,
    new_cadence,
    new_price,
    new_title,
    only_action,
    own_lamp,
    proposed,
    show,
    state_of,
    suggest,
    time_line,
)
from tests.factories.tables import fetch_rows

LATER = NOON + timedelta(hours=2)


@pytest.fixture(autouse=True)
def lamp(session: Session, principal: Principal) -> int:
    return own_lamp(session, principal)


@pytest.fixture
def manager(session: Session, principal: Principal) -> Principal:
    return add_member(session, principal, Role.MANAGER)


def suggest_pending(session: Session, principal: Principal, *actions: Any, **values: Any) -> int:
    """Return the id of the one action of a new suggestion."""
    return only_action(session, suggest(session, principal, *actions, **values)).id


def test_a_manager_approves_and_it_is_on_record(
    session: Session, principal: Principal, manager: Principal
) -> None:
    number = suggest(session, principal)
    action = only_action(session, number)
    done = approve(session, manager, action.id, LATER, reason="Worth a try.")
    assert done == Decision(action.id, ActionState.APPROVED, True)
    action = only_action(session, number)
    assert (action.decided_by, action.decided_at, action.decision_reason, action.edited) == (
        manager.person_id,
        LATER,
        "Worth a try.",
        None,
    )
    assert state_of(session, number) == "approved"
    [event] = fetch_rows(session, "SELECT * FROM suggestion_event WHERE before = 'pending'")
    assert (event["person_id"], event["after"], event["why"], event["means"], event["at"]) == (
        manager.person_id,
        "approved",
        "Worth a try.",
        "page",
        LATER,
    )
    [audited] = fetch_rows(session, "SELECT * FROM audit_event WHERE verb = 'approved suggestion'")
    assert audited["new"]["wanted"] == {"price": 1900}
    assert (audited["old"]["state"], audited["new"]["state"]) == ("pending", "approved")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SELLER])
def test_no_role_below_manager_decides(session: Session, principal: Principal, role: Role) -> None:
    action_id, low = suggest_pending(session, principal), add_member(session, principal, role)
    with pytest.raises(NotAllowedError):
        approve(session, low, action_id, LATER)
    with pytest.raises(NotAllowedError):
        decline(session, low, action_id, LATER, "No.")


@pytest.mark.parametrize(
    "program",
    [
        {"via": Via.TOOL},
        {"via": Via.JOB},
        {"via": Via.COMMAND},
        {"scopes": frozenset(Scope)},
    ],
)
def test_no_program_decides(
    session: Session, principal: Principal, program: dict[str, Any]
) -> None:
    action_id, who = suggest_pending(session, principal), replace(principal, **program)
    number = session.get_one(SuggestionAction, action_id).suggestion_id
    for decide in (
        lambda: approve(session, who, action_id, LATER),
        lambda: service.approve_all(session, who, number, LATER),
        lambda: decline(session, who, action_id, LATER, "No."),
        lambda: service.decline_all(session, who, number, LATER, "No."),
        lambda: apply.undo(session, who, action_id, LATER),
    ):
        with pytest.raises(NotAllowedError):
            decide()


def test_another_teams_suggestion_is_not_there(session: Session, principal: Principal) -> None:
    action_id, outsider = suggest_pending(session, principal), add_stranger(session)
    for decide in (
        lambda: approve(session, outsider, action_id, LATER),
        lambda: decline(session, outsider, action_id, LATER, "No."),
        lambda: apply.undo(session, outsider, action_id, LATER),
    ):
        with pytest.raises(NotFoundError):
            decide()


def test_the_same_approval_sent_twice_does_it_once(session: Session, principal: Principal) -> None:
    number = suggest(session, principal)
    action_id = only_action(session, number).id
    assert approve(session, principal, action_id, LATER).did
    again = approve(session, principal, action_id, LATER, edited={"price": 1800})
    assert (again.did, again.state) == (False, ActionState.APPROVED)
    assert only_action(session, number).edited is None
    assert time_line(session, number) == [(None, "pending"), ("pending", "approved")]


def test_an_edited_value_is_kept_beside_the_original(
    session: Session, principal: Principal
) -> None:
    number = suggest(session, principal)
    approve(session, principal, only_action(session, number).id, LATER, edited={"price": 1950})
    action = only_action(session, number)
    assert (action.proposed, action.edited) == ({"price": 1900}, {"price": 1950})


def test_what_was_typed_without_a_change_is_no_edit(session: Session, principal: Principal) -> None:
    number = suggest(session, principal, new_title())
    edited = {"title": f" {SHORTER} "}
    approve(session, principal, only_action(session, number).id, LATER, edited=edited)
    assert only_action(session, number).edited is None
    assert fetch_rows(session, "SELECT edited IS NULL AS is_so FROM suggestion_action") == [
        {"is_so": True}
    ]


@pytest.mark.parametrize("price", [0, -5, 1500, 2500, 1750, "1900", True, 1900.5, None])
def test_a_price_outside_the_caps_is_not_approved(
    session: Session, principal: Principal, lamp: int, price: Any
) -> None:
    set_price_cap(session, principal, lamp, PriceCaps(1800, 2200, 20))
    number = suggest(session, principal)
    with pytest.raises(InvalidInputError):
        approve(session, principal, only_action(session, number).id, LATER, edited={"price": price})
    assert state_of(session, number) == "pending"


def test_caps_that_were_set_since_hold_for_the_proposal_too(
    session: Session, principal: Principal, lamp: int
) -> None:
    action_id = suggest_pending(session, principal)
    set_price_cap(session, principal, lamp, PriceCaps(floor=1950))
    with pytest.raises(InvalidInputError, match="floor"):
        approve(session, principal, action_id, LATER)


@pytest.mark.parametrize("coupon", [{"percent": 20}, {"amount": 300}, {"amount": 2000}])
def test_a_coupon_does_not_take_a_price_below_its_floor(
    session: Session, principal: Principal, lamp: int, coupon: dict[str, int]
) -> None:
    set_price_cap(session, principal, lamp, PriceCaps(floor=1800))
    action_id = suggest_pending(session, principal, proposed(Change.SET_COUPON, {}, {"percent": 5}))
    with pytest.raises(InvalidInputError, match="floor"):
        approve(session, principal, action_id, LATER, edited=coupon)
    assert approve(session, principal, action_id, LATER).did


def test_two_prices_are_not_on_their_way_at_once(session: Session, principal: Principal) -> None:
    first = suggest_pending(session, principal, new_price(1900))
    second = suggest_pending(session, principal, new_price(1950))
    approve(session, principal, first, LATER)
    with pytest.raises(InvalidInputError, match=r"approved or to be published: \$19.00"):
        approve(session, principal, second, LATER)
    apply.apply(session, first, LATER)
    with pytest.raises(InvalidInputError, match="or undo it"):
        approve(session, principal, second, LATER)
    apply.undo(session, principal, first, LATER)
    assert approve(session, principal, second, LATER).did


def test_a_price_and_a_title_may_be_on_their_way_at_once(
    session: Session, principal: Principal
) -> None:
    for change in (new_price(1900), new_title()):
        assert approve(session, principal, suggest_pending(session, principal, change), LATER).did


def test_a_text_that_breaks_a_listing_rule_is_not_approved(
    session: Session, principal: Principal
) -> None:
    action_id = suggest_pending(session, principal, new_title())
    with pytest.raises(InvalidInputError):
        approve(session, principal, action_id, LATER, edited={"title": "Lamp " * 60})
    assert approve(session, principal, action_id, LATER, edited={"title": "Desk lamp"}).did


def test_declining_takes_a_reason(
    session: Session, principal: Principal, manager: Principal
) -> None:
    number = suggest(session, principal)
    action_id = only_action(session, number).id
    with pytest.raises(InvalidInputError):
        decline(session, manager, action_id, LATER, "  ")
    assert decline(session, manager, action_id, LATER, "Too cheap.").did
    assert not decline(session, manager, action_id, LATER, "Again.").did
    assert only_action(session, number).decision_reason == "Too cheap."
    assert state_of(session, number) == "declined"


def test_what_was_declined_is_not_approved_any_more(session: Session, principal: Principal) -> None:
    action_id = suggest_pending(session, principal)
    decline(session, principal, action_id, LATER, "No.")
    with pytest.raises(InvalidTransitionError):
        approve(session, principal, action_id, LATER)


def test_some_actions_can_be_approved_and_others_declined(
    session: Session, principal: Principal
) -> None:
    number = suggest(session, principal, new_price(1900), new_price(1950))
    first, second = actions_of(session, number)
    approve(session, principal, first.id, LATER)
    assert state_of(session, number) == "pending"
    decline(session, principal, second.id, LATER, "One is enough.")
    assert state_of(session, number) == "partly_approved"


def test_all_actions_are_decided_together_or_none(session: Session, principal: Principal) -> None:
    brand = proposed(Change.UPDATE_BRAND, {"brand": "Lumo"}, {"brand": "Lumora"})
    number = suggest(session, principal, new_title(), brand)
    assert [each.did for each in service.approve_all(session, principal, number, LATER)] == [
        True
    ] * 2
    assert service.approve_all(session, principal, number, LATER) == []
    other = suggest(session, principal, new_title("A"), new_title("B"))
    service.decline_all(session, principal, other, LATER, "Too short.")
    assert state_of(session, other) == "declined"


def test_tracking_is_decided_in_bulk_and_prices_are_not(
    session: Session, principal: Principal
) -> None:
    tracking = [
        suggest(session, principal, new_cadence("hourly")),
        suggest(session, principal, new_cadence("6h")),
    ]
    price = suggest(session, principal)
    with pytest.raises(InvalidInputError, match="one by one"):
        service.approve_many(session, principal, [*tracking, price], LATER)
    assert len(service.approve_many(session, principal, tracking[:1], LATER)) == 1
    assert len(service.decline_many(session, principal, tracking, LATER, "Enough.")) == 1
    assert [state_of(session, each) for each in tracking] == ["approved", "declined"]
    assert state_of(session, price) == "pending"


def test_with_four_eyes_who_asked_does_not_approve(
    session: Session, principal: Principal, manager: Principal
) -> None:
    action_id = suggest_pending(session, principal, asked_by=manager.person_id)
    with pytest.raises(NotAllowedError):
        service.set_second_approver(session, manager, True)
    service.set_second_approver(session, principal, True)
    with pytest.raises(NotAllowedError, match="another user"):
        approve(session, manager, action_id, LATER)
    assert approve(session, principal, action_id, LATER).did


def test_without_four_eyes_who_asked_may_approve(
    session: Session, principal: Principal, manager: Principal
) -> None:
    action_id = suggest_pending(session, principal, asked_by=manager.person_id)
    assert approve(session, manager, action_id, LATER).did


def test_its_time_may_be_over_while_it_is_reviewed(session: Session, principal: Principal) -> None:
    number = suggest(session, principal)
    done = approve(session, principal, only_action(session, number).id, NOON + timedelta(days=8))
    assert (done.state, done.did) == (ActionState.EXPIRED, False)
    assert state_of(session, number) == "expired"


def test_an_undecided_suggestion_expires_once(session: Session, principal: Principal) -> None:
    price, cadence = suggest(session, principal), suggest(session, principal, new_cadence())
    week = NOON + timedelta(days=7)
    assert lifecycle.expire_suggestions(session, week - timedelta(seconds=1)) == 0
    assert lifecycle.expire_suggestions(session, week) == 1
    assert lifecycle.expire_suggestions(session, week) == 0
    assert [state_of(session, each) for each in (price, cadence)] == ["expired", "pending"]
    assert time_line(session, price)[-1] == ("pending", "expired")


def test_a_value_that_changed_meanwhile_makes_it_stale_with_both_values(
    session: Session, principal: Principal
) -> None:
    number = suggest(session, principal)
    show(session, NOON + timedelta(hours=1), price=2100)
    done = approve(session, principal, only_action(session, number).id, LATER)
    assert (done.state, done.did) == (ActionState.STALE, False)
    trouble = only_action(session, number).trouble or ""
    assert "$20.00" in trouble
    assert "$21.00" in trouble


def test_a_product_whose_page_vanished_makes_it_stale(
    session: Session, principal: Principal
) -> None:
    number = suggest(session, principal)
    show(
        session,
        NOON + timedelta(hours=1),
        price=None,
        price_basis=None,
        availability=Availability.GONE,
    )
    done = approve(session, principal, only_action(session, number).id, LATER)
    assert (done.state, done.why) == (ActionState.STALE, "The product's page is gone.")


def test_a_product_no_longer_tracked_makes_it_stale(session: Session, principal: Principal) -> None:
    action_id = suggest_pending(session, principal)
    session.execute(text("DELETE FROM tracking"))
    assert approve(session, principal, action_id, LATER).state is ActionState.STALE


def test_a_product_that_was_removed_takes_its_suggestions_along(
    session: Session, principal: Principal, lamp: int
) -> None:
    action_id = suggest_pending(session, principal)
    session.execute(text("DELETE FROM product WHERE id = :id"), {"id": lamp})
    with pytest.raises(NotFoundError):
        approve(session, principal, action_id, LATER)
