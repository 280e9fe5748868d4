"""Links that were mailed, with anything at all in them: a dead link shows so, and nothing else."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.login import account_links
from core.accounts.access.credentials import hash_token
from core.accounts.access.one_time_tokens import Purpose, create_token
from core.accounts.access.permissions import Principal
from core.accounts.models import OneTimeToken, Person, SignIn
from core.settings.environment import ROOT
from tests.pages.conftest import SignIn as SignInAs

NAMES = list(account_links.PARAMETERS.values())
ODD = [
    "",
    "x",
    "\x00",
    "\x00" * 50,
    "x" * 100_000,
    "../../etc/passwd",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "\u202e\u0660\U0001f600",
    "$x^2$ :smile: [a](javascript:alert(1))",
    "ＡＢＣ",
]
DEAD = "This link was already used or has expired. Request a new one."
DEAD_SETUP = (
    "This link was already used or has expired. Each start of Amazcope prints a new one until "
    "it is set up; after that, sign in."
)


def dead(name: str) -> str:
    """Return the message about a link that opens nothing, by its name in the address."""
    return DEAD_SETUP if name == "setup" else DEAD


def open_at(**address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def sign_ins(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(SignIn)) or 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_a_link_that_opens_nothing_is_named_as_such(
    session: Session, sign_in: SignInAs, name: str, value: str
) -> None:
    sign_in(None)
    before = sign_ins(session)
    app = open_at(**{name: value})
    assert [error.value for error in app.error] == [dead(name)]
    assert sign_ins(session) == before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_serves_no_other_purpose_than_its_own(
    session: Session, principal: Principal, sign_in: SignInAs, name: str, purpose: Purpose
) -> None:
    if account_links.PARAMETERS.get(purpose) == name:
        return
    sign_in(None)
    token = create_token(session, principal.person_id, purpose, datetime.now(UTC))
    session.commit()
    app = open_at(**{name: token})
    assert [error.value for error in app.error] == [dead(name)]
    assert session.get_one(OneTimeToken, hash_token(token)).used_at is None


@pytest.mark.parametrize("name", NAMES)
def test_a_signed_in_user_sees_it_too(session: Session, name: str) -> None:
    assert [error.value for error in open_at(**{name: "x"}).error] == [dead(name)]


@pytest.mark.parametrize("state", ["disabled", "erased", "invited", "unclaimed"])
def test_a_reset_of_an_inactive_user_sets_nothing(
    session: Session, principal: Principal, sign_in: SignInAs, state: str
) -> None:
    sign_in(None)
    person = session.get_one(Person, principal.person_id)
    person.state = state
    token = create_token(session, principal.person_id, Purpose.RESET, datetime.now(UTC))
    session.commit()
    app = open_at(reset=token)
    if app.text_input:
        app.text_input[0].set_value("correct horse battery staple 7")
        app.button[0].click().run()
    assert not app.exception
    assert [error.value for error in app.error] == [DEAD]
    assert session.get_one(Person, principal.person_id).password_hash is None


PASSWORDS = [
    ("", "at least 12 characters"),
    (" " * 40, "at least 12 characters"),
    ("short", "at least 12 characters"),
    ("x" * 200, "at most 128 characters"),
    ("password1234", "easy to guess"),
    ("owner@team.example", "easy to guess"),
    ("aaaaaaaaaaaaaaaa", "easy to guess"),
]


@pytest.mark.parametrize(("password", "words"), PASSWORDS, ids=range(len(PASSWORDS)))
def test_a_bad_password_leaves_the_link_good(
    session: Session, principal: Principal, sign_in: SignInAs, password: str, words: str
) -> None:
    sign_in(None)
    token = create_token(session, principal.person_id, Purpose.RESET, datetime.now(UTC))
    session.commit()
    app = open_at(reset=token)
    app.text_input[0].set_value(password)
    app.button[0].click().run()
    assert words in app.error[0].value
    app.text_input[0].set_value("密码很长的句子没有人猜得到它 🦉")
    app.button[0].click().run()
    assert not app.exception
    assert [error.value for error in app.error] == []
    assert session.get_one(Person, principal.person_id).password_hash is not None


def test_only_the_first_of_several_links_counts(session: Session, sign_in: SignInAs) -> None:
    sign_in(None)
    app = open_at(**dict.fromkeys(NAMES, "x"))
    assert [error.value for error in app.error] == [DEAD_SETUP]
