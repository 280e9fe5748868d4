"""Two callers at the same moment, on a database with committed transactions."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from core.accounts.access.permissions import Principal, Role, Via
from core.accounts.people.membership import get_owner_principal, get_principal
from core.database.session import read_scope, write_scope
from core.errors import AmazcopeError, InvalidInputError
from core.suggestions.advice_queue import service as advising
from core.suggestions.execution import apply
from core.suggestions.proposals.add_action import add_action
from core.suggestions.proposals.draft import DraftAction
from core.suggestions.proposals.propose import propose
from core.suggestions.proposals.store import store_advice
from core.suggestions.review import service
from core.suggestions.rules import ActionState, Advisor
from core.tracking.rules import Role as TrackingRole
from tests.core.suggestions.proposals.test_add_action import BULLETS
from tests.core.suggestions.proposals.test_propose import NAME, draft
from tests.factories.observations import NOON
from tests.factories.people import add_member
from tests.factories.products import add_product, track_products
from tests.factories.suggestions import advice, new_cadence, new_price, own_lamp, suggest
from tests.factories.tables import fetch_rows

LATER = NOON + timedelta(hours=2)

pytestmark = pytest.mark.usefixtures("committed_database")


def people(count: int) -> list[Principal]:
    """Track the lamp for the owner and return so many managers."""
    with write_scope() as session:
        owner = get_principal(session, get_owner_principal(session).person_id, Via.PAGE)
        own_lamp(session, owner)
        return [add_member(session, owner, Role.MANAGER) for _ in range(count)]


def suggestion(principal: Principal, *actions: Any) -> list[int]:
    """Return the ids of a new suggestion's actions."""
    with write_scope() as session:
        number = suggest(session, principal, *actions)
    with read_scope() as session:
        found = fetch_rows(session, "SELECT id FROM suggestion_action WHERE suggestion_id = :id "
                     "ORDER BY place", id=number)  # fmt: skip
        return [each["id"] for each in found]


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make calls at the same moment, each in a thread; return results or expected errors."""
    barrier = Barrier(len(calls))

    def call(each: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return each()
        except AmazcopeError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def approving(principal: Principal, action_id: int) -> Callable[[], Any]:
    def call() -> Any:
        with write_scope() as session:
            return service.approve(session, principal, action_id, LATER)

    return call


def declining(principal: Principal, action_id: int) -> Callable[[], Any]:
    def call() -> Any:
        with write_scope() as session:
            return service.decline(session, principal, action_id, LATER, "No.")

    return call


def all_rows(statement: str) -> list[dict[str, Any]]:
    with read_scope() as session:
        return fetch_rows(session, statement)


def test_two_managers_approve_at_once_and_one_does_it() -> None:
    managers = people(4)
    [action_id] = suggestion(managers[0])
    answers = at_once([approving(each, action_id) for each in managers])
    assert sorted(answer.did for answer in answers) == [False, False, False, True]
    events = all_rows("SELECT person_id FROM suggestion_event WHERE after = 'approved'")
    [winner] = [m for m, answer in zip(managers, answers, strict=True) if answer.did]
    assert [each["person_id"] for each in events] == [winner.person_id]
    assert len(all_rows("SELECT 1 FROM audit_event WHERE verb = 'approved suggestion'")) == 1


def test_one_approves_and_one_declines_at_once_and_one_gets_an_error() -> None:
    managers = people(2)
    for _ in range(5):
        [action_id] = suggestion(managers[0])
        answers = at_once([approving(managers[0], action_id), declining(managers[1], action_id)])
        assert len([answer for answer in answers if isinstance(answer, AmazcopeError)]) == 1
        done = len(all_rows("SELECT 1 FROM suggestion_event WHERE before = 'pending'"))
        assert done == 1
        with write_scope() as session:
            session.execute(text("DELETE FROM suggestion"))


def test_two_prices_approved_at_once_leave_one_approved() -> None:
    managers = people(2)
    [first], [second] = (
        suggestion(managers[0], new_price(1900)),
        suggestion(managers[0], new_price(1950)),
    )
    answers = at_once([approving(managers[0], first), approving(managers[1], second)])
    assert len([answer for answer in answers if isinstance(answer, InvalidInputError)]) == 1
    assert len(all_rows("SELECT 1 FROM suggestion_action WHERE state = 'approved'")) == 1


def test_two_actions_of_one_suggestion_decided_at_once_leave_it_decided() -> None:
    managers = people(2)
    first, second = suggestion(managers[0], new_price(1900), new_price(1950))
    at_once([approving(managers[0], first), declining(managers[1], second)])
    [found] = all_rows("SELECT state, decided_at FROM suggestion")
    assert (found["state"], found["decided_at"]) == ("partly_approved", LATER)


def test_two_workers_apply_at_once_and_one_does_it() -> None:
    managers = people(1)
    [action_id] = suggestion(managers[0], new_cadence("hourly"))
    approving(managers[0], action_id)()

    def applying_it() -> ActionState:
        with write_scope() as session:
            return apply.apply(session, action_id, LATER)

    assert at_once([applying_it] * 4) == [ActionState.VERIFIED] * 4
    assert len(all_rows("SELECT 1 FROM suggestion_event WHERE after = 'applied'")) == 1


def test_the_same_advice_stored_at_once_is_stored_once() -> None:
    [manager] = people(1)
    [lamp] = [row["id"] for row in all_rows("SELECT id FROM product")]

    def storing() -> int | None:
        with write_scope() as session:
            return store_advice(
                session, manager.team_id, lamp, advice(), Advisor.RULES, None, None, NOON
            )

    made = at_once([storing] * 4)
    assert len([each for each in made if each is not None]) == 1
    assert len(all_rows("SELECT 1 FROM suggestion")) == 1


def test_two_workers_claim_different_products() -> None:
    [manager] = people(1)
    with write_scope() as session:
        asins = [f"B0MANY{n:04d}" for n in range(20)]
        ids = track_products(session, manager, asins, role=TrackingRole.OWN)
        advising.request_advice(session, manager, ids, NOON)

    def claiming() -> list[int]:
        with write_scope() as session:
            return [due.product_id for due in advising.claim_due(session, NOON, 5)]

    claimed = [number for each in at_once([claiming] * 4) for number in each]
    assert sorted(claimed) == sorted(ids)


def proposing(principal: Principal, *actions: DraftAction) -> Callable[[], Any]:
    def call() -> Any:
        with write_scope() as session:
            return propose(session, principal, add_product(session), draft(*actions), LATER)

    return call


def adding(principal: Principal, number: int, action: DraftAction) -> Callable[[], Any]:
    def call() -> Any:
        with write_scope() as session:
            return add_action(session, principal, number, action, LATER)

    return call


def test_the_same_proposed_at_once_is_one_suggestion() -> None:
    answers = at_once([proposing(each) for each in people(4)])
    assert sorted(answer.is_new for answer in answers) == [False, False, False, True]
    assert len({answer.suggestion_id for answer in answers}) == 1
    assert len(all_rows("SELECT 1 FROM suggestion")) == 1


def test_a_change_is_not_proposed_twice_at_once_in_two_sets() -> None:
    one, other = people(2)
    at_once([proposing(one, NAME), proposing(other, NAME, BULLETS)])
    titles = all_rows("SELECT 1 FROM suggestion_action WHERE change = 'update_title'")
    assert len(titles) == 1


def test_the_same_action_added_at_once_is_stored_once() -> None:
    [mia] = people(1)
    number = proposing(mia, NAME)().suggestion_id
    answers = at_once([adding(mia, number, BULLETS)] * 3)
    assert sorted(answer.is_new for answer in answers) == [False, False, True]
    assert len(all_rows("SELECT 1 FROM suggestion_action")) == 2


@pytest.mark.parametrize("_again", range(4))
def test_a_change_is_added_before_a_decision_or_not_at_all(_again: int) -> None:
    mia, manager = people(2)
    number = proposing(mia, NAME)().suggestion_id
    [action] = all_rows("SELECT id FROM suggestion_action")
    added, approved = at_once([adding(mia, number, BULLETS), approving(manager, action["id"])])
    assert approved.did
    [found] = all_rows("SELECT state FROM suggestion")
    # If added first, it is still pending; if decided first, nothing was added.
    expected = "approved" if isinstance(added, AmazcopeError) else "pending"
    assert found["state"] == expected
