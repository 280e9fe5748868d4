"""Static files are compressed once and kept."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import Request as Ask
from urllib.request import urlopen

import pytest
import uvicorn
import zstandard
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_handler

from app.web import static_compression
from app.web.static_compression import StaticCompressionMiddleware
from tests import loops

BUNDLE = "let price = 1999; " * 500


class Shop:
    """An application with a static file, and a count of how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.client = TestClient(
            Starlette(
                routes=[
                    Route("/", self.shell),
                    Route("/static/{name:path}", self.static),
                    Route("/download", self.static),
                ],
                middleware=[Middleware(StaticCompressionMiddleware)],
            )
        )

    async def shell(self, _request: Request) -> Response:
        self.asked += 1
        return Response("<html>" + " " * 2000, media_type="text/html")

    async def static(self, request: Request) -> Response:
        self.asked += 1
        name = request.path_params.get("name", "")
        if name == "gone.js":
            return PlainTextResponse("x" * 5000, status_code=404)
        if name == "mine.js":
            return Response(BUNDLE, media_type="text/javascript", headers={"Set-Cookie": "me=1"})
        kinds = {"font.woff2": "font/woff2", "tiny.js": "text/javascript"}
        body = "x" if name == "tiny.js" else BUNDLE
        headers = {"ETag": '"a"', "Cache-Control": "public, immutable, max-age=60"}
        if name == "unknown.js":
            return Response(BUNDLE, media_type="text/html", headers={"Cache-Control": "no-cache"})
        return Response(body, media_type=kinds.get(name, "text/javascript"), headers=headers)

    def get(self, path: str, accept: str = "gzip", **headers: str) -> tuple[bytes, dict[str, str]]:
        """The bytes as they went over the wire, and the headers."""
        with self.client.stream("GET", path, headers={"Accept-Encoding": accept, **headers}) as got:
            return b"".join(got.iter_raw()), dict(got.headers)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_a_bundle_goes_out_as_gzip(shop):
    body, headers = shop.get("/static/app.js")
    assert gzip.decompress(body).decode() == BUNDLE
    assert headers["content-encoding"] == "gzip"
    assert headers["content-length"] == str(len(body))
    assert headers["vary"] == "Accept-Encoding"


def test_a_browser_that_takes_zstd_gets_zstd(shop):
    body, headers = shop.get("/static/app.js", "gzip, deflate, br, zstd")
    assert headers["content-encoding"] == "zstd"
    assert zstandard.ZstdDecompressor().decompress(body).decode() == BUNDLE


def test_the_second_visitor_is_served_from_memory(shop):
    first, _ = shop.get("/static/app.js")
    second, headers = shop.get("/static/app.js")
    assert first == second
    assert headers["etag"] == 'W/"a"'
    assert shop.asked == 1


def test_each_encoding_is_kept_for_itself(shop):
    shop.get("/static/app.js", "zstd")
    body, headers = shop.get("/static/app.js", "gzip")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body).decode() == BUNDLE


def test_a_client_that_takes_nothing_gets_the_file_as_it_is(shop):
    body, headers = shop.get("/static/app.js", "identity")
    assert body.decode() == BUNDLE
    assert "content-encoding" not in headers


@pytest.mark.parametrize("condition", ["Range", "If-None-Match", "If-Modified-Since"])
def test_a_conditional_request_passes_through(shop, condition):
    _, headers = shop.get("/static/app.js", **{condition: "x"})
    assert "content-encoding" not in headers


@pytest.mark.parametrize("path", ["/static/font.woff2", "/static/tiny.js", "/download"])
def test_what_gains_nothing_or_is_not_static_passes_through(shop, path):
    _, headers = shop.get(path)
    assert "content-encoding" not in headers


def test_a_missing_file_is_not_kept(shop):
    shop.get("/static/gone.js")
    shop.get("/static/gone.js")
    assert shop.asked == 2


def test_an_answer_for_one_person_is_never_kept(shop):
    shop.get("/static/mine.js")
    _, headers = shop.get("/static/mine.js")
    assert shop.asked == 2
    assert headers["set-cookie"] == "me=1"


def test_the_shell_is_compressed_but_asked_for_each_time(shop):
    _, headers = shop.get("/")
    shop.get("/")
    assert headers["content-encoding"] == "gzip"
    assert shop.asked == 2


