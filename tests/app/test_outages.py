"""What pages and routes answer while the database is away, full or only to be read."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from app import asgi, keys
from app.auth import session, session_routes
from app.auth.request_guard import RequestGuard
from app.frame.sidebar import BELL
from app.web import error_boundary
from core.accounts.access import sessions
from core.accounts.access.permissions import Via
from core.accounts.models import Person
from core.accounts.people import account_notices
from core.accounts.people.membership import get_owner_principal, get_principal
from core.database import connections, outages
from core.database import session as db
from core.database.availability import DatabaseCheck, DatabaseStatus, is_read_only
from core.demo.people import PEOPLE
from core.settings.environment import ROOT, get_settings
from core.tracking.service import NewTracking, track
from tests import loops
from tests.mcp_server.processes import database_away
from tests.read_cache import forget_all

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
UPLOAD = "/_stcore/upload_file/a/b"
OWN = {"origin": "http://127.0.0.1:8501"}
Outage = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def signed_in(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A browser in which the owner is signed in; their token."""
    now = datetime.now(UTC)
    with db.write_scope() as writing:
        owner = writing.get_one(Person, get_owner_principal(writing).person_id)
        owner.state, owner.mail = "active", "owner@team.example"
        writing.flush()
        principal = get_principal(writing, owner.id, Via.PAGE)
        track(writing, principal, [NewTracking("US", "B0TEST0001")])
        account_notices.notify(writing, [owner.id], "Your role changed.")
        ticket = sessions.create_ticket(writing, owner.id, now)
        token = sessions.start_session(writing, ticket, session.get_lifetime(), now, None, None)
    assert token is not None
    monkeypatch.setattr(session, "client_address", lambda: None)
    monkeypatch.setattr(session, "read_session_token", lambda: token)
    monkeypatch.setattr(session, "read_device_token", lambda: None)
    monkeypatch.setattr(connections, "WAIT_SECONDS", 0.05)
    forget_all()
    return token


@contextmanager
def stopped(_url: str) -> Iterator[None]:
    """Nothing listens where the server was."""
    with pytest.MonkeyPatch.context() as patch, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        patch.setenv("DATABASE_URL", f"postgresql://someone:secret@127.0.0.1:{port}/amazcope")
        _start_anew()
        yield
    _start_anew()


@contextmanager
def full(url: str) -> Iterator[None]:
    """The server has no connection left."""
    _alter(url, "CONNECTION LIMIT 0")
    try:
        yield
    finally:
        _alter(url, "CONNECTION LIMIT -1")


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """The database refuses every change."""
    _alter(url, "SET default_transaction_read_only = on")
    try:
        yield
    finally:
        _alter(url, "RESET default_transaction_read_only")


def _alter(url: str, how: str) -> None:
    server, _, name = url.rpartition("/")
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" {how}'))
    engine.dispose()
    _start_anew()


def _start_anew() -> None:
    get_settings.cache_clear()
    db.close_engines()
    forget_all()


OUTAGES: dict[str, tuple[Outage, str]] = {
    "stopped": (stopped, outages.UNAVAILABLE),
    "taken away": (database_away, outages.UNAVAILABLE),
    "full": (full, outages.BUSY),
}


def opened() -> AppTest:
    return AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)


def shown(found: object) -> str:
    return " ".join(str(each.value).replace("\\", "") for each in found)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", OUTAGES)
