"""Advice is kept once, and not repeated after a no."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.errors import InvalidInputError
from core.suggestions.models import Suggestion
from core.suggestions.proposals.store import compute_worth, store_advice
from core.suggestions.review.service import approve, decline
from core.suggestions.rules import Advisor, Change, Kind
from tests.factories.observations import NOON
from tests.factories.suggestions import (
    actions_of,
    advice,
    new_cadence,
    new_price,
    new_title,
    only_action,
    own_lamp,
    proposed,
    suggest,
    time_line,
)

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return own_lamp(session, principal)


def again(session: Session, principal: Principal, lamp: int, **values: Any) -> int | None:
    proposal = advice(**values)
    return store_advice(
        session, principal.team_id, lamp, proposal, Advisor.RULES, None, None, LATER
    )


def test_advice_is_kept_with_its_actions_and_frozen_evidence(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = suggest(session, principal, new_price(1900), new_price(1850))
    kept = session.get_one(Suggestion, number)
    assert (kept.kind, kept.state, kept.advisor, kept.model) == (
        "pricing",
        "pending",
        "rules",
        None,
    )
    assert kept.evidence[0]["value"] == 2000
    assert kept.evidence[0]["snapshots"][0]["captured_at"] == NOON.isoformat()
    first, second = actions_of(session, number)
    assert (first.current, first.proposed, second.proposed) == (
        {"price": 2000},
        {"price": 1900},
        {"price": 1850},
    )
    assert time_line(session, number) == [(None, "pending")]


def test_the_same_pending_change_is_kept_once(
    session: Session, principal: Principal, lamp: int
) -> None:
    suggest(session, principal)
    assert again(session, principal, lamp) is None
    assert again(session, principal, lamp, evidence=9000) is None
    assert session.query(Suggestion).count() == 1


def test_a_declined_change_is_not_repeated_without_new_evidence(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = suggest(session, principal)
    decline(session, principal, only_action(session, number).id, NOON, "Not now.")
    assert again(session, principal, lamp) is None
    assert again(session, principal, lamp, evidence=9000) is not None


def test_what_is_on_its_way_is_not_proposed_again(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = suggest(session, principal)
    approve(session, principal, only_action(session, number).id, NOON)
    assert again(session, principal, lamp, evidence=9000) is None


def test_a_surer_and_more_urgent_suggestion_is_worth_more(
    session: Session, principal: Principal, lamp: int
) -> None:
    minor = suggest(session, principal, new_price(1900), priority=3, confidence=0.9)
    urgent = suggest(session, principal, new_price(1800), priority=1, confidence=0.3)
    worth = {each.id: each.worth for each in session.query(Suggestion)}
    assert worth[urgent] > worth[minor] > 0


@given(
    priority=st.sampled_from([1, 2, 3]),
    confidences=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)
def test_more_confidence_never_lowers_a_place_and_priority_decides_between_equals(
    priority: int, confidences: list[float]
) -> None:
    less, more = (compute_worth(advice(priority=priority, confidence=each)) for each in confidences)
    assert 0 <= less <= more
    if priority < 3 and confidences[1] > 0:
        assert more > compute_worth(advice(priority=priority + 1, confidence=confidences[1]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"actions": ()},
        {"actions": (new_price(1900), new_title())},
        {"actions": (new_price(0),)},
        {"actions": (new_cadence("sometimes"),)},
        {"actions": (proposed(Change.UPDATE_TITLE, {}, {"title": " "}),)},
        {"actions": (proposed(Change.SET_COUPON, {}, {"percent": 95}),)},
        {"actions": (proposed(Change.SET_RANK_THRESHOLD, {}, {"percent": "NaN"}),)},
        {"actions": (proposed(Change.UPDATE_BULLETS, {}, {"bullets": []}),)},
    ],
)
def test_advice_that_no_suggestion_can_be_made_of_is_refused(
    session: Session, principal: Principal, lamp: int, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError):
        again(session, principal, lamp, **wrong)


def test_a_price_is_good_for_a_week_and_a_text_for_a_month(
    session: Session, principal: Principal, lamp: int
) -> None:
    lasts = {}
    for action in (new_price(), new_title()):
        kept = session.get_one(Suggestion, suggest(session, principal, action))
        lasts[kept.kind] = (kept.expires_at - kept.made_at).days
    assert lasts == {Kind.PRICING.value: 7, Kind.CONTENT.value: 30}
