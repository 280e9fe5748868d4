"""The MCP server: calls of distinct products, searches among many, bytes, and memory at rest."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import local
from typing import Any

from benchmarks.figures import Figure, percentile, seconds_of
from benchmarks.history import history_size
from benchmarks.lease import list_size
from benchmarks.rest import pss
from benchmarks.rows import FIRST_WORDS, SECOND_WORDS, build_history, build_list, history_asin
from benchmarks.servers import Server
from benchmarks.web import free_port, wait_until_healthy
from core.accounts.access.api_tokens import create_api_token
from core.accounts.access.permissions import Scope, Via
from core.accounts.models import Person
from core.accounts.people.membership import get_owner_principal, get_principal
from core.database.session import read_scope, write_scope
from core.settings.environment import ROOT
from core.tracking.list_filter import ListFilter, ListScope, Sort
from core.tracking.lists.queries import find_rows

PARALLEL = 4
DAYS = 90
VERSION = "2026-07-28"  # of the protocol
_REST_SECONDS = 5
_LET_GO_SECONDS = 3.0  # the server ends connections that are not used for five
_YEARS = ("get_price_history", "get_bsr_history", "get_rating_history")


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield what a call takes alone and many at once, beside a tool that does nothing."""
    products = history_size(quick)
    with server.shared("history", lambda: build_history(products)), running_mcp() as mcp:
        time.sleep(_REST_SECONDS)
        rest = pss(mcp.pid)
        nothing = [seconds_of(lambda: mcp.ask("server/discover", {})) for _ in range(100)]
        mcp.history(0, DAYS)  # the first call loads modules
        alone = [_timed(mcp, number) for number in range(products)]
        began = time.perf_counter()
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda number: mcp.history(number, DAYS), range(products)))
        per_second = products / (time.perf_counter() - began)
        years = {tool: max(len(mcp.call(tool, _of(n, 365))) for n in range(20)) for tool in _YEARS}
        after = pss(mcp.pid)
    yield from _calls(alone, nothing, per_second, products)
    for tool, size in years.items():
        yield Figure(f"MCP: {tool} of a year of hours", size / 1000, "kB", target=25)
    yield Figure("MCP: memory at rest (PSS)", rest, "MB", target=130)
    yield Figure("MCP: memory after these calls (PSS)", after, "MB")
    yield from _searches(server, list_size(quick), 2 if quick else 6)


def _timed(mcp: "McpServer", number: int) -> float:
    return seconds_of(lambda: mcp.history(number, DAYS))


def _calls(
    alone: Sequence[float], nothing: Sequence[float], per_second: float, products: int
) -> Iterator[Figure]:
    name = f"MCP: get_price_history of {DAYS} days, {products:,} products"
    floor = median(nothing) * 1000
    yield Figure(
        f"{name}, p50",
        median(alone) * 1000,
        "ms",
        best=min(alone) * 1000,
        floor=floor,
        floor_name="server/discover",
        target=8,
    )
    yield Figure(f"{name}, p95", percentile(alone, 95) * 1000, "ms")
    yield Figure(
        f"{name}, {PARALLEL} at once", per_second, "calls/s", target=150, more_is_better=True
    )


def _searches(server: Server, many: int, rounds: int) -> Iterator[Figure]:
    """Yield searches that are all different, each for a page of twenty."""
    words = [f"{first} {second}" for first in FIRST_WORDS for second in SECOND_WORDS[:rounds]]
    words += [*FIRST_WORDS, *SECOND_WORDS, "B0000", "model 77", "nothing like this", ""]
    with server.shared(f"list{many}", lambda: build_list(many)), running_mcp() as mcp:
        mcp.search("warm")
        searching, asking = [], []
        for word in words:
            searching.append(seconds_of(lambda word=word: mcp.search(word)))  # type: ignore[misc]
            asking.append(seconds_of(lambda word=word: _ask(word)))  # type: ignore[misc]
        changes = {days: mcp.changes(days, rounds * 5) for days in (1, 7)}
    yield Figure(
        f"MCP: search among {many:,}, p95",
        percentile(searching, 95) * 1000,
        "ms",
        best=median(searching) * 1000,
        floor=percentile(asking, 95) * 1000,
        floor_name="its query",
        target=60,
    )
    for days, seconds in changes.items():
        name = f"MCP: what changed in {days} d among {many:,}, p50"
        yield Figure(name, median(seconds) * 1000, "ms", best=min(seconds) * 1000)


