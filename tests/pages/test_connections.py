"""The connections screen, through the app's own entry point, against local servers."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response
from streamlit.testing.v1 import AppTest

from app.commands import connections as commands
from app.data import health as data
from core.accounts.access.permissions import Principal, Role
from core.connections import resolve
from core.connections.resolve import Origin
from core.connections.service import ListedConnection
from core.connections.values import ApifyToken, ConnectionName, MailServer, ModelServer
from core.errors import NotAllowedError
from core.scraping.runs.models import ProviderState
from core.settings.environment import get_settings
from tests.fake_apify import running_fake_apify
from tests.mailbox import Mailbox
from tests.model_stand_in import KEY, MODEL, running_model
from tests.pages.conftest import SignIn
from tests.pages.screen import errors, labelled, open_page, plain, press, toasts

SECRET = "apify_api_secret_98765"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("APIFY_TOKEN", "OPENAI_BASE_URL", "OPENAI_API_KEY", "AMAZCOPE_MODEL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("AMAZCOPE_SMTP_URL", "")
    monkeypatch.setenv("AMAZCOPE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(commands, "wake_for_fetches", lambda: True)
    get_settings.cache_clear()
    resolve.clear_cache()
    yield
    get_settings.cache_clear()
    resolve.clear_cache()


def set_environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    resolve.clear_cache()


def fill(app: AppTest, **values: str) -> AppTest:
    for label, value in values.items():
        labelled(app.text_input, label.replace("_", " ")).set_value(value)
    return app


def submit(app: AppTest, place: int) -> AppTest:
    [button] = [b for n, b in enumerate(_submits(app)) if n == place]
    return button.click().run()


def _submits(app: AppTest) -> list[Any]:
    return [each for each in app.button if each.label == "Save and test"]


def listed(name: ConnectionName) -> ListedConnection:
    return next(each for each in data.list_connections() if each.name is name)


@contextmanager
def silent_server(answer: bytes = b"", every: float = 0.0) -> Iterator[int]:
    """Listen on a port and never finish an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=(client,), daemon=True).start()

        def drip(client: socket.socket) -> None:
            with client:
                while not is_over.is_set():
                    try:
                        client.sendall(answer or b"")
                    except OSError:
                        return
                    time.sleep(every or 0.2)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        is_over.set()


