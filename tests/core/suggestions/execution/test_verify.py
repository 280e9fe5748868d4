"""An applied change is verified by the next accepted check that shows it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access import audit, audit_text
from core.accounts.access.permissions import Principal
from core.suggestions.execution import apply
from core.suggestions.models import SuggestionAction
from core.suggestions.review.service import approve
from core.suggestions.rules import Change
from tests.factories.observations import NOON
from tests.factories.products import make_listing
from tests.factories.suggestions import (
    SHORTER,
    TITLE,
    new_price,
    new_title,
    only_action,
    own_lamp,
    proposed,
    show,
    suggest,
    verify_waiting,
)

APPLIED = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def lamp(session: Session, principal: Principal) -> int:
    return own_lamp(session, principal)


def hours(number: float) -> datetime:
    return APPLIED + timedelta(hours=number)


def applied(session: Session, principal: Principal, *actions: Any) -> int:
    number = suggest(session, principal, *actions)
    action_id = only_action(session, number).id
    approve(session, principal, action_id, APPLIED)
    apply.apply(session, action_id, APPLIED)
    return number


def seen(session: Session, number: int) -> SuggestionAction:
    return only_action(session, number)


def test_the_first_observation_with_the_new_price_verifies_it(
    session: Session, principal: Principal
) -> None:
    number = applied(session, principal)
    show(session, hours(1))
    assert verify_waiting(session, hours(1.5)) == (0, 0)
    show(session, hours(2), price=1900)
    show(session, hours(3), price=1900)
    assert verify_waiting(session, hours(4)) == (1, 0)
    action = seen(session, number)
    assert (action.state, action.verified_at) == ("verified", hours(4))
    assert (action.seen_at, action.seen_source) == (hours(2), 1)
    assert verify_waiting(session, hours(5)) == (0, 0)


def test_an_observation_from_before_it_was_applied_verifies_nothing(
    session: Session, principal: Principal
) -> None:
    show(session, NOON - timedelta(hours=1), price=1900)
    applied(session, principal)
    assert verify_waiting(session, hours(1)) == (0, 0)


def test_a_flagged_observation_verifies_nothing(session: Session, principal: Principal) -> None:
    applied(session, principal)
    show(session, hours(1), price=1900, currency="EUR")
    assert verify_waiting(session, hours(2)) == (0, 0)


CONTENT = [
    (Change.UPDATE_TITLE, {"title": TITLE}, {"title": SHORTER}, {"title": f" {SHORTER}  "}),
    (
        Change.UPDATE_BULLETS,
        {"bullets": ["Bends", "Shines"]},
        {"bullets": ["Bends in every direction", "Shines all night", "Stands on any table"]},
        {"bullets": ("Bends in every direction", "Shines all night", "Stands on any table")},
    ),
    (
        Change.UPDATE_DESCRIPTION,
        {"description": "A lamp."},
        {"description": "A lamp that bends."},
        {"description": "A lamp that bends."},
    ),
    (Change.UPDATE_BRAND, {"brand": "Lumo"}, {"brand": "Lumora"}, {"brand": "Lumora"}),
    (Change.ADD_IMAGES, {"count": 1}, {"count": 3}, {"images": ("a", "b", "c", "d")}),
    (
        Change.UPDATE_CATEGORY,
        {"category_path": ["Home", "Lamps"]},
        {"category_path": ["Home", "Desk Lamps"]},
        {"category_path": ("Home", "Desk Lamps")},
    ),
]


@pytest.mark.parametrize(("change", "before", "after", "page"), CONTENT)
def test_the_first_listing_with_the_new_content_verifies_it(
    session: Session,
    principal: Principal,
    change: Change,
    before: dict[str, Any],
    after: dict[str, Any],
    page: dict[str, Any],
) -> None:
    number = applied(session, principal, proposed(change, before, after))
    assert seen(session, number).state == "applied"
    show(session, hours(1), listing=make_listing(TITLE, images=("one", "two")))
    assert verify_waiting(session, hours(2)) == (0, 0)
    show(session, hours(2), listing=make_listing(**({"title": TITLE} | page)))
    assert verify_waiting(session, hours(3)) == (1, 0)
    assert seen(session, number).seen_at == hours(2)


@pytest.mark.parametrize("shown", ["desk lamp  of brass", "Desk lamp of…"])
def test_what_amazon_changes_of_a_text_is_still_it(
    session: Session, principal: Principal, shown: str
) -> None:
    number = applied(session, principal, new_title("Desk lamp of brass"))
    show(session, hours(1), listing=make_listing(shown))
    assert verify_waiting(session, hours(2)) == (1, 0)
    assert seen(session, number).seen_at == hours(1)


def test_a_coupon_is_verified_by_an_observation_that_shows_it(
    session: Session, principal: Principal
) -> None:
    number = applied(session, principal, proposed(Change.SET_COUPON, {}, {"percent": 5}))
    show(session, hours(1), coupon_percent=10)
    assert verify_waiting(session, hours(2)) == (0, 0)
    show(session, hours(3), coupon_percent=5)
    assert verify_waiting(session, hours(4)) == (1, 0)
    assert seen(session, number).state == "verified"


def test_a_coupon_of_an_amount_is_verified_by_the_amount(
    session: Session, principal: Principal
) -> None:
    number = applied(session, principal, proposed(Change.SET_COUPON, {}, {"amount": 300}))
    show(session, hours(1), coupon_amount=200)
    assert verify_waiting(session, hours(2)) == (0, 0)
    show(session, hours(3), coupon_amount=300)
    assert verify_waiting(session, hours(4)) == (1, 0)
    assert seen(session, number).state == "verified"


def test_what_is_not_seen_in_time_is_not_confirmed_and_may_still_come(
    session: Session, principal: Principal
) -> None:
    number = applied(session, principal, new_price(1900))
    assert verify_waiting(session, APPLIED + timedelta(days=13)) == (0, 0)
    over = APPLIED + timedelta(days=14)
    assert verify_waiting(session, over) == (0, 1)
    assert verify_waiting(session, over) == (0, 0)
    action = seen(session, number)
    assert action.state == "unseen"
    assert "14 days" in (action.trouble or "")
    show(session, over + timedelta(hours=1), price=1900)
    assert verify_waiting(session, over + timedelta(hours=2)) == (1, 0)
    assert seen(session, number).trouble is None


def test_search_terms_are_on_no_page(session: Session, principal: Principal) -> None:
    terms = proposed(Change.UPDATE_SEARCH_TERMS, {}, {"search_terms": "lamp desk"})
    number = applied(session, principal, terms)
    assert verify_waiting(session, APPLIED + timedelta(days=15)) == (0, 1)
    assert "No page shows this" in (seen(session, number).trouble or "")


def test_a_title_that_was_not_changed_yet_waits(session: Session, principal: Principal) -> None:
    applied(session, principal, new_title())
    assert verify_waiting(session, hours(1)) == (0, 0)


def test_the_audit_has_the_steps_of_jobs(session: Session, principal: Principal) -> None:
    applied(session, principal, new_price(1900))
    verify_waiting(session, APPLIED + timedelta(days=14))
    show(session, APPLIED + timedelta(days=15), price=1900)
    verify_waiting(session, APPLIED + timedelta(days=16))
    events = audit.list_events(session, principal)
    verified, unseen, set_by = events[0], events[1], events[2]
    assert [each.verb for each in (verified, unseen, set_by)] == [
        "suggestion verified",
        "suggestion unseen",
        "applied suggestion",
    ]
    assert (verified.person, verified.via, set_by.person) == (None, "job", principal.name)
    assert verified.old == {"state": "unseen"}
    assert audit_text.actor_text(verified) == "worker"
    assert "14 days" in audit_text.changes_text(unseen)
    assert audit.seal_events(session) == len(events)
    assert audit.verify_chain(session).is_intact
