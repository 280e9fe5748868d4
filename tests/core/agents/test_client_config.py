"""The configuration that pages and documents hand out for clients."""

import json
from pathlib import Path

import pytest

from core.agents.client_config import (
    TOKEN_PLACEHOLDER,
    StdioServer,
    build_http_config,
    build_stdio_config,
)
from core.settings.environment import ROOT, Settings

PROGRAM = StdioServer("/srv/a folder/.venv/bin/python", Path('/srv/a "folder"'))


def test_what_is_handed_out_is_json_and_holds_a_place_for_the_token() -> None:
    over_http = json.loads(build_http_config("http://127.0.0.1:8503/mcp"))["mcpServers"]["amazcope"]
    assert over_http["url"] == "http://127.0.0.1:8503/mcp"
    assert over_http["headers"] == {"Authorization": f"Bearer {TOKEN_PLACEHOLDER}"}
    stdio = json.loads(build_stdio_config(PROGRAM))["mcpServers"]["amazcope"]
    assert (stdio["command"], stdio["args"]) == (PROGRAM.python, ["-m", "mcp_server"])
    assert stdio["env"] == {"PYTHONPATH": '/srv/a "folder"', "AMAZCOPE_TOKEN": TOKEN_PLACEHOLDER}


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://127.0.0.1:8503/mcp"),
        ({"amazcope_host": "0.0.0.0", "amazcope_mcp_port": 9}, "http://127.0.0.1:9/mcp"),
        ({"amazcope_host": "::1"}, "http://[::1]:8503/mcp"),
        ({"amazcope_mcp_url": "https://watch.example.com/mcp"}, "https://watch.example.com/mcp"),
    ],
)
def test_agents_are_sent_where_they_can_get(settings: dict[str, object], address: str) -> None:
    assert Settings(_env_file=None, **settings).mcp_url == address  # type: ignore[arg-type]


def test_the_documents_have_the_same_configuration() -> None:
    guide = (ROOT / "docs" / "AGENTS.md").read_text(encoding="utf-8")
    elsewhere = StdioServer("/path/to/amazcope/.venv/bin/python", Path("/path/to/amazcope"))
    assert build_stdio_config(elsewhere) in guide
    assert build_http_config("http://127.0.0.1:8503/mcp") in guide
