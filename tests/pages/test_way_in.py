"""The sign-in screen, for a visitor who is not signed in."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.login import page
from core.demo.people import PEOPLE
from core.errors import NotAllowedError
from core.settings.environment import ROOT, Settings
from tests.pages.conftest import SignIn
from tests.pages.screen import errors, labelled, plain, press


@pytest.fixture
def way_in(session: Session, sign_in: SignIn) -> Callable[[], AppTest]:
    sign_in(None)
    return lambda: AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120).run()


def order_of(app: AppTest) -> list[str]:
    return [type(element).__name__ for element in app.main]


def test_the_form_has_one_main_button_and_the_demos_people_beside_it(
    way_in: Callable[[], AppTest],
) -> None:
    app = way_in()
    assert [each.value for each in app.title] == ["Amazcope"]
    assert labelled(app.button, "Sign in").proto.type == "primary"
    for person in PEOPLE:
        assert f"**{person.name}**" in plain(app)
        assert f"`{person.password}`" in plain(app)
        assert labelled(app.button, f"Continue as {person.role.value}")


def test_what_was_wrong_stands_above_the_form(way_in: Callable[[], AppTest]) -> None:
    app = way_in()
    labelled(app.text_input, "Email").set_value("nobody@team.example")
    labelled(app.text_input, "Password").set_value("a wrong password")
    press(app, "Sign in")
    assert errors(app) == "Incorrect email or password."
    names = order_of(app)
    assert names.index("Error") < names.index("TextInput")


def test_a_lock_out_stands_above_the_form_too(way_in: Callable[[], AppTest]) -> None:
    app = way_in()
    for _ in range(6):
        labelled(app.text_input, "Email").set_value("nobody@team.example")
        labelled(app.text_input, "Password").set_value("a wrong password")
        press(app, "Sign in")
    assert "Too many attempts. Try again in" in errors(app)
    names = order_of(app)
    assert names.index("Error") < names.index("TextInput")


def test_without_the_demo_no_password_is_shown(
    way_in: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(amazcope_demo=False)
    monkeypatch.setattr(page, "get_settings", lambda: settings)
    app = way_in()
    assert "demo" not in plain(app)
    assert [button.label for button in app.button if "Enter" in button.label] == []


def test_a_wrong_two_factor_code_is_shown_above_its_form(
    way_in: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_old(*_given: object) -> str:
        raise NotAllowedError("That took too long. Sign in again.")

    monkeypatch.setattr(page.login, "attempt_code", too_old)
    app = way_in()
    app.session_state["_two_factor"] = ("token", "nobody@team.example")
    app.run()
    press(app, "Continue")
    assert errors(app) == "That took too long. Sign in again."
    names = order_of(app)
    assert names.index("Error") < names.index("TextInput")
