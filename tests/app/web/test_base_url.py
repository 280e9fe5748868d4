"""Every page names its server's address; nothing else is touched."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.components import downloads
from app.web import security_headers
from app.web.base_url import SCRIPT, BaseUrlMiddleware

FROZEN = b"<!doctype html><title>A report</title>"
INDEX = Path(streamlit.__file__).parent / "static" / "index.html"


@pytest.fixture
def client() -> TestClient:
    async def page(_request: Request) -> Response:
        return FileResponse(INDEX)

    async def text(_request: Request) -> Response:
        return PlainTextResponse("<title>x</title>", headers={"ETag": '"a"'})

    async def missing(_request: Request) -> Response:
        return Response("<title>x</title>", 404, media_type="text/html")

    async def frozen(_request: Request) -> Response:
        return Response(FROZEN, media_type=downloads.HTML)

    routes = [
        Route("/suggestions", page),
        Route("/text", text),
        Route("/missing", missing),
        Route("/frozen", frozen),
    ]
    packed = Middleware(GZipMiddleware)  # as Streamlit does inside
    return TestClient(Starlette(routes=routes, middleware=[Middleware(BaseUrlMiddleware), packed]))


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_a_page_knows_its_servers_address_before_streamlit_starts(
    client: TestClient, accepted: str
) -> None:
    answer = client.get("/suggestions", headers={"Accept-Encoding": accepted})
    script = f"<script>{SCRIPT}</script>"
    assert answer.text.count(script) == 1
    assert answer.text.index(script) < answer.text.index('<script type="module"')
    assert answer.text.replace(script, "") == INDEX.read_text(encoding="utf-8")
    assert int(answer.headers["content-length"]) == answer.num_bytes_downloaded


def test_a_page_is_not_taken_for_the_file_it_was_made_of(client: TestClient) -> None:
    answer = client.get("/suggestions")
    assert not {"etag", "last-modified"} & set(answer.headers)


@pytest.mark.parametrize("path", ["/text", "/missing"])
def test_whatever_is_no_page_passes_untouched(client: TestClient, path: str) -> None:
    assert client.get(path).text == "<title>x</title>"


def test_the_policy_lets_the_script_run() -> None:
    fingerprint = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    assert f"'sha256-{fingerprint}'" in security_headers.build_content_policy()


def test_a_frozen_report_is_sent_as_it_was_hashed(client: TestClient) -> None:
    answer = client.get("/frozen")
    assert answer.content == FROZEN
    assert not answer.headers["content-type"].startswith("text/html")
