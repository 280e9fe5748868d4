"""People: set up, invited, changed, disabled, erased."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.access import api_tokens, sessions
from core.accounts.access.one_time_tokens import LIFETIMES, Purpose, create_token, find_token_owner
from core.accounts.access.permissions import Principal, Role, Scope, Via
from core.accounts.models import AuditEvent, Notice, OneTimeToken, Person
from core.accounts.people import account_notices
from core.accounts.people.membership import (
    ERASED,
    accept_link,
    change_role,
    create_setup_link,
    disable_member,
    enable_member,
    erase_member,
    find_link_recipient,
    get_owner_principal,
    get_principal,
    invite_member,
    list_members,
    needs_setup,
    renew_invitation,
    set_up_owner,
    withdraw_invitation,
)
from core.database import session as db
from core.errors import AmazcopeError, InvalidInputError, NotAllowedError, NotFoundError
from tests.core.accounts.conftest import LIFETIME, NEW_HASH, NOW, Member, person, signed_in
from tests.factories.people import add_stranger, count_unread_notices, list_security_mails

MAIL = "ada@shop.example"


def join(session: Session, token: str, name: str = "Ada", mail: str | None = None) -> int:
    purpose = Purpose.SETUP if mail else Purpose.INVITATION
    return accept_link(session, token, purpose, name, mail, NEW_HASH, NOW)


# The set-up


def test_the_first_administrator_is_claimed_once(session: Session) -> None:
    assert needs_setup(session)
    token = create_setup_link(session, NOW)
    assert token is not None
    number = join(session, token, mail=" Ada@Shop.example ")
    first = person(session, number)
    assert (first.mail, first.role, first.state) == (MAIL, "admin", "active")
    assert not needs_setup(session)
    assert create_setup_link(session, NOW) is None
    with pytest.raises(InvalidInputError, match="already used"):
        join(session, token, mail="eve@shop.example")


def test_a_newer_setup_link_makes_the_printed_one_void(session: Session) -> None:
    first, second = create_setup_link(session, NOW), create_setup_link(session, NOW)
    assert first is not None
    assert second is not None
    with pytest.raises(InvalidInputError):
        join(session, first, mail=MAIL)
    join(session, second, mail=MAIL)


def test_an_administrator_of_the_settings_is_made_once(session: Session) -> None:
    link = create_setup_link(session, NOW)
    assert set_up_owner(session, MAIL, "Ada", NEW_HASH, NOW)
    assert not set_up_owner(session, "eve@shop.example", "Eve", NEW_HASH, NOW)
    assert link is not None
    with pytest.raises(InvalidInputError):
        join(session, link, mail="eve@shop.example")


def test_the_demos_administrator_is_not_the_one_to_be_set_up(session: Session) -> None:
    owner = get_owner_principal(session)
    demo = Person(team_id=owner.team_id, name="Ada Admin", role="admin", is_demo=True)
    session.add(demo)
    session.flush()
    assert needs_setup(session)
    token = create_setup_link(session, NOW)
    assert token is not None
    assert find_token_owner(session, token, Purpose.SETUP, NOW) == owner.person_id


# Who acts for jobs and commands


@pytest.mark.parametrize("state", ["disabled", "invited", "registered", "erased"])
def test_a_job_does_not_act_for_who_may_not(session: Session, member: Member, state: str) -> None:
    sam = member(state=state)
    with pytest.raises(NotFoundError, match="no longer active"):
        get_principal(session, sam.person_id)


def test_a_job_acts_in_the_role_of_now(session: Session, member: Member) -> None:
    sam = member(Role.MANAGER)
    person(session, sam).role = "viewer"
    session.flush()
    principal = get_principal(session, sam.person_id)
    assert (principal.role, principal.via) == (Role.VIEWER, Via.JOB)


# Invitations


def test_who_is_invited_joins_in_the_role_that_was_given(
    session: Session, principal: Principal
) -> None:
    number, token = invite_member(session, principal, "Ada@Shop.example", Role.MANAGER, NOW)
    invited = find_link_recipient(session, token, Purpose.INVITATION, NOW)
    assert invited is not None
    assert (invited.mail, invited.role) == (MAIL, Role.MANAGER)
    assert join(session, token) == number
    assert person(session, number).state == "active"
    assert find_link_recipient(session, token, Purpose.INVITATION, NOW) is None
    with pytest.raises(InvalidInputError, match="already used"):
        join(session, token)


def test_an_invitation_is_for_its_address(session: Session, principal: Principal) -> None:
    number, token = invite_member(session, principal, MAIL, Role.SELLER, NOW)
    accept_link(session, token, Purpose.INVITATION, "Eve", "eve@shop.example", NEW_HASH, NOW)
    assert person(session, number).mail == MAIL


def test_an_invitation_ends_and_can_be_made_again(session: Session, principal: Principal) -> None:
    number, first = invite_member(session, principal, MAIL, Role.SELLER, NOW)
    later = NOW + LIFETIMES[Purpose.INVITATION]
    assert find_link_recipient(session, first, Purpose.INVITATION, later) is None
    again, second = invite_member(session, principal, MAIL, Role.VIEWER, later)
    assert again == number
    invited = find_link_recipient(session, second, Purpose.INVITATION, later)
    assert invited is not None
    assert invited.role is Role.VIEWER


def test_inviting_again_makes_the_first_link_void(session: Session, principal: Principal) -> None:
    _, first = invite_member(session, principal, MAIL, Role.ADMIN, NOW)
    _, second = invite_member(session, principal, MAIL, Role.VIEWER, NOW)
    with pytest.raises(InvalidInputError):
        join(session, first)
    assert person(session, join(session, second)).role == "viewer"


def test_who_is_in_the_team_is_not_invited(
    session: Session, principal: Principal, member: Member
) -> None:
    member(mail=MAIL)
    with pytest.raises(InvalidInputError, match="already"):
        invite_member(session, principal, MAIL, Role.ADMIN, NOW)


def test_who_is_disabled_is_not_invited_back(
    session: Session, principal: Principal, member: Member
) -> None:
    member(mail=MAIL, state="disabled")
    with pytest.raises(InvalidInputError, match="already"):
        invite_member(session, principal, MAIL, Role.SELLER, NOW)


def test_registering_an_address_does_not_keep_its_owner_from_being_invited(
    session: Session, principal: Principal, member: Member
) -> None:
    squatter = member(mail=MAIL, state="registered")
    confirm = create_token(session, squatter.person_id, Purpose.CONFIRMATION, NOW)
    number, _ = invite_member(session, principal, MAIL, Role.SELLER, NOW)
    assert number == squatter.person_id
    assert find_token_owner(session, confirm, Purpose.CONFIRMATION, NOW) is None
    assert person(session, number).password_hash is None


def test_a_withdrawn_invitation_opens_nothing(session: Session, principal: Principal) -> None:
    number, token = invite_member(session, principal, MAIL, Role.SELLER, NOW)
    withdraw_invitation(session, principal, number, NOW)
    assert find_link_recipient(session, token, Purpose.INVITATION, NOW) is None
    with pytest.raises(InvalidInputError):
        join(session, token)
    assert renew_invitation(session, number, NOW) is None


def test_an_invitation_that_was_used_is_not_mailed_again(
    session: Session, principal: Principal
) -> None:
    number, token = invite_member(session, principal, MAIL, Role.SELLER, NOW)
    assert renew_invitation(session, number, NOW) is not None
    with pytest.raises(InvalidInputError):
        join(session, token)  # the mailed one has replaced it
    renewed = renew_invitation(session, number, NOW)
    assert renewed is not None
    join(session, renewed[1])
    assert renew_invitation(session, number, NOW) is None


def test_what_a_newcomer_calls_themselves_is_in_no_notice(
    session: Session, principal: Principal
) -> None:
    _, token = invite_member(session, principal, MAIL, Role.SELLER, NOW)
    join(session, token, name="Your account is locked: https://evil.example")
    texts = session.scalars(
        select(Notice.text).where(Notice.person_id == principal.person_id)
    ).all()
    assert texts == ["An invited user has joined as seller."]


# Roles, shutting out, erasing


def test_a_role_is_changed_and_the_user_notified(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    change_role(session, principal, sam.person_id, Role.MANAGER, NOW)
    assert person(session, sam).role == "manager"
    event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.verb, event.old, event.new) == (
        "changed role",
        {"role": "seller"},
        {"role": "manager"},
    )
    assert count_unread_notices(session, sam) == 1
    assert list_security_mails(session) == [("Your role is now manager.", "seller@team.example")]


Verb = Callable[[Session, Principal, int], None]


def demote(session: Session, principal: Principal, number: int) -> None:
    change_role(session, principal, number, Role.VIEWER, NOW)


def shut_out(session: Session, principal: Principal, number: int) -> None:
    disable_member(session, principal, number, NOW)


@pytest.mark.parametrize("verb", [demote, shut_out])
def test_the_last_administrator_stays(
    session: Session, principal: Principal, member: Member, verb: Verb
) -> None:
    member(Role.ADMIN, "gone@team.example", state="disabled")
    member(Role.ADMIN, "demo@team.example", is_demo=True)
    with pytest.raises(InvalidInputError, match="last administrator"):
        verb(session, principal, principal.person_id)
    second = member(Role.ADMIN, "second@team.example")
    verb(session, second, principal.person_id)
    with pytest.raises(InvalidInputError, match="last administrator"):
        verb(session, second, second.person_id)


@pytest.mark.parametrize("verb", [demote, shut_out])
def test_a_former_administrator_changes_no_user(
    session: Session, principal: Principal, member: Member, verb: Verb
) -> None:
    second, sam = member(Role.ADMIN), member()
    change_role(session, principal, second.person_id, Role.VIEWER, NOW)
    with pytest.raises(NotAllowedError, match="no longer an administrator"):
        verb(session, second, sam.person_id)


def test_the_unclaimed_administrator_is_left_alone(
    session: Session, principal: Principal, member: Member
) -> None:
    demo = member(Role.ADMIN, is_demo=True)
    owner = session.get_one(Person, principal.person_id)
    owner.state = "unclaimed"
    session.flush()
    with pytest.raises(InvalidInputError, match="not been set up"):
        change_role(session, demo, owner.id, Role.VIEWER, NOW)
    with pytest.raises(InvalidInputError, match="not active"):
        disable_member(session, demo, owner.id, NOW)


def test_who_is_disabled_is_out_with_all_that_was_open(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    cookie = signed_in(session, sam)
    links = {each: create_token(session, sam.person_id, each, NOW) for each in Purpose}
    disable_member(session, principal, sam.person_id, NOW)
    assert sessions.find_session(session, cookie, LIFETIME, NOW, None) is None
    enable_member(session, principal, sam.person_id, NOW)
    # What was made before stays dead, also when the person is let in again.
    assert sessions.find_session(session, cookie, LIFETIME, NOW, None) is None
    assert [each for each in Purpose if find_token_owner(session, links[each], each, NOW)] == []


def test_only_who_is_active_is_disabled_and_only_who_is_disabled_enabled(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member()
    with pytest.raises(InvalidInputError):
        enable_member(session, principal, sam.person_id, NOW)
    disable_member(session, principal, sam.person_id, NOW)
    with pytest.raises(InvalidInputError):
        disable_member(session, principal, sam.person_id, NOW)
    invited, _ = invite_member(session, principal, MAIL, Role.SELLER, NOW)
    with pytest.raises(InvalidInputError):
        enable_member(session, principal, invited, NOW)


def test_an_erased_person_leaves_no_name_no_way_in_and_no_token(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member(Role.SELLER, MAIL, outside_identity="https://id.example sam")
    cookie = signed_in(session, sam)
    token = api_tokens.create_api_token(session, sam, "A script", [Scope.READ], None, NOW)
    reset = create_token(session, sam.person_id, Purpose.RESET, NOW)
    account_notices.notify(session, [sam.person_id], "Your password was changed.")
    with pytest.raises(InvalidInputError, match="Disable"):
        erase_member(session, principal, sam.person_id)
    disable_member(session, principal, sam.person_id, NOW)
    erase_member(session, principal, sam.person_id)
    left = person(session, sam)
    assert (left.name, left.mail, left.password_hash, left.outside_identity, left.state) == (
        ERASED,
        None,
        None,
        None,
        "erased",
    )
    assert sessions.find_session(session, cookie, LIFETIME, NOW, None) is None
    assert api_tokens.find_bearer(session, token, NOW, None) is None
    assert find_token_owner(session, reset, Purpose.RESET, NOW) is None
    of_sam = OneTimeToken.person_id == sam.person_id
    assert session.scalars(select(OneTimeToken).where(of_sam)).all() == []
    assert session.scalars(select(Notice).where(Notice.person_id == sam.person_id)).all() == []
    assert sam.person_id not in [each.id for each in list_members(session, principal)]
    with pytest.raises(NotFoundError):
        enable_member(session, principal, sam.person_id, NOW)
    invite_member(session, principal, MAIL, Role.SELLER, NOW)  # the address is free again


def test_no_event_holds_a_name_or_an_address(
    session: Session, principal: Principal, member: Member
) -> None:
    number, token = invite_member(session, principal, MAIL, Role.SELLER, NOW)
    join(session, token, name="Ada Lovelace")
    disable_member(session, principal, number, NOW)
    erase_member(session, principal, number)
    for event in session.scalars(select(AuditEvent)):
        written = f"{event.verb} {event.object} {event.old} {event.new}"
        assert "Lovelace" not in written
        assert MAIL not in written


@pytest.mark.parametrize(
    "verb",
    [
        lambda session, principal, number: change_role(
            session, principal, number, Role.VIEWER, NOW
        ),
        lambda session, principal, number: disable_member(session, principal, number, NOW),
        lambda session, principal, number: enable_member(session, principal, number, NOW),
        lambda session, principal, number: erase_member(session, principal, number),
        lambda session, principal, number: withdraw_invitation(session, principal, number, NOW),
    ],
    ids=["change_role", "disable", "enable", "erase", "withdraw_invitation"],
)
def test_an_administrator_of_another_team_finds_no_user(
    session: Session, member: Member, verb: Verb
) -> None:
    sam = member()
    with pytest.raises(NotFoundError):
        verb(session, add_stranger(session), sam.person_id)
    with pytest.raises(NotFoundError):
        verb(session, add_stranger(session), 10**12)


# At one moment


@pytest.fixture
def two_admins(committed_database: str) -> tuple[int, int]:
    with db.write_scope() as session:
        owner = session.get_one(Person, get_owner_principal(session).person_id)
        owner.state = "active"
        second = Person(team_id=owner.team_id, name="Second", role="admin", mail=MAIL)
        session.add(second)
        session.flush()
        return owner.id, second.id


@pytest.mark.parametrize("verb", [demote, shut_out])
def test_two_administrators_who_remove_each_other_leave_one(
    two_admins: tuple[int, int], verb: Verb
) -> None:
    for _ in range(5):
        with db.write_scope() as session:
            session.execute(
                update(Person).where(Person.id.in_(two_admins)).values(role="admin", state="active")
            )
        ready = Barrier(2)

        def remove(me: int, other: int, ready: Barrier = ready) -> bool:
            with db.read_scope() as session:
                principal = get_principal(session, me, Via.PAGE)
            ready.wait()
            try:
                with db.write_scope() as session:
                    verb(session, principal, other)
            except AmazcopeError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(remove, two_admins, reversed(two_admins)))
        assert sorted(done) == [False, True]


def test_two_who_invite_one_address_at_one_moment_invite_one_person(
    two_admins: tuple[int, int],
) -> None:
    def ask(me: int) -> int:
        with db.write_scope() as session:
            principal = get_principal(session, me, Via.PAGE)
            return invite_member(session, principal, "new@shop.example", Role.SELLER, NOW)[0]

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, two_admins * 4))) == 1


def test_who_signs_in_while_being_shut_out_stays_out(two_admins: tuple[int, int]) -> None:
    first, second = two_admins
    with db.write_scope() as session:
        ticket = sessions.create_ticket(session, second, NOW)
        principal = get_principal(session, first, Via.PAGE)

    def enter() -> str | None:
        with db.write_scope() as session:
            return sessions.start_session(session, ticket, LIFETIME, NOW, None, None)

    with ThreadPoolExecutor(1) as pool:
        with db.write_scope() as session:
            disable_member(session, principal, second, NOW)
            entering = pool.submit(enter)
            wait([entering], timeout=0.5)
        cookie = entering.result(timeout=120)
    assert cookie is None


def test_a_link_ends_at_the_second(session: Session, principal: Principal) -> None:
    _, token = invite_member(session, principal, MAIL, Role.SELLER, NOW - timedelta(days=7))
    with pytest.raises(InvalidInputError):
        join(session, token)