def test_pages_and_routes_report_an_unusable_database_and_recover(
    name: str, signed_in: str, committed_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage, sentence = OUTAGES[name]
    app, web = opened(), client(signed_in)
    with outage(committed_database):
        for page in PAGES:
            app.switch_page(f"../pages/{page}.py").run()
            assert not app.exception
            assert shown(app.error) == sentence, page
        with monkeypatch.context() as patch:
            patch.setattr(session, "read_session_token", lambda: None)
            entry = opened().run()
            assert not entry.exception
            assert shown(entry.error) == sentence
        assert web.get("/healthz").status_code == 503
        for answer in (
            web.put(UPLOAD),
            web.post(session_routes.BEGIN, json={"ticket": "x"}, headers=OWN),
            web.post(session_routes.END, headers=OWN),
        ):
            assert (answer.status_code, answer.json()) == (503, {"error": sentence})
    assert web.get("/healthz").json() == {"status": "ok"}
    assert web.put(UPLOAD).status_code == 200
    app.run()
    assert not app.error
    assert not app.exception


def test_pages_of_a_read_only_database_name_it_and_show_what_is_stored(
    signed_in: str, committed_database: str
) -> None:
    app = opened()
    with read_only(committed_database):
        for page in PAGES:
            app.switch_page(f"../pages/{page}.py").run()
            assert not app.exception, page
            assert "could not be shown" not in shown(app.error), page
            assert outages.READ_ONLY_NOTICE in shown(app.warning), page
        app.switch_page("../pages/product.py")
        app.query_params.update({"marketplace": "US", "asin": "B0TEST0001"})
        app.run()
        app.button(key=keys.CHECK_NOW).click().run()
        assert outages.READ_ONLY in shown(app.toast)
        assert not app.exception
        app.button(key=BELL).click().run()
        assert not app.exception
        assert "Your role changed" in shown(app.markdown)
        assert outages.READ_ONLY in shown(app.warning)


def test_a_database_that_is_only_read_keeps_no_user_from_reading_or_leaving(
    signed_in: str, committed_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.write_scope() as writing:
        writing.execute(text("UPDATE sign_in SET seen_at = seen_at - interval '10 minutes'"))
    assert not is_read_only()
    with read_only(committed_database):
        app, web = opened().run(), client(signed_in)
        assert not app.error  # though the sign-in is due to be marked as used
        assert not app.exception
        assert is_read_only()
        assert web.get("/healthz").json() == {"status": "read-only"}
        answer = web.post(session_routes.END, headers=OWN)
        assert answer.status_code == 503
        assert "Max-Age=0" in answer.headers["set-cookie"]
        monkeypatch.setattr(session, "read_session_token", lambda: None)
        app = opened().run()
        app.text_input[0].set_value(PEOPLE[0].mail)
        app.text_input[1].set_value(PEOPLE[0].password)
        app.button[0].click().run()
        assert not app.exception
        assert shown(app.error) == outages.READ_ONLY


def client(token: str) -> TestClient:
    """A browser with a cookie, and the routes beside the pages."""

    async def taken(_request: object) -> PlainTextResponse:
        return PlainTextResponse("taken")

    routes = [*asgi.build_routes(), Route(UPLOAD, taken, methods=["PUT"])]
    return TestClient(
        Starlette(routes=routes, middleware=[Middleware(RequestGuard)]),
        base_url=OWN["origin"],
        client=("127.0.0.1", 5000),
        cookies={session.COOKIE: token},
    )


# The check of health


def test_a_database_that_hangs_holds_one_thread_and_no_visitor() -> None:
    until, asked = threading.Event(), []

    def hang() -> None:
        asked.append(threading.current_thread().name)
        until.wait(120)

    async def ask() -> list[DatabaseStatus]:
        check = DatabaseCheck(hang, patience=0.01)
        during = [await check.status() for _ in range(3)]
        until.set()
        check._patience = 30
        return [*during, await check.status()]

    assert loops.run(ask) == [DatabaseStatus.UNAVAILABLE] * 3 + [DatabaseStatus.OK]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), outages.READ_ONLY),
        (psycopg.errors.DiskFull("could not extend file"), outages.DISK_FULL),
        (psycopg.errors.TooManyConnections("no"), outages.BUSY),
        (psycopg.errors.AdminShutdown("terminating connection"), outages.UNAVAILABLE),
        (psycopg.errors.CannotConnectNow("starting up"), outages.UNAVAILABLE),
        (psycopg.InterfaceError("the connection is closed"), outages.UNAVAILABLE),
        (psycopg.errors.UndefinedTable("relation"), None),
        (psycopg.errors.UniqueViolation("duplicate"), None),
        (ValueError("read-only"), None),
    ],
)
def test_outages_differ_from_faults(error: Exception, sentence: str | None) -> None:
    assert outages.describe_outage(error) == sentence
    if isinstance(error, psycopg.Error):
        assert outages.describe_outage(OperationalError("SELECT", {}, error)) == sentence


def test_a_fault_is_raised_and_not_shown_as_an_outage() -> None:
    fault = ProgrammingError("SELECT", {}, psycopg.errors.UndefinedTable("relation"))
    with pytest.raises(ProgrammingError):
        error_boundary.get_message(fault)