@pytest.mark.parametrize("path", ["/static//app.js", "/static/%2e/app.js", "/static/app.js/"])
def test_another_spelling_of_an_address_costs_neither_memory_nor_compression(shop, path):
    body, headers = shop.get(path)
    assert body.decode() == BUNDLE
    assert "content-encoding" not in headers


def test_memory_has_a_limit(shop, monkeypatch):
    monkeypatch.setattr(static_compression, "MOST_KEPT", 10)
    shop.get("/static/app.js")
    body, _ = shop.get("/static/app.js")
    assert shop.asked == 2
    assert gzip.decompress(body).decode() == BUNDLE


# Clients that leave before the end

PARTS = [BUNDLE[place : place + 900].encode() for place in range(0, len(BUNDLE), 900)]


class Leaving:
    """An application whose first client leaves after some parts of a file."""

    def __init__(self, parts: int, how: str) -> None:
        self.parts = parts
        self.how = how
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        length = str(len(BUNDLE)).encode()
        kind = [(b"content-type", b"text/javascript"), (b"cache-control", b"immutable")]
        headers = kind if self.how == "unannounced" else [*kind, (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        is_cut = self.asked == 1
        for number, part in enumerate(PARTS[: self.parts] if is_cut else PARTS):
            is_last = number == (self.parts if is_cut else len(PARTS)) - 1
            more = not is_last or (is_cut and self.how != "said to be whole")
            await send({"type": "http.response.body", "body": part, "more_body": more})
        if is_cut and self.how == "error":
            raise ConnectionResetError


async def ask(app: StaticCompressionMiddleware) -> list[Message]:
    """Return what is sent to a client that asks for a file."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/static/app.js",
        "headers": [(b"accept-encoding", b"gzip")],
    }
    with suppress(ConnectionResetError):
        await app(scope, receive, send)
    return sent


@pytest.mark.parametrize("how", ["silence", "error", "unannounced", "said to be whole"])
@pytest.mark.parametrize("parts", range(len(PARTS)))
def test_a_file_whose_client_left_at_any_part_is_not_kept(parts, how):
    async def two_clients() -> tuple[list[Message], list[Message]]:
        app = StaticCompressionMiddleware(Leaving(parts, how))
        return await ask(app), await ask(app)

    first, (start, *rest) = loops.run(two_clients)
    body = b"".join(message["body"] for message in rest)
    assert gzip.decompress(body).decode() == BUNDLE
    assert dict(start["headers"])[b"content-length"] == str(len(body)).encode()
    # A client that is still there does not take the part for the whole.
    assert not any(b"content-encoding" in dict(each.get("headers", ())) for each in first)


def test_an_unknown_address_takes_no_room(shop):
    """Any unknown address is answered with the shell: a visitor could fill the memory with them."""
    shop.get("/static/unknown.js")
    shop.get("/static/unknown.js")
    assert shop.asked == 2


UNPACKED = {
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
    "gzip": gzip.decompress,
    "identity": bytes,
}


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """Serve a folder as the web process does, on a real socket; yields its address."""
    app = StaticCompressionMiddleware(create_streamlit_static_handler(str(folder), None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join()


def leave_early(address: tuple[str, int], path: str, after: float) -> None:
    """Ask for a file, and cut the connection after some seconds, whatever came by then."""
    with socket.create_connection(address) as client:
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: here\r\nAccept-Encoding: zstd\r\n\r\n".encode()
        )
        time.sleep(after)


def test_visitors_who_leave_early_harm_no_later_one(tmp_path):
    folder = tmp_path / "static"
    folder.mkdir()
    files = {f"{number}.js": f"let part = {number}; ".encode() * 40_000 for number in range(12)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with served(tmp_path) as (host, port):
        for number, name in enumerate(files):
            leave_early((host, port), f"/static/{name}", number / 2000)
        for name, content in files.items():
            for encoding, unpacked in UNPACKED.items():
                asked = Ask(
                    f"http://{host}:{port}/static/{name}", headers={"Accept-Encoding": encoding}
                )
                with urlopen(asked) as got:
                    assert unpacked(got.read()) == content
