"""Signing in with odd words: no one gets in, everything is counted, nothing breaks."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.auth import login
from app.auth import session as signed
from core.accounts.access import devices, sessions
from core.accounts.access.credentials import hash_password
from core.accounts.access.one_time_tokens import Purpose, create_token
from core.accounts.access.permissions import Principal
from core.accounts.login import two_factor
from core.accounts.login.throttling import AttemptLimits, ThrottledForm, TooManyAttemptsError
from core.accounts.models import AuditEvent, Person, SignInAttempt
from core.accounts.people.membership import get_principal
from core.settings.environment import get_settings
from core.settings.secret_key import get_secret_key
from tests.factories.people import list_security_mails
from tests.hypothesis_runs import examples

PASSWORD = "correct horse battery staple 7"
ODD = [
    "",
    " ",
    "\x00",
    "owner@team.example\x00",
    "\x00owner@team.example",
    "\udcff@team.example",
    "\ud800",
    "x" * 10_000,
    "x" * 10_000 + "@team.example",
    "\u202eelpmaxe.maet@renwo",
    "מנהל@team.example",
    "owner@team.example, other@team.example",
    "owner@team.example\r\nBcc: other@team.example",
    "' OR 1=1 --",
    "owner@team.example' --",
    "%",
    "owner@team.ex_mple",
    "*)(mail=*",
    "ｏｗｎｅｒ＠team．example\u200b",
    "<img src=x onerror=alert(1)>",
    "{{7*7}} $x^2$ :smile:",
]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed, "client_address", lambda: "10.0.0.9")
    monkeypatch.setattr(signed, "read_device_token", lambda: None)


@pytest.fixture
def owner(session: Session, principal: Principal) -> Person:
    person = session.get_one(Person, principal.person_id)
    person.password_hash = hash_password(PASSWORD)
    session.commit()
    return person


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    found = login.get_attempt_limits()
    many = AttemptLimits(10_000, 10_000, found.window)
    monkeypatch.setattr(login, "get_attempt_limits", lambda: many)


def attempts(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(SignInAttempt)) or 0


def test_the_right_password_signs_in_however_it_is_typed(session: Session, owner: Person) -> None:
    for mail in ("owner@team.example", " OWNER@Team.Example ", "ｏｗｎｅｒ@team.example"):
        opened = login.attempt_password(mail, f" {PASSWORD} ")
        assert opened is not None
        assert opened[0] is Purpose.TICKET


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("mail", ODD, ids=range(len(ODD)))
def test_an_odd_address_is_no_user_and_counts(session: Session, owner: Person, mail: str) -> None:
    assert login.attempt_password(mail, PASSWORD) is None
    assert attempts(session) == 1


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("password", ODD, ids=range(len(ODD)))
def test_an_odd_password_is_wrong_and_counts(
    session: Session, owner: Person, password: str
) -> None:
    assert login.attempt_password("owner@team.example", password) is None
    assert attempts(session) == 1


@pytest.mark.usefixtures("unlimited")
@settings(max_examples=examples(12))
@given(
    mail=st.text(st.characters(codec=None), max_size=50),
    password=st.text(st.characters(codec=None), max_size=50),
)
def test_no_words_but_the_right_ones_get_in(
    session: Session, owner: Person, mail: str, password: str
) -> None:
    assert login.attempt_password(mail, password) is None


def test_one_person_is_locked_whatever_form_the_address_has(
    session: Session, owner: Person
) -> None:
    for form in ("owner@team.example", "OWNER@team.example", " owner@team.example", "a@b.c", "a"):
        login.attempt_password(form, "wrong")
    login.attempt_password("Owner@Team.Example", "wrong")
    login.attempt_password("owner@TEAM.example", "wrong")
    with pytest.raises(TooManyAttemptsError, match="15 minutes"):
        login.attempt_password("owner@team.example", PASSWORD)
    [(text, mail)] = list_security_mails(session)
    assert text.startswith("After 5 failed attempts, signing in was locked")
    assert mail == "owner@team.example"


def test_one_address_is_locked_whomever_it_tries_which_leaves_a_trace(
    session: Session, owner: Person
) -> None:
    for number in range(20):
        login.attempt_password(f"person{number}@team.example", "wrong")
    for _ in range(2):
        with pytest.raises(TooManyAttemptsError):
            login.attempt_password("owner@team.example", PASSWORD)
    refused = select(AuditEvent.address, AuditEvent.new).where(AuditEvent.verb == "refused")
    assert [tuple(row) for row in session.execute(refused)] == [
        ("10.0.0.9", {"what": "form sign_in", "times today": 1})
    ]


def test_a_lock_ends(session: Session, owner: Person) -> None:
    for _ in range(5):
        login.attempt_password("owner@team.example", "wrong")
    with pytest.raises(TooManyAttemptsError):
        login.attempt_password("owner@team.example", PASSWORD)
    session.execute(text("UPDATE sign_in_attempt SET at = at - make_interval(mins => 15)"))
    session.commit()
    assert login.attempt_password("owner@team.example", PASSWORD) is not None


@pytest.mark.parametrize("code", [*ODD, "000000", "١٢٣٤٥٦", "0" * 10_000, "-1", "1e5"])
def test_an_odd_code_is_wrong(session: Session, owner: Person, code: str) -> None:
    two_factor.start_two_factor_setup(
        session, get_principal(session, owner.id), get_secret_key(get_settings()), datetime.now(UTC)
    )
    owner.totp_confirmed_at = datetime.now(UTC)
    token = create_token(session, owner.id, Purpose.SECOND, datetime.now(UTC))
    session.commit()
    assert login.attempt_code(token, "owner@team.example", code) is None


# Known devices


def test_wrong_passwords_elsewhere_do_not_keep_a_known_device_out(
    session: Session, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    ticket = sessions.create_ticket(session, owner.id, now)
    token = sessions.start_session(session, ticket, signed.get_lifetime(), now, None, None)
    assert token is not None
    device = devices.remember_device(session, token, None, now)
    session.commit()
    for _ in range(5):
        login.attempt_password("owner@team.example", "wrong")
    with pytest.raises(TooManyAttemptsError):
        login.attempt_password("owner@team.example", PASSWORD)
    monkeypatch.setattr(signed, "read_device_token", lambda: device)
    assert login.attempt_password("owner@team.example", PASSWORD) is not None


def test_a_made_up_device_cookie_gives_no_attempts(
    session: Session, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        monkeypatch.setattr(signed, "read_device_token", lambda number=number: f"made up {number}")
        login.attempt_password("owner@team.example", "wrong")
    monkeypatch.setattr(signed, "read_device_token", lambda: "another")
    with pytest.raises(TooManyAttemptsError):
        login.attempt_password("owner@team.example", PASSWORD)


# Whose account it is, before a single sign-on is linked to it


def test_an_account_is_its_owners_by_password_and_second_factor(
    session: Session, owner: Person
) -> None:
    assert login.verify_owner("owner@team.example", PASSWORD, "")
    assert not login.verify_owner("owner@team.example", "wrong", "")
    principal = get_principal(session, owner.id)
    key, now = get_secret_key(get_settings()), datetime.now(UTC)
    app = pyotp.parse_uri(two_factor.start_two_factor_setup(session, principal, key, now))
    assert isinstance(app, pyotp.TOTP)
    two_factor.confirm_two_factor_setup(
        session, principal, app.at(now - timedelta(seconds=30)), key, now
    )
    session.commit()
    assert not login.verify_owner("owner@team.example", PASSWORD, "")
    assert not login.verify_owner("owner@team.example", PASSWORD, "000000")
    assert login.verify_owner("owner@team.example", PASSWORD, app.at(now))


# Forms that have something mailed


@pytest.mark.parametrize("form", [ThrottledForm.RESET, ThrottledForm.REGISTRATION])
def test_one_address_asks_for_mail_to_few_mailboxes(
    session: Session, owner: Person, form: ThrottledForm
) -> None:
    for number in range(20):
        login.count_request(form, f"person{number}@team.example")
    with pytest.raises(TooManyAttemptsError, match="60 minutes"):
        login.count_request(form, "owner@team.example")
    [recorded] = session.scalars(select(AuditEvent.new).where(AuditEvent.verb == "refused"))
    assert recorded == {"what": f"form {form.value}", "times today": 1}


@pytest.mark.parametrize("mail", ["owner@team.example", "nobody@team.example"])
def test_one_mailbox_is_written_to_a_few_times_whether_it_is_known_or_not(
    session: Session, owner: Person, mail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        monkeypatch.setattr(signed, "client_address", lambda number=number: f"10.0.0.{number}")
        login.count_request(ThrottledForm.RESET, mail)
    with pytest.raises(TooManyAttemptsError):
        login.count_request(ThrottledForm.RESET, mail)


def test_asking_for_mail_does_not_lock_signing_in(session: Session, owner: Person) -> None:
    for number in range(20):
        login.count_request(ThrottledForm.RESET, f"person{number}@team.example")
    assert login.attempt_password("owner@team.example", PASSWORD) is not None