def test_a_token_is_entered_tested_shown_by_its_end_and_removed(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session.add(ProviderState(provider="apify", state="bad_token", checked_at=text("now()")))
    session.commit()
    with running_fake_apify(token=SECRET) as server:
        set_environment(monkeypatch, APIFY_API_URL=server.url)
        app = open_page("connections")
        assert [each.value for each in app.title] == ["Connections"]
        assert plain(app).count("Not connected") == 3
        submit(fill(app, Token="wrong token"), 0)
        assert "no spaces" in errors(app)
        submit(fill(app, Token="apify_api_wrong_00000"), 0)
        assert "does not accept the token" in plain(app)
        assert "Not working" in plain(app)
        submit(fill(app, Token=SECRET), 0)
        assert "Connected as" in toasts(app)
        assert "ends in 8765" in plain(app)
        assert session.get(ProviderState, "apify", populate_existing=True) is None
        assert server.stats()["runs_started"] == 0, "a test costs nothing"
        press(app, "Test")
    shown = plain(app) + str([each.value for each in app.text_input])
    assert SECRET not in shown
    assert SECRET not in caplog.text
    press(app, "Remove")
    assert listed(ConnectionName.APIFY).origin is Origin.NONE


def test_a_model_server_is_entered_with_its_price(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_model() as server:
        app = open_page("connections")
        fill(app, Base_URL=server.url, Model=MODEL, Key=KEY, Price_of_a_prompt="0.15")
        submit(app, 1)
        assert f"Connected. 2 models, with {MODEL}." in plain(app)
        assert not server.asked, "a list of models, no question"
        fill(app, Model="other")
        submit(app, 1)
        assert "without other" in plain(app), "with the kept key"
        fill(app, Base_URL="http://127.0.0.2:9/v1")
        submit(app, 1)
        assert "Enter the secret as well" in errors(app)
        fill(app, Base_URL="http://169.254.169.254/v1", Key="x")
        submit(app, 1)
        assert "no service may have" in errors(app)
        set_environment(
            monkeypatch, OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY, AMAZCOPE_MODEL=MODEL
        )
        app = open_page("connections")
        assert "`OPENAI_BASE_URL`, `OPENAI_API_KEY`, `AMAZCOPE_MODEL`" in plain(app)
        assert "stored and not used" in plain(app)
        assert len(_submits(app)) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (JSONResponse({"error": {"message": "no"}}, 401), "does not accept the key"),
        (JSONResponse({"error": {"message": "slow"}}, 429), "limits the number of requests"),
        (JSONResponse({"error": {"message": "oops"}}, 500), "fails (500): oops"),
        (JSONResponse({"error": {"message": "gone"}}, 404), "(404)"),
        (Response(b"\x00\xff<html>", media_type="application/json"), "could not be read"),
        (Response(b"[1, 2]", media_type="application/json"), "could not be read"),
        (Response(b'{"data": 7}', media_type="application/json"), "no list of models"),
        (Response(b" " * 2_000_000, media_type="application/json"), "larger than any"),
        (
            Response(status_code=307, headers={"location": "http://169.254.169.254/v1/models"}),
            "no service may have",
        ),
    ],
)
def test_a_model_server_that_answers_badly_is_a_state(
    session: Session, principal: Principal, answer: Response, words: str
) -> None:
    with running_model() as server:
        server.models_answer = answer
        message = commands.save_connection(ModelServer(server.url, MODEL, KEY))
    assert words in message
    shown = listed(ConnectionName.MODEL)
    assert shown.test is not None
    assert not shown.test.is_working


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", b"22"])
@pytest.mark.parametrize("kind", ["apify", "model", "mail"])
def test_a_server_that_never_finishes_is_given_up(
    principal: Principal, monkeypatch: pytest.MonkeyPatch, kind: str, answer: bytes
) -> None:
    monkeypatch.setattr(commands, "TEST_SECONDS", 0.5)
    monkeypatch.setattr(commands, "_CALL_SECONDS", 0.3)
    with silent_server(answer, every=0.05) as port:
        set_environment(monkeypatch, APIFY_API_URL=f"http://127.0.0.1:{port}")
        values = {
            "apify": ApifyToken(SECRET),
            "model": ModelServer(f"http://127.0.0.1:{port}/v1", MODEL, KEY),
            "mail": MailServer("127.0.0.1", port, "a@team.example"),
        }[kind]
        is_working, _ = commands._call_in_time(values)
    assert not is_working


def test_a_mail_server_is_tested_without_sending(mailbox: Mailbox) -> None:
    app = open_page("connections")
    app.number_input[0].set_value(mailbox.port)
    fill(app, Host="127.0.0.1", Sender="Amazcope <a@team.example>")
    submit(app, 2)
    assert "Connected, not encrypted, without sign-in." in plain(app)
    assert mailbox.letters == []
    found = resolve.resolve_mail(get_settings()).values
    assert found is not None
    assert found.sender == "Amazcope <a@team.example>"
    app.number_input[0].set_value(9)
    submit(app, 2)
    assert "No mail server answers" in plain(app)


def test_connections_are_for_administrators_only(
    make_user: Callable[[Role], Principal], sign_in: SignIn
) -> None:
    sign_in(make_user(Role.MANAGER))
    app = open_page("connections")
    assert not _submits(app)
    assert "You may not see this" in plain(app)
    with pytest.raises(NotAllowedError):
        commands.test_connection(ConnectionName.APIFY)


def test_a_change_needs_a_recent_confirmation(unconfirmed: None) -> None:
    app = open_page("connections")
    submit(fill(app, Token=SECRET), 0)
    assert listed(ConnectionName.APIFY).origin is Origin.NONE
