"""What a client of agents is configured with. Words only: no token is ever part of them."""

import json
from dataclasses import dataclass
from pathlib import Path

TOKEN_PLACEHOLDER = "YOUR-TOKEN"  # noqa: S105 - where a person puts theirs


@dataclass(frozen=True, slots=True)
class StdioServer:
    """The server as a program on this machine."""

    python: str  # the interpreter that has what it needs
    folder: Path  # of the project
    data_dir: Path | None = None  # None: the usual one, in the project's folder
    pages: str | None = None  # address of the pages; None: the settings' file says it


def build_http_config(address: str) -> str:
    """Return the JSON by which clients reach the server over HTTP."""
    headers = {"Authorization": f"Bearer {TOKEN_PLACEHOLDER}"}
    return _to_json({"type": "http", "url": address, "headers": headers})


def build_stdio_config(program: StdioServer) -> str:
    """Return the JSON by which clients on this machine start the server themselves.

    The folder is told by the environment: not every client starts programs in a folder.
    """
    environment = {"PYTHONPATH": str(program.folder), "AMAZCOPE_TOKEN": TOKEN_PLACEHOLDER}
    if program.data_dir is not None:
        environment["AMAZCOPE_DATA_DIR"] = str(program.data_dir)
    if program.pages is not None:
        environment["AMAZCOPE_URL"] = program.pages
    return _to_json({"command": program.python, "args": ["-m", "mcp_server"], "env": environment})


def _to_json(amazcope: dict[str, object]) -> str:
    return json.dumps({"mcpServers": {"amazcope": amazcope}}, indent=2, ensure_ascii=False)
