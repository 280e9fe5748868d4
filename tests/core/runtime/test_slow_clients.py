"""Half-open requests are cut, against a real server with short limits; slow uploads are not."""

import socket
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core.runtime.slow_clients import SlowClientLimits, cut_slow_clients
from tests.half_open import PATIENCE, connection, is_cut, serving, wait_until

SHORT = SlowClientLimits(
    header_seconds=0.2, body_seconds=0.2, bytes_per_second=1000, unread_seconds=0.2
)
LARGE = b"x" * 30_000_000


async def _length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _unread(_request: Request) -> Response:
    return PlainTextResponse("not read")


async def _large(_request: Request) -> Response:
    return Response(LARGE)


APP = Starlette(
    routes=[
        Route("/length", _length, methods=["POST"]),
        Route("/unread", _unread, methods=["POST"]),
        Route("/large", _large),
    ]
)


@pytest.fixture(scope="module")
def server() -> Iterator[uvicorn.Server]:
    http = cut_slow_clients(HttpToolsProtocol, SHORT)
    with serving(APP, http=http, log_level="error") as running:
        yield running


POST = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"P",
        b"POST /length HTTP/1.1\r\nHost: a\r\n",
        b"POST /length HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2000,
        POST,
        POST + b"x",
        POST.replace(b"/length", b"/unread"),
        b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        POST.replace(b"1000000", b"0") + b"POST /length HTTP/1.1\r\nHos",
    ],
)
def test_a_request_that_is_never_finished_is_cut(server: uvicorn.Server, sent: bytes) -> None:
    with connection(server) as opened:
        opened.sendall(sent)
        assert is_cut(opened)


@pytest.mark.parametrize("begun", [b"POST /length HTTP/1.1\r\nX: ", POST])
def test_a_byte_now_and_then_does_not_keep_a_request_open(
    server: uvicorn.Server, begun: bytes
) -> None:
    with connection(server) as opened:
        opened.sendall(begun)
        with pytest.raises(ConnectionError):
            drip(opened)


CHUNKED = b"POST /length HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0"


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nX: ",
        b"GET / HTTP/1.1\r\n",
        CHUNKED + b"\r\n",
        CHUNKED + b"\r\nX: ",
        CHUNKED + b";",
        CHUNKED.replace(b"/length", b"/unread") + b"\r\n",
    ],
)
def test_headers_without_an_end_are_cut_before_they_fill_the_memory(begun: bytes) -> None:
    patient = SlowClientLimits(header_seconds=PATIENCE, body_seconds=PATIENCE)
    http = cut_slow_clients(HttpToolsProtocol, patient)
    with serving(APP, http=http, log_level="error") as server, connection(server) as opened:
        opened.sendall(begun)
        piece = b"a: b\r\n" * 10_000 if begun.endswith(b"\n") else b"a" * 60_000
        with pytest.raises(ConnectionError):
            opened.sendall(piece * 500)  # 30 MB


def test_headers_as_long_as_browsers_send_them_are_read() -> None:
    http = cut_slow_clients(HttpToolsProtocol)
    long = (
        b"POST /length HTTP/1.1\r\nCookie: " + b"c" * 50_000 + b"\r\nContent-Length: 100000\r\n\r\n"
    )
    with serving(APP, http=http, log_level="error") as server, connection(server) as opened:
        for _ in range(3):
            opened.sendall(long + b"x" * 100_000)
            assert opened.recv(1000).endswith(b"100000")


def drip(opened: socket.socket) -> None:
    """Send a byte now and then; it fails where the other side has gone."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        opened.sendall(b"x")
        time.sleep(0.05)


def test_an_answer_that_is_never_read_is_cut(server: uvicorn.Server) -> None:
    with connection(server) as opened:
        opened.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: bool(server.server_state.connections))
        wait_until(lambda: not server.server_state.connections)


def test_a_slow_upload_that_goes_on_is_not_cut() -> None:
    """It takes longer than a body may that comes at no speed; on a busy machine, any time."""
    http = cut_slow_clients(HttpToolsProtocol, SlowClientLimits(body_seconds=0.5))
    with serving(APP, http=http, log_level="error") as server, connection(server) as opened:
        opened.sendall(POST.replace(b"1000000", b"150000") + b"x" * 50_000)
        for _ in range(4):
            time.sleep(0.2)
            opened.sendall(b"x" * 25_000)
        assert b"200 OK" in opened.recv(1000)
        opened.sendall(POST.replace(b"1000000", b"2") + b"ab")
        assert opened.recv(1000).endswith(b"2")
