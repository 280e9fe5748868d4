"""Which requests are looked at: by host, by page, by machine, by sign-in."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from app import session as signed
from app.gate import Gate
from core.accounts import sessions
from core.accounts.rules import Acting
from core.config import get_settings

HOME = "http://127.0.0.1:8501"
UPLOAD = "/_stcore/upload_file/a/b"


async def _hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def client(base: str = HOME, address: str = "127.0.0.1") -> TestClient:
    paths = ["/", "/metrics", "/_stcore/metrics"]
    routes = [Route(path, _hello) for path in paths]
    routes += [
        Route(UPLOAD, _hello, methods=["PUT", "DELETE", "POST"]),
        WebSocketRoute("/_stcore/stream", _stream),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Gate)])
    return TestClient(app, base_url=base, client=(address, 5000))


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAZCOPE_URL", "https://watch.example.com")


# Hosts


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "[::1]:8501", "10.0.0.7"])
def test_this_machine_and_addresses_are_answered_to(host: str) -> None:
    assert client().get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/metrics", "/_stcore/metrics"])
@pytest.mark.parametrize("host", ["evil.example:8501", "box.lan", "localhost.evil.example", ""])
def test_a_name_that_was_pointed_here_is_refused_and_told_which_setting_adds_it(
    path: str, host: str
) -> None:
    answer = client().get(path, headers={"host": host})
    assert answer.status_code == 421
    assert "AMAZCOPE_URL" in answer.json()["error"]


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("watch.example.com", 200),
        ("WATCH.example.com:443", 200),
        ("127.0.0.1:8501", 200),
        ("evil.example", 421),
        ("watch.example.com.evil.example", 421),
        ("evil.example#watch.example.com", 421),
        ("watch.example.com@evil.example", 421),
        ("evil.example@watch.example.com", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_the_host_of_the_public_address_is_answered_to(host: str, status: int) -> None:
    assert client().get("/", headers={"host": host}).status_code == status


def test_the_name_that_the_pages_listen_on_is_answered_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAZCOPE_HOST", "box.lan")
    assert client().get("/", headers={"host": "Box.lan:8501"}).status_code == 200


# Websockets


def opens(origin: str | None, host: str = "127.0.0.1:8501") -> bool:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    try:
        with client().websocket_connect("/_stcore/stream", headers=headers) as socket:
            return socket.receive_text() == "hello"
    except WebSocketDisconnect:
        return False


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1:3000",
        "http://localhost:8501",
        "http://127.0.0.1:8501.evil.example",
        "http://evil.example/127.0.0.1:8501",
        "null",
        "",
        "file://127.0.0.1:8501",
    ],
)
def test_a_foreign_page_opens_no_websocket(origin: str) -> None:
    assert not opens(origin)


def test_a_page_of_ours_and_a_program_open_one() -> None:
    assert opens(HOME)
    assert opens(None)


@pytest.mark.usefixtures("public")
def test_behind_a_proxy_that_renames_the_host_the_public_page_is_ours() -> None:
    assert opens("https://watch.example.com")
    assert not opens("http://watch.example.com")
    assert not opens("https://evil.example", "evil.example")


def test_a_page_whose_name_was_pointed_here_opens_no_websocket() -> None:
    assert not opens("http://evil.example:8501", "evil.example:8501")
    assert not opens(None, "evil.example:8501")


# Metrics


@pytest.mark.parametrize("path", ["/metrics", "/_stcore/metrics"])
def test_metrics_are_for_this_machine(path: str) -> None:
    assert client().get(path).status_code == 200
    assert client(address="10.0.0.9").get(path).status_code == 403


def test_with_the_token_other_machines_read_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAZCOPE_METRICS_TOKEN", "a long token")
    elsewhere = client(address="10.0.0.9")
    shown = {"authorization": "Bearer a long token"}
    assert elsewhere.get("/metrics", headers=shown).status_code == 200
    assert elsewhere.get("/metrics", headers=shown | {"host": "web:8501"}).status_code == 200
    assert elsewhere.get("/", headers=shown | {"host": "web:8501"}).status_code == 421
    for wrong in ("Bearer a long toke", "a long token", "", "Bearer \xff"):
        headers = {"authorization": wrong.encode("latin-1")}
        assert elsewhere.get("/metrics", headers=headers).status_code == 403


# Uploads


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("cookie", [None, "", "x" * 5000, "no token", "\xff\x00"])
def test_who_is_not_signed_in_leaves_no_file(
    session: Session, method: str, cookie: str | None
) -> None:
    headers = {} if cookie is None else {"cookie": f"{signed.COOKIE}={cookie}".encode("latin-1")}
    assert client().request(method, UPLOAD, headers=headers, content=b"x").status_code == 401


def test_who_is_signed_in_uploads_until_the_sign_in_ends(session: Session, acting: Acting) -> None:
    now = datetime.now(UTC)
    ticket = sessions.make_ticket(session, acting.person_id, now)
    token = sessions.begin(session, ticket, signed.lifetime(), now, None, None)
    session.commit()
    headers = {"cookie": f"{signed.COOKIE}={token}"}
    assert client().put(UPLOAD, headers=headers, content=b"x").status_code == 200
    assert token is not None
    sessions.end_by_token(session, token, now, None)
    session.commit()
    assert client().put(UPLOAD, headers=headers, content=b"x").status_code == 401
