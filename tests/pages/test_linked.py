"""What is behind mailed links, for a visitor who is not signed in."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.auth import login, session_cookie
from core.accounts.access import api_tokens
from core.accounts.access.credentials import verify_password
from core.accounts.access.one_time_tokens import Purpose, find_token_owner
from core.accounts.access.permissions import Principal, Role, Scope
from core.accounts.login import throttling
from core.accounts.models import AuditEvent, Person
from core.accounts.people import membership, self_service
from core.settings.environment import ROOT, get_settings
from jobs.tasks import send_account_emails
from tests.pages.conftest import SignIn

PASSWORD = "seven lamps beside a kettle"
MAIL = "ada@shop.example"


@pytest.fixture(autouse=True)
def tickets(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No user is signed in; the tickets that are handed to the browser."""
    sign_in(None)
    handed: list[str] = []
    monkeypatch.setattr(session_cookie, "start_session_at_home", handed.append)
    return handed


@pytest.fixture
def open_to_everybody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AMAZCOPE_REGISTRATION", "open")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def open_link(**address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def fill(app: AppTest, **values: str) -> AppTest:
    labels = {"password": "New password", "name": "Your name", "mail": "Email"}
    for name, value in values.items():
        next(box for box in app.text_input if box.label == labels[name]).input(value)
    app.button[0].click()
    app.run()
    assert not app.exception
    return app


def read_messages(app: AppTest) -> str:
    return " ".join(each.value for each in [*app.success, *app.error])


def asked_for_reset(session: Session, principal: Principal) -> str:
    person = session.get_one(Person, principal.person_id)
    person.password_hash = "$old"
    session.flush()
    asked = self_service.request_reset(session, person.mail or "", datetime.now(UTC))
    assert asked is not None
    session.commit()
    return asked[1]


def test_a_new_password_lets_in_at_once(
    session: Session, principal: Principal, tickets: list[str]
) -> None:
    fill(open_link(reset=asked_for_reset(session, principal)), password=PASSWORD)
    [ticket] = tickets
    assert (
        find_token_owner(session, ticket, Purpose.TICKET, datetime.now(UTC)) == principal.person_id
    )


def test_a_mailbox_alone_lets_no_user_past_a_second_factor(
    session: Session, principal: Principal, tickets: list[str]
) -> None:
    token = asked_for_reset(session, principal)
    session.get_one(Person, principal.person_id).totp_confirmed_at = datetime.now(UTC)
    session.commit()
    app = fill(open_link(reset=token), password=PASSWORD)
    assert "Sign in with it and your two-factor code" in read_messages(app)
    assert tickets == []
    person = session.get_one(Person, principal.person_id, populate_existing=True)
    assert verify_password(person.password_hash, PASSWORD)


def test_who_registers_chooses_the_password_behind_the_link_and_not_before(
    session: Session,
    tickets: list[str],
    open_to_everybody: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(send_account_emails, "send_registration", asked.append)
    app = open_link()
    next(button for button in app.button if button.label == "Register").click()
    app.run()
    assert [box.label for box in app.text_input] == ["Email"]
    fill(app, mail=MAIL)
    assert asked == [MAIL]
    made = self_service.request_registration(session, MAIL, datetime.now(UTC))
    session.commit()
    assert made is not None
    fill(open_link(confirm=made.token or ""), name="Ada", password=PASSWORD)
    person = session.scalars(select(Person).where(Person.mail == MAIL)).one()
    assert (person.name, person.state, person.role) == ("Ada", "active", "viewer")
    assert len(tickets) == 1


def test_who_registered_before_registration_was_closed_waits_for_an_invitation(
    session: Session, tickets: list[str]
) -> None:
    made = self_service.request_registration(session, MAIL, datetime.now(UTC))
    session.commit()
    assert made is not None
    app = fill(open_link(confirm=made.token or ""), name="Ada", password=PASSWORD)
    assert "Registration is not open" in read_messages(app)
    person = session.scalars(select(Person).where(Person.mail == MAIL)).one()
    assert (person.state, person.password_hash, tickets) == ("registered", None, [])


def test_a_link_is_not_used_up_by_opening_it_or_by_a_bad_password(
    session: Session, principal: Principal, tickets: list[str]
) -> None:
    _, token = membership.invite_member(session, principal, MAIL, Role.SELLER, datetime.now(UTC))
    session.commit()
    open_link(invitation=token)
    assert "easy to guess" in read_messages(
        fill(open_link(invitation=token), password="passwordpassword")
    )
    assert tickets == []
    fill(open_link(invitation=token), name="Ada", password=PASSWORD)
    assert len(tickets) == 1
    assert "already used" in read_messages(open_link(invitation=token))


def test_wrong_codes_lock_and_are_audited(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login.signed, "client_address", lambda: "203.0.113.7")
    monkeypatch.setattr(login.two_factor, "verify_code", lambda *_: False)
    person = session.get_one(Person, principal.person_id)
    person.totp_confirmed_at = datetime.now(UTC)
    token = login.one_time_tokens.create_token(
        session, person.id, Purpose.SECOND, datetime.now(UTC)
    )
    session.commit()
    for _ in range(login.get_attempt_limits().per_person):
        assert login.attempt_code(token, "owner@team.example", "000000") is None
    with pytest.raises(throttling.TooManyAttemptsError):
        login.attempt_code(token, "owner@team.example", "000000")
    locked = select(AuditEvent.person_id).where(AuditEvent.verb == "locked out")
    assert session.scalars(locked).all() == [principal.person_id]


# How often, and how long


def ask_for_reset(mail: str) -> AppTest:
    app = open_link()
    next(button for button in app.button if button.label.startswith("Forgot")).click()
    app.run()
    return fill(app, mail=mail)


def test_a_mailbox_is_written_to_a_few_times_and_the_form_shows_when_again(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(send_account_emails, "send_reset", sent.append)
    few = throttling.AttemptLimits(2, 20, throttling.REQUEST_LIMITS.window)
    monkeypatch.setitem(login._LIMITS, throttling.ThrottledForm.RESET, few)
    for mail, answer in (
        (" Ada@Shop.example", "a link is on its way"),
        (MAIL, "a link is on its way"),
        (MAIL, "Too many attempts. Try again in 60 minutes."),
        ("nobody@shop.example", "a link is on its way"),
    ):
        assert answer in read_messages(ask_for_reset(mail))
    assert sent == [MAIL, MAIL, "nobody@shop.example"]


def test_what_is_no_address_gets_no_email_however_long_it_is(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(send_account_emails, "send_reset", sent.append)
    assert "not an email address" in read_messages(ask_for_reset(f"{'x' * 3_000_000}@shop.example"))
    assert sent == []


@pytest.mark.parametrize("is_cleared", [True, False])
def test_a_reset_revokes_api_tokens_unless_its_box_is_cleared(
    session: Session, principal: Principal, tickets: list[str], is_cleared: bool
) -> None:
    now = datetime.now(UTC)
    token = api_tokens.create_api_token(session, principal, "Report", [Scope.READ], None, now)
    app = open_link(reset=asked_for_reset(session, principal))
    [box] = app.checkbox
    assert box.value
    if is_cleared:
        box.uncheck()
    fill(app, password=PASSWORD)
    assert len(tickets) == 1
    assert (api_tokens.find_bearer(session, token, now, None) is not None) is is_cleared