def _ask(words: str) -> None:
    with read_scope() as session:
        asked = ListFilter(search=words, scope=ListScope.TEAM)
        find_rows(session, get_owner_principal(session), asked, Sort(), 0, 20)


# The process, and a client that costs next to nothing


@dataclass
class McpServer:
    """A running MCP server, and a token that opens it."""

    port: int
    token: str
    pid: int

    def __post_init__(self) -> None:
        self._ids = count(1)
        self._kept = local()

    def history(self, number: int, days: int) -> bytes:
        """Ask for the prices of one product."""
        return self.call("get_price_history", _of(number, days))

    def search(self, words: str) -> bytes:
        """Ask for the first page of a search."""
        return self.call("search_products", {"search": words})

    def changes(self, days: int, times: int) -> list[float]:
        """Ask for what changed in some days; return the seconds of each answer."""
        since = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        return [
            seconds_of(lambda: self.call("list_changes", {"since": since})) for _ in range(times)
        ]

    def call(self, tool: str, arguments: dict[str, Any]) -> bytes:
        """Call a tool. Raises RuntimeError when it refuses."""
        answer = self.ask("tools/call", {"name": tool, "arguments": arguments}, tool)
        if b'"isError":false' not in answer:
            raise RuntimeError(answer[:500].decode())
        return answer

    def ask(self, method: str, params: dict[str, Any], name: str | None = None) -> bytes:
        """Send one request over this thread's own connection; return the body of the answer."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method}
        body["params"] = params | {"_meta": _META}
        headers = self._headers(method) | ({"Mcp-Name": name} if name else {})
        connection = self._connection()
        connection.request("POST", "/mcp", json.dumps(body), headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer[:500].decode()}")
        return answer

    def _headers(self, method: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "MCP-Protocol-Version": VERSION,
            "Mcp-Method": method,
        }

    def _connection(self) -> HTTPConnection:
        """Return this thread's connection, a new one where the server has let go of it."""
        now = time.monotonic()
        if now - getattr(self._kept, "used_at", 0.0) > _LET_GO_SECONDS:
            self._kept.connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        self._kept.used_at = now
        connection: HTTPConnection = self._kept.connection
        return connection


_META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def _of(number: int, days: int) -> dict[str, Any]:
    return {"product": f"US:{history_asin(number)}", "days": days}


@contextmanager
def running_mcp() -> Iterator[McpServer]:
    """Serve the database in use on a free port, until the block ends."""
    with TemporaryDirectory(prefix="amazcope-bench-mcp-") as folder:
        port = free_port()
        environment = os.environ | {
            "AMAZCOPE_MCP_PORT": str(port),
            "AMAZCOPE_HOST": "127.0.0.1",
            "AMAZCOPE_DATA_DIR": folder,
            "AMAZCOPE_DEMO": "false",
            "AMAZCOPE_MCP_CALLS_PER_MINUTE": "1000000",
            "AMAZCOPE_MCP_CALLS_AT_ONCE": "1000000",
        }
        command = [sys.executable, "-m", "mcp_server", "--http"]
        with (Path(folder) / "mcp.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}")
            yield McpServer(port, _token(), process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _token() -> str:
    """Make a token of the first administrator of the database in use."""
    with write_scope() as session:
        owner = session.get_one(Person, get_owner_principal(session).person_id)
        owner.state, owner.mail = "active", "owner@bench.example"
        session.flush()
        principal = get_principal(session, owner.id, Via.PAGE)
        return create_api_token(session, principal, "Bench", [Scope.READ], None, datetime.now(UTC))
