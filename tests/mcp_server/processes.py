"""The server as a process of its own, and a database that can be taken away, for tests."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import create_engine, text

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds


def environment(url: str, folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a process of the server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AMAZCOPE_")}
    return {**kept, "DATABASE_URL": url, "AMAZCOPE_DATA_DIR": str(folder / "var"), **more}


@contextmanager
def over_stdio(given: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run the server over stdio; it is ended with the block, if it has not by itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mcp_server"],
        cwd=ROOT,
        env=given,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        _end(process)


@contextmanager
def over_http(
    given: dict[str, str], port: int, *, healthy: int = 200
) -> Iterator[subprocess.Popen[str]]:
    """Run the server over HTTP on a port of loopback; `healthy`: the status of its health."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mcp_server", "--http"],
        cwd=ROOT,
        env=given | {"AMAZCOPE_MCP_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        _wait_for(port, process, healthy)
        yield process
    finally:
        _end(process)


def _wait_for(port: int, process: subprocess.Popen[str], healthy: int) -> None:
    deadline = time.monotonic() + PATIENCE
    answer: object = None
    with httpx2.Client(timeout=20) as client:  # its certificates are read once
        while time.monotonic() < deadline:
            assert process.poll() is None, "the server ended"
            try:
                answer = client.get(f"http://127.0.0.1:{port}/healthz").status_code
            except httpx2.HTTPError as error:
                answer = error
            if answer == healthy:
                return
            time.sleep(0.1)
    raise AssertionError(f"the server did not start: {answer}")


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait(PATIENCE)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def call_message(tool: str, number: int = 1, **arguments: Any) -> dict[str, Any]:
    """Return the message that calls a tool."""
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def send_lines(process: subprocess.Popen[str], *messages: Any) -> None:
    """Write lines to a server's stdin: messages as JSON, texts as they are."""
    assert process.stdin is not None
    for message in messages:
        line = message if isinstance(message, str) else json.dumps(message)
        process.stdin.write(line + "\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str], number: int) -> dict[str, Any]:
    """Return the answer to a message; every line before it must be of the protocol too."""
    assert process.stdout is not None
    while line := process.stdout.readline():
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        if message.get("id") == number:
            return message
    raise AssertionError("the server ended without an answer")


@contextmanager
def database_away(url: str) -> Iterator[None]:
    """Take a database away: every connection ends, and no new one is let in."""
    allow_connections(url, False)
    try:
        yield
    finally:
        allow_connections(url, True)


def allow_connections(url: str, is_on: bool) -> None:
    """Let connections to a database in, or end those there are and let none in."""
    server, _, name = url.rpartition("/")
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {is_on}'))
        if not is_on:
            # With a time it waits until each has ended.
            end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = :n"
            connection.execute(text(end), {"n": name})
    engine.dispose()
