"""Configurations for clients of the MCP server, as text. They never contain a token."""

import json
from dataclasses import dataclass
from pathlib import Path

TOKEN_PLACEHOLDER = "YOUR-TOKEN"  # noqa: S105 - where a person puts theirs


@dataclass(frozen=True, slots=True)
class StdioServer:
    """The server as a program on this machine."""

    python: str  # the interpreter with the installed packages
    folder: Path  # of the project
    data_dir: Path | None = None  # None: the default, in the project's folder
    pages: str | None = None  # address of the pages; None: as in the settings' file


def build_http_config(address: str) -> str:
    """Return the JSON configuration of clients that use the server over HTTP."""
    headers = {"Authorization": f"Bearer {TOKEN_PLACEHOLDER}"}
    return _to_json({"type": "http", "url": address, "headers": headers})


def build_stdio_config(program: StdioServer) -> str:
    """Return the JSON configuration of clients on this machine that start the server themselves.

    The environment gives the folder, since not every client can start programs in a folder.
    """
    environment = {"PYTHONPATH": str(program.folder), "AMAZCOPE_TOKEN": TOKEN_PLACEHOLDER}
    if program.data_dir is not None:
        environment["AMAZCOPE_DATA_DIR"] = str(program.data_dir)
    if program.pages is not None:
        environment["AMAZCOPE_URL"] = program.pages
    return _to_json({"command": program.python, "args": ["-m", "mcp_server"], "env": environment})


def _to_json(amazcope: dict[str, object]) -> str:
    return json.dumps({"mcpServers": {"amazcope": amazcope}}, indent=2, ensure_ascii=False)
