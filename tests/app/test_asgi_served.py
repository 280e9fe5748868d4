"""The web process as it is served: what its own server and middleware keep away from pages."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app.auth import session as signed
from app.auth.anonymous_limits import AnonymousQuota
from core.accounts.access import sessions
from core.accounts.models import Person
from core.accounts.people.membership import get_owner_principal
from core.settings.environment import ROOT

PATIENCE = 120  # seconds, for a busy machine


@dataclass(frozen=True, slots=True)
class Web:
    """A web process on a port of this machine, and the cookie of a user who is signed in."""

    port: int
    cookie: str

    def status(self, path: str, host: str, method: str = "GET") -> int:
        """Return the status that a request by a host name is answered with."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse().status
        connection.close()
        return answer

    def open(self, **headers: str) -> ClientConnection:
        """Open a page's websocket."""
        return connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            additional_headers=headers,
            open_timeout=PATIENCE,
            max_size=None,
        )


@pytest.fixture(scope="module")
def web(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    server, name = server_url.rpartition("/")[0], f"amazcope_{uuid4().hex[:12]}"
    apart = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with apart.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    try:
        yield from _served(f"{server}/{name}", tmp_path_factory.mktemp("web"))
    finally:
        with apart.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        apart.dispose()


def _served(url: str, folder: Path) -> Iterator[Web]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AMAZCOPE_")}
    own = {"DATABASE_URL": url, "AMAZCOPE_DATA_DIR": str(folder), "AMAZCOPE_PORT": str(port)}
    with subprocess.Popen([sys.executable, "-m", "app"], cwd=ROOT, env=kept | own) as process:
        try:
            web = Web(port, _sign_in(url))
            _wait_for(web)
            yield web
        finally:
            process.kill()


def _wait_for(web: Web) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            assert web.status("/_stcore/health", "localhost") == 200
            return
        except OSError:
            assert time.monotonic() < deadline, "the web process did not start"
            time.sleep(0.1)


def _sign_in(url: str) -> str:
    engine, now = create_engine(url), datetime.now(UTC)
    with Session(engine) as session:
        owner = session.get_one(Person, get_owner_principal(session).person_id)
        owner.state, owner.mail = "active", "owner@team.example"
        ticket = sessions.create_ticket(session, owner.id, now)
        token = sessions.start_session(session, ticket, signed.get_lifetime(), now, None, None)
        session.commit()
    engine.dispose()
    return f"{signed.COOKIE}={token}"


def a_run(size: int) -> bytes:
    """Return the message by which a page runs, with so many bytes of a widget's value."""
    message = BackMsg()
    widget = message.rerun_script.widget_states.widgets.add()
    widget.id, widget.string_value = "$$ID-0-none", "x" * size
    return bytes(message.SerializeToString())


def code_of(opened: ClientConnection) -> int | None:
    """Wait until a websocket is closed; return the code."""
    try:
        while True:
            opened.recv(timeout=PATIENCE)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def is_run(opened: ClientConnection) -> bool:
    """Wait until a page has run to its end."""
    while True:
        message = ForwardMsg.FromString(opened.recv(timeout=PATIENCE))
        if message.WhichOneof("type") == "script_finished":
            return True


UPLOAD = "/_stcore/upload_file/a/b"
ADDRESSES = ["/", "/products", "/static/x.js", "/_stcore/health", "/healthz", "/metrics", UPLOAD]


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_name_that_was_pointed_here_is_refused_at_every_address(web: Web, path: str) -> None:
    method = "PUT" if path == UPLOAD else "GET"
    assert web.status(path, f"evil.example:{web.port}", method) == 421
    assert web.status(path, f"127.0.0.1:{web.port}", method) != 421


def test_a_page_whose_name_was_pointed_here_opens_no_websocket(web: Web) -> None:
    evil = f"evil.example:{web.port}"
    for headers in ({"Host": evil}, {"Host": evil, "Origin": f"http://{evil}"}):
        with socket.create_connection(("127.0.0.1", web.port), timeout=PATIENCE) as opened:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            opened.sendall(HANDSHAKE.replace("LINES", lines).encode())
            assert opened.recv(100).startswith(b"HTTP/1.1 403")


HANDSHAKE = (
    "GET /_stcore/stream HTTP/1.1\r\nLINESConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def test_another_page_of_this_machine_opens_no_websocket(web: Web) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        web.open(Origin="http://127.0.0.1:3000")


def test_only_who_is_signed_in_sends_more_than_a_form(web: Web) -> None:
    with web.open() as stranger:
        stranger.send(a_run(10_000))
        assert is_run(stranger)
        stranger.send(a_run(100_000))
        assert code_of(stranger) == 1009
    with web.open(Cookie=web.cookie) as member:
        member.send(a_run(5_000_000))
        assert is_run(member)


def test_a_session_of_a_stranger_takes_its_share_and_no_more(web: Web) -> None:
    with web.open() as stranger:
        for _ in range(AnonymousQuota().session_bytes // 50_000):
            stranger.send(a_run(50_000))
            assert is_run(stranger)
        stranger.send(a_run(50_000))
        assert code_of(stranger) == 1009


def test_many_sockets_of_one_stranger_make_room_for_all_others(web: Web) -> None:
    most = AnonymousQuota().sockets_per_address
    crowd: dict[str, Any] = {"X-Forwarded-For": "192.0.2.1"}
    with ExitStack() as stack:
        other = stack.enter_context(web.open(**{"X-Forwarded-For": "192.0.2.2"}))
        member = stack.enter_context(web.open(Cookie=web.cookie, **crowd))
        first = stack.enter_context(web.open(**crowd))
        opened = [stack.enter_context(web.open(**crowd)) for _ in range(most)]
        assert code_of(first) == 1013
        for each in (other, member, opened[0], opened[-1]):
            each.send(a_run(10))
            assert is_run(each)
