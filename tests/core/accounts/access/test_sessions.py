"""Sign-ins: begun by a ticket, found by a cookie, ended from either side."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access import one_time_tokens, sessions
from core.accounts.access.one_time_tokens import Purpose
from core.accounts.access.permissions import Principal, Role
from core.accounts.login import password_login
from core.accounts.login.password_login import LoginCandidate
from core.accounts.login.throttling import AttemptLimits, begin_attempt, count_failed
from core.accounts.models import AuditEvent, Notice, OneTimeToken, Person, SignIn
from core.accounts.people import account_notices
from core.errors import NotFoundError
from tests.core.accounts.conftest import (
    LIFETIME,
    NEW_HASH,
    NOW,
    OLD_HASH,
    Member,
    person,
    signed_in,
)
from tests.hypothesis_runs import examples

HOUR = timedelta(hours=1)
LIMITS = AttemptLimits(5, 20, timedelta(minutes=15))


def found(session: Session, token: str, hours: float = 0) -> Principal | None:
    now = NOW + hours * HOUR
    answer = sessions.find_session(session, token, LIFETIME, now, "203.0.113.7")
    return answer.principal if answer else None


def test_a_cookie_stands_for_who_signed_in(session: Session, member: Member) -> None:
    sam = member(Role.SELLER)
    principal = found(session, signed_in(session, sam))
    assert principal is not None
    assert (principal.person_id, principal.role, principal.team_id) == (
        sam.person_id,
        Role.SELLER,
        sam.team_id,
    )
    assert principal.address == "203.0.113.7"
    assert principal.session_id is not None
    assert principal.scopes is None


def test_the_cookies_token_is_not_kept(session: Session, member: Member) -> None:
    token = signed_in(session, member())
    [kept] = session.scalars(select(SignIn))
    assert token.encode() not in kept.token_hash


def test_a_sign_in_that_is_not_used_ends(session: Session, member: Member) -> None:
    token = signed_in(session, member())
    assert found(session, token, 11.9)
    assert found(session, token, 12) is None


def test_a_sign_in_that_is_used_goes_on_but_not_for_ever(session: Session, member: Member) -> None:
    token = signed_in(session, member())
    for hours in range(0, 14 * 24, 11):
        principal = found(session, token, hours)
        assert principal is not None
        sessions.mark_session_used(session, principal, NOW + hours * HOUR)
    assert found(session, token, 14 * 24 - 0.01)
    assert found(session, token, 14 * 24) is None


def test_when_it_was_last_seen_is_written_once_a_minute(session: Session, member: Member) -> None:
    token = signed_in(session, member())
    fresh = sessions.find_session(session, token, LIFETIME, NOW + timedelta(seconds=50), None)
    stale = sessions.find_session(session, token, LIFETIME, NOW + timedelta(seconds=70), None)
    assert fresh is not None
    assert stale is not None
    assert (fresh.is_stale, stale.is_stale) == (False, True)


def test_a_cookie_replayed_after_signing_out_stands_for_no_user(
    session: Session, member: Member
) -> None:
    token = signed_in(session, member())
    assert sessions.end_session_by_token(session, token, NOW, None)
    assert found(session, token) is None
    assert not sessions.end_session_by_token(session, token, NOW, None)


def test_a_disabled_person_is_out_at_once(session: Session, member: Member) -> None:
    sam = member()
    token = signed_in(session, sam)
    person(session, sam).state = "disabled"
    session.flush()
    assert found(session, token) is None


def test_a_lowered_role_counts_at_the_next_request(session: Session, member: Member) -> None:
    sam = member(Role.MANAGER)
    token = signed_in(session, sam)
    person(session, sam).role = Role.VIEWER.value
    session.flush()
    principal = found(session, token)
    assert principal is not None
    assert principal.role is Role.VIEWER


@settings(max_examples=examples(25))
@given(st.text(max_size=200))
def test_an_invented_cookie_stands_for_no_user(session: Session, token: str) -> None:
    assert found(session, token) is None
    assert not sessions.end_session_by_token(session, token, NOW, None)
    assert sessions.start_session(session, token, LIFETIME, NOW, None, None) is None


@pytest.mark.parametrize("state", ["disabled", "invited", "registered", "unclaimed", "erased"])
def test_only_who_is_active_begins_a_sign_in(session: Session, member: Member, state: str) -> None:
    sam = member()
    ticket = sessions.create_ticket(session, sam.person_id, NOW)
    person(session, sam).state = state
    session.flush()
    assert sessions.start_session(session, ticket, LIFETIME, NOW, None, None) is None


def test_what_a_browser_calls_itself_is_kept_without_what_the_database_refuses(
    session: Session, member: Member
) -> None:
    ticket = sessions.create_ticket(session, member().person_id, NOW)
    sessions.start_session(
        session, ticket, LIFETIME, NOW, None, "Mozilla\x00\ud800/5.0 " + "x" * 500
    )
    [kept] = session.scalars(select(SignIn.browser))
    assert kept is not None
    assert kept.startswith("Mozilla/5.0")
    assert len(kept) <= 200


# One's own


def test_one_sees_and_ends_only_ones_own_sign_ins(session: Session, member: Member) -> None:
    sam, eve = member(), member(mail="eve@team.example")
    signed_in(session, sam)
    principal = found(session, signed_in(session, sam))
    assert principal is not None
    of_eve = found(session, signed_in(session, eve))
    assert of_eve is not None
    seen = sessions.list_open_sessions(session, principal, LIFETIME, NOW)
    assert [row.is_this for row in seen].count(True) == 1
    assert len(seen) == 2
    with pytest.raises(NotFoundError):
        sessions.end_own_session(session, principal, of_eve.session_id or 0, NOW)
    other = next(row for row in seen if not row.is_this)
    sessions.end_own_session(session, principal, other.id, NOW)
    assert [
        row.is_this for row in sessions.list_open_sessions(session, principal, LIFETIME, NOW)
    ] == [True]
    with pytest.raises(NotFoundError):
        sessions.end_own_session(session, principal, other.id, NOW)


def test_signing_out_everywhere_else_leaves_this_one(session: Session, member: Member) -> None:
    sam = member()
    elsewhere, here = signed_in(session, sam), signed_in(session, sam)
    principal = found(session, here)
    assert principal is not None
    ticket = sessions.create_ticket(session, sam.person_id, NOW)
    assert sessions.end_other_sessions(session, principal, NOW) == 1
    assert found(session, here)
    assert found(session, elsewhere) is None
    # A user who knew the password and is half way in stays out as well.
    assert sessions.start_session(session, ticket, LIFETIME, NOW, None, None) is None


# What signing in reads and leaves


def known(session: Session, mail: str = "seller@team.example") -> LoginCandidate:
    someone = password_login.find_login_candidate(session, mail, with_demo=True)
    assert someone is not None
    return someone


def test_only_active_users_can_sign_in(session: Session, member: Member) -> None:
    sam = member()
    assert known(session).person_id == sam.person_id
    for state in ("disabled", "invited", "registered", "erased"):
        person(session, sam).state = state
        session.flush()
        assert (
            password_login.find_login_candidate(session, "seller@team.example", with_demo=True)
            is None
        )


def test_the_demos_people_are_known_in_the_demo_only(session: Session, member: Member) -> None:
    member(is_demo=True)
    assert password_login.find_login_candidate(session, "seller@team.example", with_demo=True)
    assert (
        password_login.find_login_candidate(session, "seller@team.example", with_demo=False) is None
    )


def test_a_right_password_gives_a_ticket_or_asks_for_the_second_factor(
    session: Session, member: Member
) -> None:
    sam = member()
    attempt = begin_attempt(session, "seller@team.example", None, LIMITS, NOW)
    opened = password_login.complete_login(session, known(session), attempt, NOW)
    assert opened is not None
    assert opened[0] is Purpose.TICKET
    before = known(session)
    person(session, sam).totp_confirmed_at = NOW  # set up while the password was hashed
    session.flush()
    attempt = begin_attempt(session, "seller@team.example", None, LIMITS, NOW)
    opened = password_login.complete_login(session, before, attempt, NOW)
    assert opened is not None
    assert opened[0] is Purpose.SECOND
    assert sessions.start_session(session, opened[1], LIFETIME, NOW, None, None) is None


def test_the_old_password_does_not_get_in_while_it_is_being_replaced(
    session: Session, member: Member
) -> None:
    sam = member()
    checked = known(session)
    kept = person(session, sam)
    kept.password_hash, kept.password_changed_at = NEW_HASH, NOW
    session.flush()
    attempt = begin_attempt(session, "seller@team.example", None, LIMITS, NOW)
    assert password_login.complete_login(session, checked, attempt, NOW) is None


def test_a_right_password_alone_gives_no_new_tries_at_the_second_factor(
    session: Session, member: Member
) -> None:
    member(totp_confirmed_at=NOW)
    mail = "seller@team.example"
    for _ in range(2):  # wrong codes
        begin_attempt(session, mail, None, LIMITS, NOW)
    attempt = begin_attempt(session, mail, None, LIMITS, NOW)
    password_login.complete_login(session, known(session), attempt, NOW)
    assert count_failed(session, mail, LIMITS.window, NOW) == 2


def test_a_hash_of_new_costs_replaces_only_the_one_it_was_made_of(
    session: Session, member: Member
) -> None:
    sam = member()
    checked = known(session)
    password_login.replace_hash(session, checked, NEW_HASH)
    assert person(session, sam).password_hash == NEW_HASH
    password_login.replace_hash(session, checked, OLD_HASH)  # an older check that took longer
    assert person(session, sam).password_hash == NEW_HASH


def test_signing_in_and_out_is_audited(session: Session, member: Member) -> None:
    sam = member()
    sessions.end_session_by_token(session, signed_in(session, sam), NOW, "203.0.113.7")
    verbs = session.scalars(
        select(AuditEvent.verb).where(AuditEvent.person_id == sam.person_id).order_by(AuditEvent.id)
    ).all()
    assert verbs == ["signed in", "signed out"]


# Forgetting


def test_what_ended_long_ago_is_forgotten(session: Session, member: Member) -> None:
    sam = member()
    ended, running = signed_in(session, sam), signed_in(session, sam, NOW + timedelta(days=80))
    sessions.end_session_by_token(session, ended, NOW, None)
    begin_attempt(session, "seller@team.example", None, LIMITS, NOW)
    account_notices.notify(session, [sam.person_id], "Old news.")
    account_notices.notify(session, [sam.person_id], "Unread news.")
    session.scalars(select(Notice).order_by(Notice.id)).first().read_at = NOW  # type: ignore[union-attr]
    one_time_tokens.create_token(session, sam.person_id, Purpose.RESET, NOW)
    member(mail="never@came.example", state="registered", created_at=NOW)
    member(mail="invited@team.example", state="invited", created_at=NOW)
    session.flush()
    later = NOW + timedelta(days=91)
    assert sessions.delete_old_sign_ins(session, later, timedelta(days=90)) == 1
    assert found(session, running, 80 * 24)
    count = select(func.count())
    assert (
        session.scalar(count.select_from(OneTimeToken).where(OneTimeToken.purpose == "reset")) == 0
    )
    assert session.scalars(select(Notice.text)).all() == ["Unread news."]
    mails = session.scalars(select(Person.mail)).all()
    assert "never@came.example" not in mails
    assert "invited@team.example" in mails
