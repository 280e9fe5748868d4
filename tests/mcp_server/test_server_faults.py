"""What goes wrong around the server: bursts, clients that leave, a database away, kills."""

import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
import httpx2
import pytest
from mcp import Client
from pydantic import Field
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Permission, Via
from core.accounts.people.membership import get_principal
from core.agents.models import AgentCall, AgentWrite
from core.database import session as db
from core.database.session import read_scope, write_scope
from core.settings.environment import get_settings
from core.tracking.models import Tracking
from mcp_server.protocol import tools
from mcp_server.protocol.call_log import Call
from mcp_server.results.arguments import DryRun
from mcp_server.results.base import Result
from mcp_server.server import INTERNAL_FAILURE, MAX_THREADS
from tests import loops
from tests.factories.products import LAMP
from tests.mcp_server.conftest import Agent, McpEndpoint, free_port, words_of
from tests.mcp_server.processes import (
    allow_connections,
    call_message,
    database_away,
    environment,
    over_http,
)

HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}
PATIENCE = 120  # seconds


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """No limit that these tests would run into; the database is slow enough."""
    monkeypatch.setenv("AMAZCOPE_MCP_CALLS_PER_MINUTE", "60000")
    monkeypatch.setenv("AMAZCOPE_MCP_CALLS_AT_ONCE", "10000")


class Waited(Result):
    """What a tool of these tests answers."""

    seconds: float


in_hand: list[int] = []  # connections in use, at every step of the tool below


def slow(
    call: Call, seconds: Annotated[float, Field(ge=0, le=30)] = 0.5, dry_run: DryRun = False
) -> Waited:
    """Wait inside the database, telling how far it is."""
    for step in range(1, 4):
        with read_scope() as session:
            session.execute(text("SELECT pg_sleep(:time)"), {"time": seconds / 3})
            in_hand.append(checked_out())
        call.report(step, 3, f"step {step}")
    return Waited(seconds=seconds, summary="Waited." if not dry_run else "Would wait.")


@pytest.fixture
def slow_tool() -> Iterator[str]:
    """A tool that takes its time; made before the server."""
    tools.tool(Permission.READ, "Wait")(slow)
    yield "slow"
    del tools.TOOLS["slow"]


@dataclass
class Occupied:
    """The calls of a tool that ends when the test lets it."""

    begun: list[int] = field(default_factory=list)
    may_end: threading.Event = field(default_factory=threading.Event)

    def occupied(self, call: Call) -> Waited:
        """Wait for the test."""
        self.begun.append(1)
        self.may_end.wait(PATIENCE)
        return Waited(seconds=0.0, summary="Waited.")


@pytest.fixture
def occupied() -> Iterator[Occupied]:
    """A tool that holds its thread until the test lets it go; made before the server."""
    calls = Occupied()
    tools.tool(Permission.READ, "Wait")(calls.occupied)
    yield calls
    del tools.TOOLS["occupied"]


def broken(call: Call, way: Literal["value", "model"] = "value") -> Waited:
    """Fail for a reason of our own."""
    if way == "model":
        return Waited.model_validate({"seconds": "a secret"})
    raise ValueError("a secret")


