"""Approved changes are applied once, on the value that was reviewed, and can be taken back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.accounts.models import Person
from core.errors import NotAllowedError
from core.suggestions.changes.values import are_equal
from core.suggestions.execution import apply, export
from core.suggestions.execution.apply import undo
from core.suggestions.review.service import approve
from core.suggestions.rules import ActionState, Change, InvalidTransitionError
from core.tracking.competitors.models import Competitor
from core.tracking.service import pause
from tests.factories.observations import NOON
from tests.factories.people import add_colleague, add_member
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.suggestions import (
    actions_of,
    kettle,
    new_cadence,
    new_price,
    new_title,
    only_action,
    own_lamp,
    proposed,
    show,
    suggest,
    time_line,
)
from tests.factories.tables import fetch_rows

LATER = NOON + timedelta(hours=2)
THEN = LATER + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def lamp(session: Session, principal: Principal) -> int:
    return own_lamp(session, principal)


def approved(session: Session, principal: Principal, *actions: Any, **how: Any) -> int:
    """Return the id of the one action of a suggestion that was approved."""
    action_id = only_action(session, suggest(session, principal, *actions)).id
    assert approve(session, principal, action_id, LATER, **how).did
    return action_id


def applied(session: Session, principal: Principal, *actions: Any, **how: Any) -> int:
    action_id = approved(session, principal, *actions, **how)
    assert apply.apply(session, action_id, THEN) in (ActionState.APPLIED, ActionState.VERIFIED)
    return action_id


def action(session: Session, action_id: int) -> dict[str, Any]:
    [found] = fetch_rows(session, "SELECT * FROM suggestion_action WHERE id = :id", id=action_id)
    return found


def tracking(session: Session) -> dict[str, Any]:
    [found] = fetch_rows(
        session,
        "SELECT t.* FROM tracking t JOIN product p ON p.id = t.product_id "
        "WHERE p.asin = :asin AND t.is_first",
        asin=LAMP,
    )
    return found


def test_what_is_not_approved_is_not_applied(session: Session, principal: Principal) -> None:
    pending = only_action(session, suggest(session, principal)).id
    assert apply.list_approved_actions(session) == []
    assert apply.apply(session, pending, THEN) is ActionState.PENDING


SETTINGS = [
    (Change.SET_CADENCE, {"cadence": "daily"}, {"cadence": "hourly"}, "cadence"),
    (Change.SET_PRICE_THRESHOLD, {"percent": None}, {"percent": "7.5"}, "price_change_percent"),
    (Change.SET_RANK_THRESHOLD, {"percent": None}, {"percent": "60"}, "rank_change_percent"),
]


@pytest.mark.parametrize(("change", "before", "after", "column"), SETTINGS)
def test_a_setting_is_set_read_back_and_set_back(
    session: Session,
    principal: Principal,
    change: Change,
    before: dict[str, Any],
    after: dict[str, Any],
    column: str,
) -> None:
    [(key, old)] = before.items()
    action_id = applied(session, principal, proposed(change, before, after))
    kept = action(session, action_id)
    assert (kept["state"], kept["inverse"], kept["verified_at"]) == ("verified", before, THEN)
    assert are_equal({key: str(tracking(session)[column])}, after)
    assert undo(session, principal, action_id, THEN, "It was quieter before.")
    assert tracking(session)[column] == old
    assert action(session, action_id)["state"] == "undone"
    assert not undo(session, principal, action_id, THEN)


def test_a_faster_cadence_reaches_the_schedule(session: Session, principal: Principal) -> None:
    applied(session, principal, new_cadence("hourly"))
    [due] = fetch_rows(session, "SELECT cadence_minutes FROM fetch_schedule")
    assert due["cadence_minutes"] == 60


def test_an_edited_value_is_the_one_that_is_set(session: Session, principal: Principal) -> None:
    applied(session, principal, new_cadence("hourly"), edited={"cadence": "6h"})
    assert tracking(session)["cadence"] == "6h"


def test_a_pause_ends_for_those_for_whom_it_began(
    session: Session, principal: Principal, lamp: int
) -> None:
    resting, running = (
        add_colleague(session, principal, "Rests"),
        add_colleague(session, principal, "Runs"),
    )
    for mate in (resting, running):
        track_products(session, mate, [LAMP])
    pause(session, resting, [lamp])
    action_id = applied(session, principal, proposed(Change.PAUSE_TRACKING, {"paused": False}, {}))
    assert fetch_rows(session, "SELECT 1 FROM tracking WHERE paused_at IS NULL") == []
    undo(session, principal, action_id, THEN)
    running_now = fetch_rows(session, "SELECT person_id FROM tracking WHERE paused_at IS NULL")
    assert {row["person_id"] for row in running_now} == {principal.person_id, running.person_id}


def test_a_competitor_that_is_not_followed_is_followed_and_compared_with(
    session: Session, principal: Principal, lamp: int
) -> None:
    wanted = {"marketplace": "US", "asin": KETTLE}
    action_id = applied(session, principal, proposed(Change.ADD_COMPETITOR, {}, wanted))
    [row] = session.query(Competitor)
    assert row.product_id == lamp
    assert fetch_rows(session, "SELECT 1 FROM tracking WHERE role = 'competitor'")
    undo(session, principal, action_id, THEN)
    assert session.query(Competitor).count() == 0
    assert not fetch_rows(session, "SELECT 1 FROM tracking WHERE role = 'competitor'")


def test_a_competitor_that_was_followed_before_stays_followed(
    session: Session, principal: Principal
) -> None:
    kettle(session, principal)
    wanted = {"marketplace": "US", "asin": KETTLE}
    action_id = applied(session, principal, proposed(Change.ADD_COMPETITOR, {}, wanted))
    undo(session, principal, action_id, THEN)
    assert len(fetch_rows(session, "SELECT 1 FROM tracking")) == 2


def test_a_competitor_of_another_marketplace_fails_and_leaves_nothing(
    session: Session, principal: Principal
) -> None:
    wanted = {"marketplace": "DE", "asin": KETTLE}
    action_id = approved(session, principal, proposed(Change.ADD_COMPETITOR, {}, wanted))
    assert apply.apply(session, action_id, THEN) is ActionState.FAILED
    assert "marketplace" in action(session, action_id)["trouble"]
    assert len(fetch_rows(session, "SELECT 1 FROM tracking")) == 1


def test_a_listing_change_becomes_part_of_a_change_set_and_waits_to_be_seen(
    session: Session, principal: Principal
) -> None:
    action_id = approved(session, principal, new_title())
    assert apply.apply(session, action_id, THEN) is ActionState.APPLIED
    kept = action(session, action_id)
    assert kept["inverse"] == {"title": "Reading lamp with a long neck"}
    assert kept["verify_until"] == THEN + timedelta(days=14)
    [event] = fetch_rows(session, "SELECT * FROM suggestion_event WHERE after = 'applied'")
    assert (event["person_id"], event["means"]) == (principal.person_id, "job")
    [audited] = fetch_rows(session, "SELECT * FROM audit_event WHERE verb = 'applied suggestion'")
    assert audited["means"] == "job"
    before, after = "Reading lamp with a long neck", "Reading lamp"
    assert audited["old"] == {"state": "approved", "value": {"title": before}}
    expected = {"state": "applied", "value": {"title": after}, "action": action_id}
    assert audited["new"] == expected
    undo(session, principal, action_id, THEN)
    [audited] = fetch_rows(session, "SELECT * FROM audit_event WHERE verb = 'undid suggestion'")
    assert audited["old"] == {"state": "applied", "value": {"title": after}}
    assert audited["new"] == expected | {"state": "undone", "value": {"title": before}}


def test_applying_twice_does_it_once(session: Session, principal: Principal) -> None:
    number = suggest(session, principal)
    [waiting] = actions_of(session, number)
    approve(session, principal, waiting.id, LATER)
    assert apply.list_approved_actions(session) == [waiting.id]
    for _ in range(2):
        assert apply.apply(session, waiting.id, THEN) is ActionState.APPLIED
    assert time_line(session, number) == [
        (None, "pending"),
        ("pending", "approved"),
        ("approved", "applied"),
    ]


def test_a_value_that_changed_after_the_approval_is_not_overwritten(
    session: Session, principal: Principal
) -> None:
    action_id = approved(session, principal)
    show(session, LATER + timedelta(seconds=1), price=1850)
    assert apply.apply(session, action_id, THEN) is ActionState.STALE
    trouble = action(session, action_id)["trouble"]
    assert "$20.00" in trouble
    assert "$18.50" in trouble


def test_a_setting_that_changed_after_the_approval_is_not_overwritten(
    session: Session, principal: Principal
) -> None:
    action_id = approved(session, principal, new_cadence("hourly"))
    session.execute(text("UPDATE tracking SET cadence = 'weekly'"))
    assert apply.apply(session, action_id, THEN) is ActionState.STALE
    assert tracking(session)["cadence"] == "weekly"


def test_who_approved_and_may_not_any_more_is_not_acted_for(
    session: Session, principal: Principal
) -> None:
    manager = add_member(session, principal, Role.MANAGER)
    action_id = approved(session, manager, new_cadence("hourly"))
    session.get_one(Person, manager.person_id).state = "disabled"
    session.flush()
    assert apply.apply(session, action_id, THEN) is ActionState.FAILED
    assert tracking(session)["cadence"] == "daily"
    assert approve(session, principal, action_id, THEN).did  # by a manager
    assert apply.apply(session, action_id, THEN) is ActionState.VERIFIED


def test_a_demoted_manager_is_not_acted_for(session: Session, principal: Principal) -> None:
    manager = add_member(session, principal, Role.MANAGER)
    action_id = approved(session, manager)
    session.get_one(Person, manager.person_id).role = "seller"
    session.flush()
    assert apply.apply(session, action_id, THEN) is ActionState.FAILED


def test_sellers_take_nothing_back(session: Session, principal: Principal) -> None:
    action_id = applied(session, principal)
    with pytest.raises(NotAllowedError):
        undo(session, add_member(session, principal, Role.SELLER), action_id, THEN)


def test_what_was_not_applied_is_not_taken_back(session: Session, principal: Principal) -> None:
    with pytest.raises(InvalidTransitionError):
        undo(session, principal, approved(session, principal, new_cadence()), THEN)


def test_a_setting_that_was_changed_since_is_not_set_back(
    session: Session, principal: Principal
) -> None:
    action_id = applied(session, principal, new_cadence("hourly"))
    session.execute(text("UPDATE tracking SET cadence = 'weekly'"))
    with pytest.raises(InvalidTransitionError, match="weekly"):
        undo(session, principal, action_id, THEN)
    assert action(session, action_id)["state"] == "verified"


def test_a_change_set_holds_what_was_applied_and_what_takes_it_back(
    session: Session, principal: Principal
) -> None:
    seller = add_member(session, principal, Role.SELLER)
    coupon = proposed(Change.SET_COUPON, {}, {"percent": 5})
    number = suggest(session, principal, new_price(1900), coupon)
    first, second = actions_of(session, number)
    for each in (first, second):
        approve(session, principal, each.id, LATER)
    apply.apply(session, first.id, THEN)
    made = export.export_change_set(session, seller, [number])
    assert [(step.action_id, step.to_copy) for step in made.checklist] == [(first.id, "19.00")]
    undo(session, principal, first.id, THEN)
    made = export.export_change_set(session, seller, [number])
    assert [step.to_copy for step in made.checklist] == ["20.00"]


def test_taking_back_a_coupon_sets_the_one_from_before_whatever_its_sort(
    session: Session, principal: Principal
) -> None:
    show(session, NOON + timedelta(minutes=1), coupon_amount=300)
    before = {"percent": None, "amount": 300}
    action_id = applied(session, principal, proposed(Change.SET_COUPON, before, {"percent": 5}))
    undo(session, principal, action_id, THEN)
    [number] = [row["id"] for row in fetch_rows(session, "SELECT id FROM suggestion")]
    [step] = export.export_change_set(session, principal, [number]).checklist
    assert step.to_copy == "3.00"


def test_a_change_set_is_the_teams_own(session: Session, principal: Principal) -> None:
    applied(session, principal)
    [number] = [row["id"] for row in fetch_rows(session, "SELECT id FROM suggestion")]
    elsewhere = replace(principal, team_id=principal.team_id + 1)
    assert export.export_change_set(session, elsewhere, [number]).checklist == ()


def test_an_order_is_made_of_what_is_approved_and_holds(
    session: Session, principal: Principal
) -> None:
    action_id = approved(session, principal)
    order = export.find_push_request(session, action_id)
    assert order is not None
    assert (order.asin, order.before, order.after) == (LAMP, {"price": 2000}, {"price": 1900})
    show(session, LATER + timedelta(seconds=1), price=1850)
    assert export.find_push_request(session, action_id) is None


def test_settings_are_no_orders(session: Session, principal: Principal) -> None:
    assert export.find_push_request(session, approved(session, principal, new_cadence())) is None


def test_what_could_not_be_pushed_may_be_approved_again(
    session: Session, principal: Principal
) -> None:
    action_id = approved(session, principal)
    assert (
        apply.mark_failed(session, action_id, THEN, "The connector is closed.")
        is ActionState.FAILED
    )
    assert action(session, action_id)["trouble"] == "The connector is closed."
    assert approve(session, principal, action_id, THEN).did
    assert action(session, action_id)["trouble"] is None
