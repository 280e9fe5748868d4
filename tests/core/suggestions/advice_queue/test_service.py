"""When products are queued for advice, and that no facts are asked about twice."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.accounts.models import Team
from core.errors import NotAllowedError
from core.suggestions.advice_queue import service
from core.suggestions.advice_queue.service import (
    LEASE,
    DueProduct,
    request_advice,
)
from core.suggestions.models import AdviceCall, AdviceDue, Suggestion
from core.suggestions.review.service import decline
from tests.factories.observations import NOON
from tests.factories.people import add_member, add_stranger
from tests.factories.products import make_listing
from tests.factories.suggestions import actions_of, kettle, own_lamp, show

EVIL = "Lamp! " * 50  # breaks three listing rules
MORNING = datetime(2026, 3, 3, 8, tzinfo=UTC)


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return own_lamp(session, principal)


def list_queued(session: Session) -> list[int]:
    session.expire_all()
    return sorted(each.product_id for each in session.query(AdviceDue))


def zone(session: Session, principal: Principal, name: str) -> None:
    session.get_one(Team, principal.team_id).time_zone = name
    session.flush()


def test_own_products_are_queued_at_eight_once_a_day(
    session: Session, principal: Principal, lamp: int
) -> None:
    kettle(session, principal)
    assert service.plan_daily(session, MORNING - timedelta(seconds=1)) == 0
    assert service.plan_daily(session, MORNING) == 1
    assert list_queued(session) == [lamp]
    session.query(AdviceDue).delete()
    assert service.plan_daily(session, MORNING + timedelta(hours=10)) == 0
    assert service.plan_daily(session, MORNING + timedelta(days=1)) == 1


@pytest.mark.parametrize(
    ("name", "first", "before"),
    [
        ("Asia/Tokyo", datetime(2026, 3, 2, 23, tzinfo=UTC), timedelta(minutes=1)),
        ("America/New_York", datetime(2026, 3, 3, 13, tzinfo=UTC), timedelta(hours=12)),
        # The clocks went forward in the night before.
        ("America/New_York", datetime(2026, 3, 8, 12, tzinfo=UTC), timedelta(minutes=1)),
    ],
)
def test_eight_is_by_the_teams_clock(
    session: Session, principal: Principal, lamp: int, name: str, first: datetime, before: timedelta
) -> None:
    zone(session, principal, name)
    session.execute(
        text(
            "INSERT INTO suggestion_settings (team_id, advised_on) VALUES (:team, :day) "
            "ON CONFLICT (team_id) DO UPDATE SET advised_on = excluded.advised_on"
        ),
        {"team": principal.team_id, "day": (first - timedelta(hours=20)).date()},
    )
    assert service.plan_daily(session, first - before) == 0
    assert service.plan_daily(session, first) == 1


def test_an_unchanged_product_is_queued_again_after_a_week(
    session: Session, principal: Principal, lamp: int
) -> None:
    round_of(session, MORNING, service.plan_daily(session, MORNING))
    assert service.plan_daily(session, MORNING + timedelta(days=1)) == 0
    assert service.plan_daily(session, MORNING + timedelta(days=8)) == 1


def test_a_changed_product_is_queued_the_next_day(
    session: Session, principal: Principal, lamp: int
) -> None:
    round_of(session, MORNING, service.plan_daily(session, MORNING))
    show(session, MORNING + timedelta(hours=20), price=1500)
    assert service.plan_daily(session, MORNING + timedelta(days=1)) == 1


def round_of(session: Session, now: datetime, expected: int) -> int:
    """Ask the rules about all queued products; return the number of new suggestions."""
    due = service.claim_due(session, now, 10)
    assert len(due) == expected
    stored = sum(
        service.answer_by_rules(session, each, now)
        for each in service.make_requests(session, due, now)
    )
    service.finish_due(session, due)
    return stored


def test_advice_can_be_requested_for_own_products_only(
    session: Session, principal: Principal, lamp: int
) -> None:
    seller, other = add_member(session, principal, Role.SELLER), kettle(session, principal)
    assert request_advice(session, seller, [lamp, other], NOON) == 1
    [due] = session.query(AdviceDue)
    assert (due.product_id, due.asked_by) == (lamp, seller.person_id)
    assert request_advice(session, add_stranger(session), [lamp], NOON) == 0
    with pytest.raises(NotAllowedError):
        request_advice(session, add_member(session, principal, Role.VIEWER), [lamp], NOON)


def test_a_claim_expires(session: Session, principal: Principal, lamp: int) -> None:
    request_advice(session, principal, [lamp], NOON)
    claimed = service.claim_due(session, NOON, 10)
    assert claimed == [DueProduct(principal.team_id, lamp, principal.person_id, NOON)]
    assert service.claim_due(session, NOON + LEASE - timedelta(seconds=1), 10) == []
    assert service.claim_due(session, NOON + LEASE, 10) == claimed


def test_a_product_requested_again_in_the_meantime_stays_queued(
    session: Session, principal: Principal, lamp: int
) -> None:
    request_advice(session, principal, [lamp], NOON)
    claimed = service.claim_due(session, NOON, 10)
    request_advice(session, principal, [lamp], NOON + timedelta(minutes=1))
    service.finish_due(session, claimed)
    assert len(service.claim_due(session, NOON + timedelta(minutes=2), 10)) == 1


def test_failed_advice_is_retried_after_an_hour(
    session: Session, principal: Principal, lamp: int
) -> None:
    request_advice(session, principal, [lamp], NOON)
    [due] = service.claim_due(session, NOON, 10)
    service.postpone(session, due, NOON)
    assert service.claim_due(session, NOON + timedelta(minutes=59), 10) == []
    assert service.claim_due(session, NOON + timedelta(hours=1), 10) == [due]


def test_the_rules_are_not_asked_twice_about_the_same_facts(
    session: Session, principal: Principal, lamp: int
) -> None:
    show(session, NOON + timedelta(hours=1), listing=make_listing(EVIL))
    later = NOON + timedelta(hours=2)
    request_advice(session, principal, [lamp], later)
    stored = round_of(session, later, 1)
    assert stored > 0
    request_advice(session, principal, [lamp], later)
    assert round_of(session, later + timedelta(minutes=5), 1) == 0
    [call] = session.query(AdviceCall)
    assert (call.advisor, call.state, call.suggestions) == ("rules", "ok", stored)
    assert {each.asked_by for each in session.query(Suggestion)} == {principal.person_id}


def test_a_declined_suggestion_does_not_come_back_with_the_next_check(
    session: Session, principal: Principal, lamp: int
) -> None:
    show(session, NOON + timedelta(hours=1), listing=make_listing(EVIL))
    request_advice(session, principal, [lamp], NOON)
    stored = round_of(session, NOON + timedelta(hours=2), 1)
    for suggestion in session.query(Suggestion).all():
        for action in actions_of(session, suggestion.id):
            decline(session, principal, action.id, NOON + timedelta(hours=3), "No.")
    show(session, NOON + timedelta(hours=4), listing=make_listing(EVIL), rank=505)
    request_advice(session, principal, [lamp], NOON + timedelta(hours=5))
    assert round_of(session, NOON + timedelta(hours=5), 1) == 0
    assert session.query(Suggestion).count() == stored
