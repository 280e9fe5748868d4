"""Which hosts and pages may ask the MCP server, at any of its addresses, and how slowly."""

from functools import cache

import pytest
from starlette.testclient import TestClient

from core.errors import ConfigurationError
from core.runtime.slow_clients import SlowClientLimits
from core.settings.environment import Settings, get_settings
from mcp_server.http import make_app, uvicorn_options
from tests.half_open import connection, is_cut, serving

ALONE: dict[str, str] = {}
BY_NAME = {"amazcope_host": "box.lan"}
BEHIND_A_PROXY = {"amazcope_mcp_url": "https://watch.example.com/below/mcp"}


@cache
def client(given: tuple[tuple[str, str], ...]) -> TestClient:
    return TestClient(make_app(Settings(_env_file=None, **dict(given))))  # type: ignore[call-arg,arg-type]


def status(path: str, given: dict[str, str], **headers: str) -> int:
    return client(tuple(given.items())).get(path, headers=headers).status_code


@pytest.mark.parametrize(
    ("given", "host"),
    [
        (ALONE, "127.0.0.1:8503"),
        (ALONE, "localhost:8503"),
        (ALONE, "[::1]:8503"),
        (ALONE, "10.0.0.7:8503"),
        (BY_NAME, "box.lan:8503"),
        (BEHIND_A_PROXY, "Watch.Example.com"),
        (BEHIND_A_PROXY, "watch.example.com:443"),
        (BEHIND_A_PROXY, "127.0.0.1:8503"),
    ],
)
def test_a_host_is_known_as_clients_name_it(given: dict[str, str], host: str) -> None:
    assert status("/mcp", given, host=host) == 405
    assert status("/no-such-page", given, host=host) == 404


@pytest.mark.parametrize("path", ["/mcp", "/healthz", "/no-such-page"])
@pytest.mark.parametrize("given", [ALONE, BEHIND_A_PROXY])
@pytest.mark.parametrize("host", ["evil.example:8503", "watch.example.com.evil.example", ""])
def test_another_host_is_refused_everywhere(path: str, given: dict[str, str], host: str) -> None:
    assert status(path, given, host=host) == 421


@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        ("https://watch.example.com", False),
        ("http://127.0.0.1:8503", False),
        ("http://watch.example.com", True),
        ("http://127.0.0.1:3000", True),
        ("null", True),
    ],
)
def test_only_a_page_served_beside_it_may_call(origin: str, refused: bool) -> None:
    code = status("/mcp", BEHIND_A_PROXY, host="127.0.0.1:8503", origin=origin)
    assert code == (403 if refused else 405)


@pytest.mark.parametrize(
    "address",
    ["watch.example.com/mcp", "https://", "https:///mcp", "http://a:99999/mcp", "http://[::1/mcp"],
)
def test_what_is_no_address_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AMAZCOPE_MCP_URL", address)
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError, match="AMAZCOPE_MCP_URL"):
        get_settings()
    monkeypatch.delenv("AMAZCOPE_MCP_URL")
    get_settings.cache_clear()


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n{",
    ],
)
def test_a_half_open_request_is_cut(begun: bytes) -> None:
    app = make_app(Settings(_env_file=None))  # type: ignore[call-arg]
    short = uvicorn_options(SlowClientLimits(header_seconds=0.2, body_seconds=0.2))
    with serving(app, **short) as server, connection(server) as opened:
        opened.sendall(begun)
        assert is_cut(opened)
