"""Registering, and asking for a new password: the messages, and what the mailbox gets."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access import sessions
from core.accounts.access.one_time_tokens import Purpose, create_token
from core.accounts.access.permissions import Principal, Role
from core.accounts.login import password_login
from core.accounts.login.throttling import AttemptLimits, begin_attempt
from core.accounts.models import Person
from core.accounts.people.membership import disable_member, enable_member
from core.accounts.people.self_service import (
    EMAIL_INTERVAL,
    confirm_registration,
    request_registration,
    request_reset,
    reset_password,
)
from core.database import session as db
from core.errors import InvalidInputError
from tests.core.accounts.conftest import (
    LIFETIME,
    NEW_HASH,
    NOW,
    OLD_HASH,
    Member,
    person,
    signed_in,
)
from tests.factories.people import list_security_mails
from tests.hypothesis_runs import examples

MAIL = "ada@shop.example"


def registered(session: Session, mail: str = MAIL, minutes: float = 0) -> str:
    made = request_registration(session, mail, NOW + timedelta(minutes=minutes))
    assert made is not None
    assert made.token is not None
    return made.token


# Registering


def test_who_registers_is_no_user_until_the_mailbox_is_proven(session: Session) -> None:
    token = registered(session, " Ada@Shop.example")
    found = session.scalars(select(Person).where(Person.mail == MAIL)).one()
    assert (found.state, found.password_hash) == ("registered", None)
    number = confirm_registration(session, token, "Ada", NEW_HASH, NOW)
    joined = person(session, number)
    assert (joined.state, joined.role, joined.name) == ("active", Role.VIEWER, "Ada")
    with pytest.raises(InvalidInputError, match="already used"):
        confirm_registration(session, token, "Ada", NEW_HASH, NOW)


def test_a_known_address_gets_a_letter_and_no_token(session: Session, member: Member) -> None:
    for state in ("active", "disabled", "invited"):
        mail = f"{state}@team.example"
        who = member(mail=mail, state=state)
        made = request_registration(session, mail, NOW)
        assert made is not None
        assert (made.mail, made.token) == (mail, None)
        kept = person(session, who)
        assert (kept.state, kept.password_hash) == (state, OLD_HASH)


def test_the_mailbox_of_a_known_user_is_not_flooded_either(
    session: Session, member: Member
) -> None:
    member(mail=MAIL)
    for mail in (MAIL, "new@shop.example"):
        assert request_registration(session, mail, NOW) is not None
        assert (
            request_registration(session, mail, NOW + EMAIL_INTERVAL - timedelta(seconds=1)) is None
        )
        assert request_registration(session, mail, NOW + EMAIL_INTERVAL) is not None


def test_a_second_registration_makes_the_first_link_void(session: Session) -> None:
    first, second = registered(session), registered(session, minutes=5)
    with pytest.raises(InvalidInputError):
        confirm_registration(session, first, "Ada", NEW_HASH, NOW)
    confirm_registration(session, second, "Ada", NEW_HASH, NOW + timedelta(minutes=6))


def test_a_link_that_was_lost_to_an_invitation_opens_nothing(
    session: Session, member: Member
) -> None:
    token = registered(session)
    found = session.scalars(select(Person).where(Person.mail == MAIL)).one()
    found.state = "invited"
    session.flush()
    with pytest.raises(InvalidInputError):
        confirm_registration(session, token, "Ada", NEW_HASH, NOW)


@pytest.mark.usefixtures("committed_database")
def test_an_address_registered_many_times_at_one_moment_is_written_to_once() -> None:
    def ask(_: int) -> bool:
        with db.write_scope() as session:
            return request_registration(session, MAIL, NOW) is not None

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(ask, range(12))) == 1


# A new password


def test_a_reset_sets_the_password_and_ends_every_sign_in(session: Session, member: Member) -> None:
    sam = member(mail=MAIL)
    cookie = signed_in(session, sam)
    ticket = sessions.create_ticket(session, sam.person_id, NOW)
    asked = request_reset(session, "ADA@shop.example", NOW)
    assert asked is not None
    mail, token = asked
    assert mail == MAIL
    assert reset_password(session, token, NEW_HASH, NOW) == sam.person_id
    assert list_security_mails(session) == [("Your password was reset by an emailed link.", MAIL)]
    assert person(session, sam).password_hash == NEW_HASH
    assert sessions.find_session(session, cookie, LIFETIME, NOW, None) is None
    assert sessions.start_session(session, ticket, LIFETIME, NOW, None, None) is None
    with pytest.raises(InvalidInputError, match="already used"):
        reset_password(session, token, OLD_HASH, NOW)


def test_a_mailbox_is_not_flooded_with_resets(session: Session, member: Member) -> None:
    member(mail=MAIL)
    assert request_reset(session, MAIL, NOW)
    assert request_reset(session, MAIL, NOW + EMAIL_INTERVAL - timedelta(seconds=1)) is None
    assert request_reset(session, MAIL, NOW + EMAIL_INTERVAL)


@pytest.mark.parametrize("state", ["disabled", "invited", "registered", "erased"])
def test_only_who_is_active_gets_a_new_password(
    session: Session, member: Member, state: str
) -> None:
    sam = member(mail=MAIL, state=state)
    assert request_reset(session, MAIL, NOW) is None
    token = create_token(session, sam.person_id, Purpose.RESET, NOW)
    with pytest.raises(InvalidInputError):
        reset_password(session, token, NEW_HASH, NOW)
    assert person(session, sam).password_hash == OLD_HASH


def test_a_reset_link_of_before_being_disabled_stays_dead(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member(mail=MAIL)
    asked = request_reset(session, MAIL, NOW)
    assert asked is not None
    disable_member(session, principal, sam.person_id, NOW)
    enable_member(session, principal, sam.person_id, NOW)
    with pytest.raises(InvalidInputError):
        reset_password(session, asked[1], NEW_HASH, NOW)


def test_who_signs_in_elsewhere_alone_and_the_demos_people_get_no_link(
    session: Session, member: Member
) -> None:
    sam = member(mail=MAIL)
    person(session, sam).password_hash = None
    member(mail="demo@team.example", is_demo=True)
    session.flush()
    assert request_reset(session, MAIL, NOW) is None
    assert request_reset(session, "demo@team.example", NOW) is None


@settings(max_examples=examples(25))
@given(st.text(max_size=300))
def test_any_text_may_be_asked_for_and_learns_nothing(session: Session, mail: str) -> None:
    assert request_reset(session, mail, NOW) is None
    with pytest.raises(InvalidInputError):
        reset_password(session, mail, NEW_HASH, NOW)
    with pytest.raises(InvalidInputError):
        confirm_registration(session, mail, "Ada", NEW_HASH, NOW)


@pytest.mark.usefixtures("committed_database")
def test_a_reset_asked_for_twice_at_one_moment_is_mailed_once() -> None:
    with db.write_scope() as session:
        owner = session.scalars(select(Person)).first()
        assert owner is not None
        owner.mail, owner.state, owner.password_hash = MAIL, "active", OLD_HASH

    def ask() -> bool:
        with db.write_scope() as session:
            return request_reset(session, MAIL, NOW) is not None

    with ThreadPoolExecutor(1) as pool:
        with db.write_scope() as session:
            assert request_reset(session, MAIL, NOW)
            second = pool.submit(ask)
            wait([second], timeout=0.5)
        assert not second.result(timeout=120)


@pytest.mark.usefixtures("committed_database")
def test_the_old_password_opens_nothing_while_a_new_one_is_being_set() -> None:
    with db.write_scope() as session:
        owner = session.scalars(select(Person)).one()
        owner.mail, owner.state, owner.password_hash = MAIL, "active", OLD_HASH
        session.flush()
        token = create_token(session, owner.id, Purpose.RESET, NOW)
        limits = AttemptLimits(5, 20, timedelta(minutes=15))
        attempt = begin_attempt(session, MAIL, None, limits, NOW)
        known = password_login.find_login_candidate(session, MAIL, with_demo=False)
    assert known is not None

    def let_in() -> object:
        with db.write_scope() as session:
            return password_login.complete_login(session, known, attempt, NOW)

    with ThreadPoolExecutor(1) as pool:
        with db.write_scope() as session:
            reset_password(session, token, NEW_HASH, NOW)
            entering = pool.submit(let_in)
            wait([entering], timeout=0.5)
        assert entering.result(timeout=120) is None
