"""Static files are compressed once and kept."""

import gzip

import pytest
import zstandard
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app import compression
from app.compression import CompressStatic

BUNDLE = "let price = 1999; " * 500


class Shop:
    """An application with a static file, and a count of how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.client = TestClient(
            Starlette(
                routes=[
                    Route("/", self.shell),
                    Route("/static/{name}", self.static),
                    Route("/download", self.static),
                ],
                middleware=[Middleware(CompressStatic)],
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
        return Response(
            body, media_type=kinds.get(name, "text/javascript"), headers={"ETag": '"a"'}
        )

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


def test_memory_has_a_limit(shop, monkeypatch):
    monkeypatch.setattr(compression, "MOST_KEPT", 10)
    shop.get("/static/app.js")
    body, _ = shop.get("/static/app.js")
    assert shop.asked == 2
    assert gzip.decompress(body).decode() == BUNDLE
