"""Reads of the queue and of one suggestion."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.suggestions.advice_queue import queries as advice_queries
from core.suggestions.models import AdviceDue, Suggestion
from core.suggestions.proposals import store
from core.suggestions.queue_filter import QueueFilter
from core.suggestions.review import queries, service
from core.suggestions.review.views import QueuePage, QueuePlace
from core.suggestions.rules import ActionState, Advisor, Kind, SuggestionState
from tests.factories.people import add_member, add_stranger
from tests.factories.suggestions import advice, kettle, new_cadence, new_price, new_title, own_lamp

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
WAITING, ALL = QueueFilter(), QueueFilter(state=None)


def propose(
    session: Session, principal: Principal, product_id: int, *actions: Any, **values: Any
) -> int:
    by = values.pop("advisor", Advisor.RULES)
    at = values.pop("now", NOW)
    model = "local" if by is Advisor.MODEL else None
    made = store.store_advice(
        session, principal.team_id, product_id, advice(*actions, **values), by, model, None, at
    )
    assert made is not None
    return made


def numbers(found: QueuePage) -> list[int]:
    return [row.id for row in found.rows]


def ask(
    session: Session,
    principal: Principal,
    asked: QueueFilter = WAITING,
    page: int = 1,
    **options: Any,
) -> QueuePage:
    size, now = options.get("size", 50), options.get("now", NOW)
    return queries.read_queue(session, principal, asked, page, size, now)


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return own_lamp(session, principal)


@pytest.fixture
def three(session: Session, principal: Principal, lamp: int) -> list[int]:
    """A minor change of tracking, an urgent new title, a price in between."""
    return [
        propose(session, principal, lamp, new_cadence(), priority=3, confidence=0.9),
        propose(session, principal, lamp, new_title(), priority=1, advisor=Advisor.MODEL),
        propose(session, principal, lamp, new_price(), priority=2, title="Ask for less"),
    ]


def test_what_is_worth_most_comes_first(session: Session, principal: Principal, three: list[int]):
    minor, urgent, middle = three
    assert numbers(ask(session, principal)) == [urgent, middle, minor]


def test_a_row_names_advisor_and_product(session: Session, principal: Principal, three: list[int]):
    row = ask(session, principal).rows[0]
    assert (row.advisor, row.model) == (Advisor.MODEL, "local")
    assert (row.marketplace, row.kind, row.actions) == ("US", Kind.CONTENT, 1)
    assert row.product_title == "Reading lamp with a long neck"


def test_another_team_sees_nothing(session: Session, principal: Principal, three: list[int]):
    other = add_stranger(session)
    assert numbers(ask(session, other, ALL)) == []
    assert queries.find_suggestion(session, other, three[0], NOW) is None
    assert queries.list_events(session, other, three[0]) == []
    assert queries.find_place(session, other, three[0], NOW) is None
    assert queries.find_first_pending(session, other, NOW) is None


def test_a_viewer_may_read(session: Session, principal: Principal, three: list[int]):
    assert len(ask(session, add_member(session, principal, Role.VIEWER)).rows) == 3


def test_pages_follow_each_other(session: Session, principal: Principal, three: list[int]):
    first, second = (ask(session, principal, page=page, size=2) for page in (1, 2))
    assert numbers(first) + numbers(second) == [three[1], three[2], three[0]]
    assert numbers(ask(session, principal, page=3, size=2)) == []
    assert second.counts.total == 3


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (QueueFilter(kinds=(Kind.TRACKING,)), [0]),
        (QueueFilter(priorities=(1, 2)), [1, 2]),
        (QueueFilter(advisors=(Advisor.MODEL,)), [1]),
        (QueueFilter(kinds=(Kind.PRICING,), advisors=(Advisor.MODEL,)), []),
        (QueueFilter(product="reading"), [1, 2, 0]),
        (QueueFilter(product="B0TEST0001"), [1, 2, 0]),
        (QueueFilter(product="kettle"), []),
        (QueueFilter(product="%' OR true --"), []),
        (QueueFilter(product="!!"), []),
        (QueueFilter(state=SuggestionState.DECLINED), []),
    ],
)
def test_filters_narrow_the_queue(
    session: Session,
    principal: Principal,
    three: list[int],
    asked: QueueFilter,
    expected: list[int],
):
    found = ask(session, principal, asked)
    assert numbers(found) == [three[place] for place in expected]
    assert found.counts.total == len(expected)


def test_counts_are_those_that_each_choice_would_leave(
    session: Session, principal: Principal, three: list[int]
):
    service.decline(session, principal, _action(session, principal, three[2]), NOW, "Not now")
    counts = ask(session, principal, QueueFilter(kinds=(Kind.CONTENT,))).counts
    assert counts.total == 1
    assert counts.kinds == {Kind.CONTENT: 1, Kind.TRACKING: 1}
    assert counts.priorities == {1: 1}
    assert counts.states == {SuggestionState.PENDING: 1}
    everything = ask(session, principal).counts
    assert everything.states == {SuggestionState.PENDING: 2, SuggestionState.DECLINED: 1}


def _action(session: Session, principal: Principal, suggestion_id: int) -> int:
    view = queries.find_suggestion(session, principal, suggestion_id, NOW)
    assert view is not None
    return view.actions[0].id


def test_a_pending_suggestion_past_its_expiry_counts_as_expired(
    session: Session, principal: Principal, three: list[int]
):
    over = NOW + timedelta(days=400)
    assert numbers(ask(session, principal, now=over)) == []
    found = ask(session, principal, QueueFilter(state=SuggestionState.EXPIRED), now=over)
    assert len(found.rows) == 3
    assert {row.state for row in found.rows} == {SuggestionState.EXPIRED}
    assert not any(row.is_quick for row in found.rows)
    assert queries.find_place(session, principal, three[0], over) is None


def test_only_what_is_about_tracking_is_decided_from_the_list(
    session: Session, principal: Principal, three: list[int]
):
    quick = {row.id for row in ask(session, principal).rows if row.is_quick}
    assert quick == {three[0]}


def test_a_suggestion_knows_its_neighbours(
    session: Session, principal: Principal, three: list[int]
):
    minor, urgent, middle = three
    place = queries.find_place(session, principal, middle, NOW)
    assert place == QueuePlace(number=2, total=3, before=urgent, after=minor)
    assert queries.find_first_pending(session, principal, NOW) == urgent
    ends = [queries.find_place(session, principal, each, NOW) for each in (urgent, minor)]
    assert [(end.before, end.after) for end in ends if end] == [(None, middle), (middle, None)]


def test_neighbours_of_the_same_worth_are_not_skipped(
    session: Session, principal: Principal, three: list[int]
):
    session.execute(update(Suggestion).values(worth=10.0))
    newest, oldest = three[2], three[0]
    seen = [newest]
    while (place := queries.find_place(session, principal, seen[-1], NOW)) and place.after:
        seen.append(place.after)
    assert seen == [newest, three[1], oldest]


def test_a_suggestion_comes_with_frozen_evidence(
    session: Session, principal: Principal, three: list[int]
):
    view = queries.find_suggestion(session, principal, three[2], NOW)
    assert view is not None
    assert view.evidence == advice().evidence
    assert view.actions[0].proposed == {"price": 1900}
    assert view.actions[0].new_values == {"price": 1900}


def test_an_edit_stands_beside_what_was_proposed(
    session: Session, principal: Principal, three: list[int]
):
    action = _action(session, principal, three[2])
    service.approve(session, principal, action, NOW, edited={"price": 1950}, reason="Rounder")
    view = queries.find_suggestion(session, principal, three[2], NOW)
    assert view is not None
    [approved] = view.actions
    assert (approved.proposed, approved.edited) == ({"price": 1900}, {"price": 1950})
    assert approved.new_values == {"price": 1950}
    assert (approved.state, approved.decided_by) == (ActionState.APPROVED, principal.name)


def test_the_timeline_has_every_event(session: Session, principal: Principal, three: list[int]):
    action = _action(session, principal, three[2])
    service.decline(session, principal, action, NOW, "Below our cost")
    events = queries.list_events(session, principal, three[2])
    assert [(event.before, event.after) for event in events] == [
        (None, "pending"),
        ("pending", "declined"),
    ]
    assert (events[1].person, events[1].means, events[1].why) == (
        principal.name,
        "page",
        "Below our cost",
    )


def test_a_products_suggestions_are_listed_newest_first(
    session: Session, principal: Principal, lamp: int, three: list[int]
):
    found = queries.list_product_suggestions(session, principal, lamp, NOW)
    assert [row.id for row in found] == sorted(three, reverse=True)
    assert (
        queries.list_product_suggestions(session, principal, kettle(session, principal), NOW) == []
    )


def test_pending_postponed_and_new_advice_are_counted(
    session: Session, principal: Principal, lamp: int
):
    other = kettle(session, principal)
    session.add(AdviceDue(team_id=principal.team_id, product_id=lamp, due_at=NOW))
    later = NOW + timedelta(hours=1)
    session.add(
        AdviceDue(team_id=principal.team_id, product_id=other, due_at=NOW, leased_until=later)
    )
    session.flush()
    progress = advice_queries.get_advice_progress(session, principal, [lamp, other], NOW, NOW)
    assert progress == advice_queries.AdviceProgress(pending=1, postponed=1, made=0)
    propose(session, principal, lamp, new_price(), now=NOW + timedelta(minutes=1))
    assert advice_queries.get_advice_progress(session, principal, [lamp], NOW, NOW).made == 1
    assert advice_queries.get_advice_progress(session, principal, [other], NOW, NOW).made == 0


def test_advice_can_be_requested_for_tracked_own_products(
    session: Session, principal: Principal, lamp: int
):
    kettle(session, principal)
    assert advice_queries.list_own_product_ids(session, principal, 10) == [lamp]
    assert advice_queries.list_own_product_ids(session, add_stranger(session), 10) == []


def test_pending_suggestions_are_counted_at_each_moment_and_by_priority(
    session: Session, principal: Principal, three: list[int]
) -> None:
    hour = timedelta(hours=1)
    service.decline_all(session, principal, three[0], NOW + hour, "No.")
    moments = [NOW - hour, NOW, NOW + 2 * hour, NOW + timedelta(days=999)]
    assert queries.count_pending_at(session, principal, moments) == [0, 3, 2, 0]
    assert sum(queries.count_priorities(session, principal, NOW).values()) == 2
    assert queries.count_pending_at(session, add_stranger(session), moments) == [0, 0, 0, 0]