@pytest.mark.parametrize("way", ["value", "model"])
def test_a_fault_of_the_server_is_reported_as_such_and_logged(
    session: Session, agent: Agent, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """Also one that could be the caller's, such as an answer that fits no model."""
    tools.tool(Permission.READ, "Fail")(broken)
    try:
        assert agent.refusal("broken", way=way) == INTERNAL_FAILURE
    finally:
        del tools.TOOLS["broken"]
    assert "a secret" in caplog.text
    assert session.scalars(select(AgentCall.outcome)).all() == ["failed"]


def post(endpoint: McpEndpoint, message: Any, **headers: str) -> httpx2.Response:
    async def send() -> httpx2.Response:
        async with endpoint.client(**HEADERS | headers) as http:
            return await http.post(endpoint.url, json=message)

    return loops.run(send)


def calls() -> list[tuple[str, str | None]]:
    with read_scope() as session:
        found = session.execute(select(AgentCall.name, AgentCall.outcome).order_by(AgentCall.id))
        return [(name, outcome) for name, outcome in found]


def soon(is_so: Callable[[], bool]) -> None:
    """Wait until something is so. Fails when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def checked_out() -> int:
    """Return how many connections of this process are in use."""
    if not db.has_engines():
        return 0
    engines = (db.get_engine(), db.get_reading_engine(), db.get_autocommit_engine())
    return sum(engine.pool.checkedout() for engine in engines)  # type: ignore[attr-defined]


# Bursts


def test_two_hundred_calls_at_once_are_all_answered_and_each_is_logged_once(
    endpoint: McpEndpoint,
) -> None:
    async def burst() -> list[httpx2.Response]:
        limits = httpx2.Limits(max_connections=200)
        bearer = {"Authorization": f"Bearer {endpoint.token}"}
        answers: list[httpx2.Response] = []
        async with httpx2.AsyncClient(headers=HEADERS | bearer, limits=limits, timeout=60) as http:

            async def one(number: int) -> None:
                message = call_message("search_products", number)
                answers.append(await http.post(endpoint.url, json=message))

            async with anyio.create_task_group() as group:
                for number in range(200):
                    group.start_soon(one, number)
        return answers

    answers = loops.run(burst)
    assert {answer.status_code for answer in answers} == {200}
    assert all('"isError":false' in answer.text for answer in answers)
    assert calls() == [("search_products", "answered")] * 200
    assert checked_out() == 0


def test_a_burst_of_slow_calls_waits_its_turn(slow_tool: str, endpoint: McpEndpoint) -> None:
    """Many more than connections: they queue, no caller gives up, and others get theirs."""
    in_hand.clear()

    async def burst(client: Client) -> list[bool | None]:
        answers: list[bool | None] = []

        async def one() -> None:
            answers.append((await client.call_tool(slow_tool, {"seconds": 0.6})).is_error)

        async with anyio.create_task_group() as group:
            for _ in range(48):
                group.start_soon(one)
        return answers

    assert endpoint.with_client(burst) == [False] * 48
    assert calls() == [(slow_tool, "answered")] * 48
    assert 1 < max(in_hand) <= MAX_THREADS


# Clients that leave


@pytest.mark.parametrize("version", ["2025-06-18", None], ids=["handshake", "newest"])
def test_a_client_that_leaves_in_the_middle_is_in_the_log_and_holds_nothing(
    slow_tool: str, endpoint: McpEndpoint, version: str | None
) -> None:
    async def leave_when_begun(call: Callable[[], Awaitable[object]]) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            while not await anyio.to_thread.run_sync(calls):
                await anyio.sleep(0.05)
            group.cancel_scope.cancel()

    async def leave_raw() -> None:
        async with endpoint.client(**HEADERS) as http:
            message = call_message(slow_tool, seconds=4.5)
            await leave_when_begun(partial(http.post, endpoint.url, json=message))

    async def leave(client: Client) -> None:
        await leave_when_begun(partial(client.call_tool, slow_tool, {"seconds": 4.5}))

    loops.run(leave_raw) if version else endpoint.with_client(leave)
    soon(lambda: [name for name, _ in calls()] == [slow_tool])
    soon(lambda: calls()[0][1] is not None)
    assert calls() == [(slow_tool, "left")]
    soon(lambda: checked_out() == 0)
    assert post(endpoint, call_message("search_products")).status_code == 200


# Progress


def progress_of(with_client: Callable[[Any], Any]) -> list[tuple[float, float | None, str | None]]:
    reports: list[tuple[float, float | None, str | None]] = []

    async def note(done: float, total: float | None, sentence: str | None) -> None:
        reports.append((done, total, sentence))

    async def work(client: Client) -> None:
        result = await client.call_tool("slow", {"seconds": 0.3}, progress_callback=note)
        assert words_of(result) == "Waited."

    with_client(work)
    return reports


STEPS = [(1.0, 3.0, "step 1"), (2.0, 3.0, "step 2"), (3.0, 3.0, "step 3")]


@pytest.mark.usefixtures("slow_tool")
def test_progress_arrives_in_memory(agent: Agent) -> None:
    assert progress_of(agent.with_client) == STEPS


@pytest.mark.usefixtures("slow_tool")
def test_progress_arrives_over_http(endpoint: McpEndpoint) -> None:
    assert progress_of(endpoint.with_client) == STEPS


# The database away


def test_while_the_database_is_away_requests_are_asked_to_come_back_and_then_it_works(
    endpoint: McpEndpoint, committed_database: str
) -> None:
    assert post(endpoint, call_message("search_products")).status_code == 200
    with database_away(committed_database):
        for _ in range(3):
            answer = post(endpoint, call_message("search_products"))
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert "Try again" in answer.json()["error"]
    answer = post(endpoint, call_message("search_products"))
    assert (answer.status_code, '"isError":false' in answer.text) == (200, True)
    assert checked_out() == 0


def test_health_reports_the_databases_state(endpoint: McpEndpoint, committed_database: str) -> None:
    address = endpoint.url.replace("/mcp", "/healthz")
    assert httpx2.get(address).status_code == 200
    with database_away(committed_database):
        answer = httpx2.get(address, timeout=120)
        assert (answer.status_code, answer.json()) == (503, {"status": "database unavailable"})
    assert httpx2.get(address).status_code == 200


def test_a_busy_server_is_healthy(occupied: Occupied, endpoint: McpEndpoint) -> None:
    answers: list[int] = []

    async def burst(client: Client) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(2 * MAX_THREADS):
                group.start_soon(client.call_tool, "occupied", {})
            while len(occupied.begun) < MAX_THREADS:
                await anyio.sleep(0.01)
            try:
                async with httpx2.AsyncClient(timeout=PATIENCE) as http:
                    answers.append(
                        (await http.get(endpoint.url.replace("/mcp", "/healthz"))).status_code
                    )
            finally:
                occupied.may_end.set()

    endpoint.with_client(burst)
    assert answers == [200]


def test_without_http_an_unreachable_database_is_reported_in_words(
    endpoint: McpEndpoint, committed_database: str
) -> None:
    with read_scope() as session:
        agent = Agent(endpoint.token, get_principal(session, 1, Via.PAGE))
    with database_away(committed_database):
        assert "does not answer at the moment" in agent.refusal("search_products")
        refusal = agent.refusal("track_products", products=[f"US:{LAMP}"])
        assert "may not have been saved" in refusal
    agent.call("track_products", products=[f"US:{LAMP}"])


def test_a_database_lost_while_a_tool_works_is_reported_in_words(
    slow_tool: str, endpoint: McpEndpoint, committed_database: str
) -> None:
    def take_away() -> None:
        soon(lambda: _waits_in(committed_database, "PgSleep"))
        allow_connections(committed_database, False)

    async def call(client: Client) -> Any:
        return await client.call_tool(slow_tool, {"seconds": 30})

    thread = threading.Thread(target=take_away)
    thread.start()
    try:
        result = endpoint.with_client(call)
    finally:
        thread.join()
        allow_connections(committed_database, True)
    assert result.is_error
    assert "does not answer at the moment" in words_of(result)
    assert post(endpoint, call_message("search_products")).status_code == 200
    # That it was is in the log; how it ended is, where a connection was left to note it.
    [(name, outcome), after] = calls()
    assert (name, after) == (slow_tool, ("search_products", "answered"))
    assert outcome in (None, "failed")


def test_before_its_database_ever_ran_the_server_asks_to_retry(tmp_path: Path) -> None:
    port = free_port()
    nothing = environment("", tmp_path)
    with over_http(nothing, port, healthy=503):
        answer = httpx2.post(
            f"http://127.0.0.1:{port}/mcp",
            json=call_message("search_products"),
            headers=HEADERS | {"Authorization": "Bearer amz_any"},
        )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


# Kills, and two processes


def _count(session: Session, table: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_server_killed_in_a_write_leaves_nothing_half_written(
    endpoint: McpEndpoint, committed_database: str, tmp_path: Path
) -> None:
    port = free_port()
    other = McpEndpoint(f"http://127.0.0.1:{port}/mcp", port, endpoint.token)
    add = call_message("track_products", products=[f"US:{LAMP}"], idempotency_key="one")

    def call_and_be_cut_off() -> None:
        with pytest.raises(httpx2.HTTPError):
            post(other, add)

    with (
        over_http(environment(committed_database, tmp_path), port) as process,
        write_scope() as session,
    ):
        # A call that tracks waits here, with the key claimed.
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('following'), 1)"))
        thread = threading.Thread(target=call_and_be_cut_off)
        thread.start()
        soon(lambda: _waits_in(committed_database, "advisory"))
        process.kill()
        thread.join(PATIENCE)
    soon(lambda: not _waits_in(committed_database, "advisory"))
    with read_scope() as session:
        assert (_count(session, Tracking), _count(session, AgentWrite)) == (0, 0)
    assert calls() == [("track_products", None)]
    # The same write with the same key is made now, once.
    assert '"is_repeat":false' in post(endpoint, add).text.replace(" ", "")
    assert '"is_repeat":true' in post(endpoint, add).text.replace(" ", "")
    with read_scope() as session:
        assert _count(session, Tracking) == 1


def _waits_in(url: str, event: str) -> bool:
    """Return whether a connection to a database waits for an event, as PostgreSQL names it."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND wait_event = :event"
    )
    with read_scope() as session:
        return bool(session.scalar(waiting, {"name": url.rpartition("/")[2], "event": event}))


