"""Each token works once, for one purpose."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.accounts.access import sessions
from core.accounts.access.one_time_tokens import (
    LIFETIMES,
    Purpose,
    claim_token,
    consume_token,
    create_token,
    find_token_owner,
    lock_person,
    revoke_all_tokens,
)
from core.accounts.access.permissions import Principal
from core.accounts.models import OneTimeToken
from core.accounts.people.membership import get_owner_principal
from core.database import session as db
from tests.core.accounts.conftest import LIFETIME, NOW
from tests.hypothesis_runs import examples

TOGETHER = (Purpose.TICKET, Purpose.SECOND)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_works_once(session: Session, principal: Principal, purpose: Purpose) -> None:
    token = create_token(session, principal.person_id, purpose, NOW)
    assert find_token_owner(session, token, purpose, NOW) == principal.person_id
    assert claim_token(session, token, purpose, NOW) == principal.person_id
    assert claim_token(session, token, purpose, NOW) is None
    assert find_token_owner(session, token, purpose, NOW) is None


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_ends(session: Session, principal: Principal, purpose: Purpose) -> None:
    token = create_token(session, principal.person_id, purpose, NOW)
    end = NOW + LIFETIMES[purpose]
    assert find_token_owner(session, token, purpose, end - timedelta(seconds=1))
    assert claim_token(session, token, purpose, end) is None


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_serves_no_other_purpose(
    session: Session, principal: Principal, purpose: Purpose
) -> None:
    token = create_token(session, principal.person_id, purpose, NOW)
    for other in set(Purpose) - {purpose}:
        assert find_token_owner(session, token, other, NOW) is None
        assert claim_token(session, token, other, NOW) is None
    assert claim_token(session, token, purpose, NOW) == principal.person_id


@pytest.mark.parametrize("purpose", [each for each in Purpose if each not in TOGETHER])
def test_a_new_link_makes_the_earlier_one_void(
    session: Session, principal: Principal, purpose: Purpose
) -> None:
    first = create_token(session, principal.person_id, purpose, NOW)
    second = create_token(session, principal.person_id, purpose, NOW)
    assert claim_token(session, first, purpose, NOW) is None
    assert claim_token(session, second, purpose, NOW) == principal.person_id


def test_two_tabs_may_sign_in_at_once(session: Session, principal: Principal) -> None:
    tickets = [create_token(session, principal.person_id, Purpose.TICKET, NOW) for _ in range(2)]
    assert all(claim_token(session, ticket, Purpose.TICKET, NOW) for ticket in tickets)


def test_all_of_a_persons_tokens_can_be_made_void(session: Session, principal: Principal) -> None:
    tokens = {each: create_token(session, principal.person_id, each, NOW) for each in Purpose}
    revoke_all_tokens(session, principal.person_id, NOW, but=Purpose.SETUP)
    alive = [each for each in Purpose if find_token_owner(session, tokens[each], each, NOW)]
    assert alive == [Purpose.SETUP]


def test_the_token_itself_is_not_kept(session: Session, principal: Principal) -> None:
    token = create_token(session, principal.person_id, Purpose.RESET, NOW)
    [kept] = session.query(OneTimeToken)
    assert token.encode() not in kept.token_hash


@settings(max_examples=examples(25))
@given(token=st.text(max_size=200), purpose=st.sampled_from(Purpose))
def test_an_invented_token_opens_nothing(session: Session, token: str, purpose: Purpose) -> None:
    assert find_token_owner(session, token, purpose, NOW) is None
    assert consume_token(session, token, purpose, NOW) is None


@pytest.mark.usefixtures("committed_database")
def test_a_ticket_used_twice_at_one_moment_lets_one_in() -> None:
    with db.write_scope() as session:
        owner = lock_person(session, get_owner_principal(session).person_id)
        assert owner is not None
        owner.state = "active"
        ticket = create_token(session, owner.id, Purpose.TICKET, NOW)

    def use(_: int) -> bool:
        with db.write_scope() as session:
            return sessions.start_session(session, ticket, LIFETIME, NOW, None, None) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1
