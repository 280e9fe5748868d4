"""Changes added to a user's or an agent's own suggestion before a decision."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role, Scope, Via
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.suggestions.models import Suggestion
from core.suggestions.proposals.add_action import add_action
from core.suggestions.proposals.draft import DraftAction
from core.suggestions.proposals.propose import propose
from core.suggestions.review import service
from core.suggestions.review.labels import event_text
from core.suggestions.review.queries import find_suggestion, list_events
from core.suggestions.rules import Change
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.price_caps.service import set_price_cap
from tests.core.suggestions.proposals.test_propose import NAME, NOW, PRICE, draft
from tests.factories.people import add_colleague, add_member
from tests.factories.suggestions import actions_of, new_price, own_lamp, show, suggest
from tests.factories.tables import fetch_rows

BULLETS = DraftAction(
    Change.UPDATE_BULLETS,
    "More is said.",
    texts=("It bends as you like", "It shines on your book", "It stands where you put it"),
)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def agent(session: Session, principal: Principal) -> Principal:
    """A program of a seller called Mia."""
    mia = add_colleague(session, principal, "Mia")
    scopes = frozenset({Scope.READ, Scope.PROPOSE})
    return replace(mia, via=Via.TOOL, scopes=scopes, token_name="nightly script")


@pytest.fixture
def number(session: Session, principal: Principal, agent: Principal) -> int:
    """The suggestion of a shorter title."""
    made = propose(session, agent, own_lamp(session, principal), draft(NAME), NOW)
    assert made.suggestion_id is not None
    return made.suggestion_id


def test_an_added_change_is_pending_with_its_evidence(
    session: Session, agent: Principal, number: int
) -> None:
    made = add_action(session, agent, number, BULLETS, LATER)
    assert (made.suggestion_id, made.is_new) == (number, True)
    first, second = actions_of(session, number)
    assert [first.change, second.change] == ["update_title", "update_bullets"]
    assert (second.place, second.state, second.current) == (
        1,
        "pending",
        {"bullets": ["Bends", "Shines"]},
    )
    view = find_suggestion(session, agent, number, LATER)
    assert view is not None
    assert {"title_length", "bullet_count"} <= {each.key for each in view.evidence}


def test_the_timeline_and_the_audit_have_the_addition(
    session: Session, agent: Principal, number: int
) -> None:
    add_action(session, agent, number, BULLETS, LATER)
    view = find_suggestion(session, agent, number, LATER)
    assert view is not None
    assert [event_text(each, view.row) for each in list_events(session, agent, number)] == [
        "Suggested by agent of Mia · nightly script",
        "Bullets added by Mia by an agent's tool",
    ]
    [event] = fetch_rows(session, "SELECT * FROM audit_event WHERE verb = 'added to suggestion'")
    assert (event["object"], event["means"]) == (f"suggestion:{number}", "tool")


def test_a_dry_run_answers_the_same_and_stores_nothing(
    session: Session, agent: Principal, number: int
) -> None:
    dry = add_action(session, agent, number, BULLETS, LATER, dry_run=True)
    assert len(actions_of(session, number)) == 1
    real = add_action(session, agent, number, BULLETS, LATER)
    assert replace(dry, is_dry=False) == real


def test_added_twice_it_is_there_once(session: Session, agent: Principal, number: int) -> None:
    add_action(session, agent, number, BULLETS, LATER)
    again = add_action(session, agent, number, BULLETS, LATER)
    assert (again.is_new, again.suggestion_id) == (False, number)
    assert len(actions_of(session, number)) == 2


def test_what_it_was_made_of_is_known_as_the_same_afterwards(
    session: Session, agent: Principal, number: int
) -> None:
    add_action(session, agent, number, BULLETS, LATER)
    lamp = session.get_one(Suggestion, number).product_id
    for actions in ((NAME,), (BULLETS,), (NAME, BULLETS)):
        again = propose(session, agent, lamp, draft(*actions), LATER)
        assert (again.is_new, again.suggestion_id) == (False, number)


def test_the_owner_adds_at_a_page_to_what_their_agent_proposed(
    session: Session, agent: Principal, number: int
) -> None:
    mia = replace(agent, via=Via.PAGE, scopes=None, token_name=None)
    assert add_action(session, mia, number, BULLETS, LATER).is_new


def test_nothing_is_added_to_another_users_suggestion(
    session: Session, principal: Principal, agent: Principal, number: int
) -> None:
    for other in (principal, add_member(session, principal, Role.SELLER)):
        with pytest.raises(NotAllowedError, match="one of your own"):
            add_action(session, other, number, BULLETS, LATER)


def test_to_what_the_rules_proposed_nothing_is_added_by_who_asked_them(
    session: Session, principal: Principal
) -> None:
    own_lamp(session, principal)
    theirs = suggest(session, principal, new_price(), asked_by=principal.person_id)
    with pytest.raises(NotAllowedError, match="one of your own"):
        add_action(session, principal, theirs, PRICE, NOW)


def test_nothing_is_added_after_a_decision(
    session: Session, principal: Principal, agent: Principal, number: int
) -> None:
    add_action(session, agent, number, BULLETS, LATER)
    service.approve(session, principal, actions_of(session, number)[0].id, LATER)
    text = DraftAction(Change.UPDATE_DESCRIPTION, "More is said.", text="A lamp for evenings.")
    with pytest.raises(InvalidInputError, match="in a new suggestion"):
        add_action(session, agent, number, text, LATER)


def test_nothing_is_added_after_the_expiry(session: Session, agent: Principal, number: int) -> None:
    with pytest.raises(InvalidInputError, match="it has expired"):
        add_action(session, agent, number, BULLETS, NOW + timedelta(days=31))


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (PRICE, "more than one kind"),
        (replace(NAME, text="Lamp"), "same kind of change"),
        (replace(BULLETS, texts=("Too few",)), "listing rule"),
        (replace(BULLETS, reason="37 % more."), "37, which is not in the evidence"),
        (replace(BULLETS, texts=("x" * 30_000,)), "at most 20,000"),
    ],
)
def test_the_whole_suggestion_is_validated_again(
    session: Session, agent: Principal, number: int, action: DraftAction, why: str
) -> None:
    with pytest.raises(InvalidInputError, match=why):
        add_action(session, agent, number, action, LATER)
    assert len(actions_of(session, number)) == 1


def test_the_figures_that_it_was_written_with_stay_as_they_were_frozen(
    session: Session, agent: Principal, number: int
) -> None:
    show(session, NOW, rank=501, price=2010)  # its reasoning has 20.00 and 500
    made = add_action(session, agent, number, BULLETS, LATER)
    values = {each.key: each.value for each in made.advice.evidence}
    assert values["bsr_now"] == 500


def test_a_coupon_beside_a_price_keeps_the_caps(
    session: Session, principal: Principal, agent: Principal
) -> None:
    lamp = own_lamp(session, principal)
    set_price_cap(session, principal, lamp, PriceCaps(floor=1850))
    made = propose(session, agent, lamp, draft(PRICE), NOW)
    coupon = DraftAction(Change.SET_COUPON, "Buyers like it.", percent=10)
    with pytest.raises(InvalidInputError, match="below the product's floor"):
        add_action(session, agent, made.suggestion_id or 0, coupon, NOW)


def test_a_change_pending_in_another_suggestion_is_not_added(
    session: Session, principal: Principal, agent: Principal, number: int
) -> None:
    other = add_member(session, principal, Role.SELLER)
    lamp = session.get_one(Suggestion, number).product_id
    theirs = propose(session, other, lamp, draft(BULLETS), NOW)
    with pytest.raises(InvalidInputError, match=f"Suggestion {theirs.suggestion_id}"):
        add_action(session, agent, number, BULLETS, LATER)


def test_a_number_that_is_no_suggestion_is_not_found(session: Session, agent: Principal) -> None:
    with pytest.raises(NotFoundError, match="belongs to another team"):
        add_action(session, agent, 2**62, BULLETS, NOW)
