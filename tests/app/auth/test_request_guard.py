"""Which requests are checked: by host, by page, by machine, by sign-in."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from app import asgi
from app.auth import session as signed
from app.auth.request_guard import RequestGuard
from app.web import file_owners
from core.accounts.access import sessions
from core.accounts.access.permissions import Principal, Via
from core.accounts.models import Person
from core.accounts.people.membership import get_principal
from core.settings.environment import get_settings

HOME = "http://127.0.0.1:8501"
UPLOAD = "/_stcore/upload_file/a/b"


async def _hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def client(base: str = HOME, address: str = "127.0.0.1") -> TestClient:
    paths = ["/", "/metrics", "/_stcore/metrics", "/media/{name:path}"]
    routes = [Route(path, _hello) for path in paths]
    routes += [
        Route(UPLOAD, _hello, methods=["PUT", "DELETE", "POST"]),
        WebSocketRoute("/_stcore/stream", _stream),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(RequestGuard)])
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
def test_an_unknown_host_name_is_refused_with_the_setting_that_adds_it(
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


# Cookies


async def _cookies(request: Request) -> JSONResponse:
    return JSONResponse(request.cookies)


@pytest.mark.parametrize("sign", [b"\xa0", b"\x85", b"\x1f", b"\x0c", b"\xe2\x80\x80", b"="])
def test_another_host_plants_no_cookie_that_is_read_as_bound_to_this_one(sign: bytes) -> None:
    app = Starlette(routes=[Route("/", _cookies)], middleware=[Middleware(RequestGuard)])
    name = signed.BOUND_COOKIE.encode()
    planted = sign + name + b"=planted"
    for sent in (name + b"=own; " + planted, planted + b"; " + name + b"=own", planted):
        answer = TestClient(app, base_url=HOME).get("/", headers={"cookie": b"_xsrf=a; " + sent})
        expected = {"_xsrf": "a"} | ({} if sent == planted else {signed.BOUND_COOKIE: "own"})
        assert answer.json() == expected


# Uploads


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("cookie", [None, "", "x" * 5000, "no token", "\xff\x00"])
def test_who_is_not_signed_in_leaves_no_file(
    session: Session, method: str, cookie: str | None
) -> None:
    headers = {} if cookie is None else {"cookie": f"{signed.COOKIE}={cookie}".encode("latin-1")}
    assert client().request(method, UPLOAD, headers=headers, content=b"x").status_code == 401


def cookie_of(session: Session, principal: Principal) -> dict[str, str]:
    """Sign a person in; return what their browser sends from then on."""
    now = datetime.now(UTC)
    ticket = sessions.create_ticket(session, principal.person_id, now)
    token = sessions.start_session(session, ticket, signed.get_lifetime(), now, None, None)
    session.commit()
    return {"cookie": f"{signed.COOKIE}={token}"}


def sign_out(session: Session, headers: dict[str, str]) -> None:
    sessions.end_session_by_token(
        session, headers["cookie"].partition("=")[2], datetime.now(UTC), None
    )
    session.commit()


def test_who_is_signed_in_uploads_until_the_sign_in_ends(
    session: Session, principal: Principal
) -> None:
    headers = cookie_of(session, principal)
    assert client().put(UPLOAD, headers=headers, content=b"x").status_code == 200
    sign_out(session, headers)
    assert client().put(UPLOAD, headers=headers, content=b"x").status_code == 401


# Downloads


@pytest.fixture
def teammate(session: Session, principal: Principal) -> Principal:
    person = Person(team_id=principal.team_id, name="Kim", role="viewer", mail="kim@team.example")
    session.add(person)
    session.commit()
    return get_principal(session, person.id, Via.PAGE)


def address_in(storage: MemoryMediaFileStorage, content: bytes, name: str) -> str:
    """Return the address under which Streamlit hands a file out."""
    file_id = storage.load_and_get_id(content, "text/csv", MediaFileKind.DOWNLOADABLE, name)
    return storage.get_url(file_id)


@pytest.mark.parametrize("path", ["/media/abc.csv", "/media/", "/media/a/../b", "/media/abc."])
def test_no_download_without_a_sign_in(session: Session, principal: Principal, path: str) -> None:
    for method in ("GET", "HEAD"):
        assert client().request(method, path).status_code == 401
    headers = cookie_of(session, principal)
    assert client().get(path, headers=headers).status_code == 200
    sign_out(session, headers)
    assert client().get(path, headers=headers).status_code == 401


def test_a_file_is_given_to_whom_it_was_made_for(
    session: Session, principal: Principal, teammate: Principal
) -> None:
    storage = MemoryMediaFileStorage("/media")
    content = b"row,asked\n1,B0TEST0001\n"
    path = address_in(storage, content, "mine.csv")
    file_owners.record_owner(content, "text/csv", "mine.csv", principal.person_id)
    mine, theirs = cookie_of(session, principal), cookie_of(session, teammate)
    same_file = (path, path.removesuffix(".csv"), path.removesuffix("csv"), f"{path}?x=1")
    for spelled in same_file:
        assert client().get(spelled, headers=mine).status_code == 200
        assert client().get(spelled, headers=theirs).status_code == 403
    # The same figures, made for both.
    file_owners.record_owner(content, "text/csv", "mine.csv", teammate.person_id)
    assert client().get(path, headers=theirs).status_code == 200


def test_files_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_owners, "MOST_KEPT", 3)
    for number in range(10):
        file_owners.record_owner(str(number).encode(), "text/csv", "one.csv", 1)
    assert len(file_owners._owners) == 3


def test_no_browser_keeps_a_download() -> None:
    app = Starlette(
        routes=[Route("/media/{name}", _hello), Route("/", _hello)],
        middleware=[Middleware(asgi.SecurityHeadersMiddleware)],
    )
    assert TestClient(app).get("/media/abc.csv").headers["cache-control"] == "no-store"
    assert "cache-control" not in TestClient(app).get("/").headers