def test_two_processes_share_the_pace_of_a_token(
    endpoint: McpEndpoint, committed_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = {"AMAZCOPE_MCP_CALLS_PER_MINUTE": "1", "AMAZCOPE_MCP_CALLS_AT_ONCE": "3"}
    for name, value in pace.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    port = free_port()
    other = McpEndpoint(f"http://127.0.0.1:{port}/mcp", port, endpoint.token)
    with over_http(environment(committed_database, tmp_path, **pace), port):
        texts = [post(each, call_message("search_products")).text for each in (endpoint, other) * 3]
    assert ["Too many calls" in each for each in texts] == [False] * 3 + [True] * 3
    assert [outcome for _, outcome in calls()] == ["answered"] * 3 + ["limited"] * 3


# Nonsense over HTTP

DEEP = "[" * 200_000
NONSENSE: dict[str, tuple[bytes, dict[str, str], set[int]]] = {
    "nothing": (b"", {}, {400}),
    "no JSON": (b"hello", {}, {400}),
    "half of JSON": (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "par', {}, {400}),
    "deep JSON": (DEEP.encode(), {}, {400}),
    "deep arguments": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_products",'
        b'"arguments":{"search":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}}}",
        {},
        {200, 400},
    ),
    "a batch": (b'[{"jsonrpc":"2.0","id":1,"method":"ping"},3,null,{"x":[]}]', {}, {400}),
    "a number": (b"17", {}, {400}),
    "another version of the protocol": (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', {}, {400}),
    "no bytes of UTF-8": (b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}', {}, {400}),
    "half a surrogate pair": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_products",'
        b'"arguments":{"search":"\\ud800"}}}',
        {},
        {200, 400},
    ),
    "NUL": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_products",'
        b'"arguments":{"search":"\\u0000"}}}',
        {},
        {200},
    ),
    "a name that is no text": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["x"]}}',
        {},
        {200, 400},
    ),
    "a method that there is not": (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/destroy","params":{}}',
        {},
        {200, 400, 404},
    ),
    "a form": (b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}, {400, 415}),
    "plain text": (b"{}", {"Content-Type": "text/plain"}, {400, 415}),
    "a client that takes only pages": (b"{}", {"Accept": "text/html"}, {400, 406}),
    "a version that never was": (b"{}", {"MCP-Protocol-Version": "1999-01-01"}, {400}),
    "too much": (b'{"x":"' + b"y" * (1024 * 1024 + 1) + b'"}', {}, {413}),
}


