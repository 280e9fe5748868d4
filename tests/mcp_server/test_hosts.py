"""Which hosts a request may name, by how the server is set up."""

import pytest

from core.config import Settings, get_settings
from core.errors import ConfigurationError
from mcp_server.http import allowed


def hosts(**given: object) -> list[str]:
    return allowed(Settings(_env_file=None, **given)).allowed_hosts  # type: ignore[call-arg,arg-type]


def origins(**given: object) -> list[str]:
    return allowed(Settings(_env_file=None, **given)).allowed_origins  # type: ignore[call-arg,arg-type]


def test_usually_this_machine_alone_is_answered_to() -> None:
    usual = ["127.0.0.1:8503", "localhost:8503", "[::1]:8503"]
    assert set(hosts()) == set(usual)
    assert set(origins()) == {f"http://{host}" for host in usual}


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({"amazcope_host": "fd00::17"}, "[fd00::17]:8503"),
        ({"amazcope_host": "10.0.0.7"}, "10.0.0.7:8503"),
        ({"amazcope_mcp_url": "https://watch.example.com/mcp"}, "watch.example.com"),
        ({"amazcope_mcp_url": "https://watch.example.com/mcp"}, "watch.example.com:443"),
        ({"amazcope_mcp_url": "https://Watch.Example.com/below/mcp"}, "watch.example.com"),
        ({"amazcope_mcp_url": "https://watch.example.com:443/mcp"}, "watch.example.com"),
        ({"amazcope_mcp_url": "http://watch.example.com:8080/mcp"}, "watch.example.com:8080"),
        ({"amazcope_mcp_url": "http://[fd00::17]:8080/mcp"}, "[fd00::17]:8080"),
        ({"amazcope_mcp_port": 80}, "127.0.0.1"),  # clients leave the usual port out
    ],
)
def test_a_host_is_known_as_clients_name_it(given: dict[str, object], host: str) -> None:
    assert host in hosts(**given)


def test_another_port_of_a_known_host_is_another_host() -> None:
    assert "watch.example.com" not in hosts(amazcope_mcp_url="https://watch.example.com:8080/mcp")


def test_a_page_served_beside_it_may_call() -> None:
    assert "https://watch.example.com" in origins(amazcope_mcp_url="https://watch.example.com/mcp")


@pytest.mark.parametrize(
    "address",
    ["watch.example.com/mcp", "https://", "https:///mcp", "http://a:99999/mcp", "http://[::1/mcp"],
)
def test_an_address_that_is_none_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AMAZCOPE_MCP_URL", address)
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError, match="AMAZCOPE_MCP_URL"):
        get_settings()
    monkeypatch.delenv("AMAZCOPE_MCP_URL")
    get_settings.cache_clear()