def test_nonsense_over_http_is_refused_and_the_server_goes_on(endpoint: McpEndpoint) -> None:
    async def send(body: bytes, headers: dict[str, str]) -> httpx2.Response:
        sent = HEADERS | {"Content-Type": "application/json"} | headers
        async with endpoint.client(**sent) as http:
            return await http.post(endpoint.url, content=body)

    for what, (body, headers, statuses) in NONSENSE.items():
        answer = loops.run(partial(send, body, headers))
        assert answer.status_code in statuses, (what, answer.text[:500])
        assert "Traceback" not in answer.text, what
        assert "Error executing" not in answer.text, what
        assert len(answer.text) < 3000, what
        assert post(endpoint, call_message("search_products")).status_code == 200, what


def test_there_is_nothing_but_posting(endpoint: McpEndpoint) -> None:
    async def send(method: str) -> int:
        async with endpoint.client(**HEADERS) as http, http.stream(method, endpoint.url) as answer:
            return int(answer.status_code)

    methods = ["GET", "DELETE", "PUT", "HEAD", "OPTIONS"]
    assert {method: loops.run(partial(send, method)) for method in methods} == dict.fromkeys(
        methods, 405
    )


def test_a_slash_at_the_end_is_the_same_address_without_a_redirect(
    endpoint: McpEndpoint,
) -> None:
    async def send(path: str) -> int:
        async with endpoint.client(**HEADERS) as http:
            address = endpoint.url.removesuffix("/mcp") + path
            return int((await http.post(address, json=call_message("search_products"))).status_code)

    statuses = {"/mcp/": 200, "/mcp//": 404, "/x/": 404}
    assert {path: loops.run(partial(send, path)) for path in statuses} == statuses


def test_a_body_that_never_ends_is_cut_off(endpoint: McpEndpoint) -> None:
    async def body() -> Any:
        for _ in range(200):
            yield b"x" * 65_536

    async def send() -> int:
        async with endpoint.client(**HEADERS, **{"Content-Type": "application/json"}) as http:
            return int((await http.post(endpoint.url, content=body())).status_code)

    assert loops.run(send) == 413
