"""Agents for tests: the real client, in memory or over HTTP, with a real token."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import orjson
import pytest
import uvicorn
from jsonschema import Draft202012Validator
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent
from sqlalchemy.orm import Session

from core.accounts.access.api_tokens import create_api_token, find_bearer
from core.accounts.access.permissions import Principal, Role, Scope, Via
from core.accounts.models import Person
from core.accounts.people.membership import get_owner_principal, get_principal
from core.database.session import write_scope
from core.settings.environment import get_settings
from mcp_server.http import make_app
from mcp_server.protocol.authentication import EnvironmentToken
from mcp_server.server import make_server
from tests import loops

ALL = (Scope.READ, Scope.PROPOSE, Scope.ACT)


@pytest.fixture(scope="session", autouse=True)
def schemas_checked_once() -> Iterator[None]:
    """Each schema of an answer is checked once, not by each client: that took most of a call."""
    checked: set[bytes] = set()
    check = Draft202012Validator.check_schema

    def check_once(schema: Any) -> None:
        text = orjson.dumps(schema)
        if text not in checked:
            check(schema)
            checked.add(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draft202012Validator, "check_schema", check_once)
        yield


@dataclass
class Agent:
    """A program with a token that calls tools in memory; what it was refused is an error."""

    token: str
    principal: Principal
    refused: list[str] = field(default_factory=list)

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return a tool's structured answer. Fails when it was refused."""
        result = self.result(tool, **arguments)
        assert not result.is_error, words_of(result)
        assert result.structured_content is not None
        return result.structured_content

    def refusal(self, tool: str, **arguments: Any) -> str:
        """Return a tool's answer to a call that it refuses. Fails when it did not."""
        result = self.result(tool, **arguments)
        assert result.is_error, result.structured_content
        return words_of(result)

    def words(self, tool: str, **arguments: Any) -> str:
        """Return a tool's short text."""
        return words_of(self.result(tool, **arguments))

    def result(self, tool: str, **arguments: Any) -> CallToolResult:
        """Call a tool."""

        async def call(client: Client) -> CallToolResult:
            return await client.call_tool(tool, arguments)

        return self.with_client(call)

    def error(self, work: Any) -> MCPError:
        """Return the protocol's error that something ends with. Fails when there is none."""

        async def failing(client: Client) -> MCPError:
            with pytest.raises(MCPError) as raised:
                await work(client)
            return raised.value

        error: MCPError = self.with_client(failing)
        return error

    def with_client(self, work: Any) -> Any:
        """Do something with a connected client."""
        return client_of(make_server(EnvironmentToken(self.token)), work)


def client_of(server: Any, work: Any) -> Any:
    """Do something with a client that is connected to a server in memory."""

    async def run() -> Any:
        async with Client(server) as client:
            return await work(client)

    return loops.run(run)


def words_of(result: CallToolResult) -> str:
    """Return the text of a result."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


def agent_of(session: Session, owner: Principal, *scopes: Scope) -> Agent:
    """Return an agent that acts as a person with a token of these scopes (all of them)."""
    now = datetime.now(UTC)
    page = get_principal(session, owner.person_id, Via.PAGE)
    token = create_api_token(session, page, "An agent", scopes or ALL, None, now)
    session.commit()
    bearer = find_bearer(session, token, now, None)
    assert bearer is not None
    return Agent(token, bearer.principal)


def active(session: Session, who: Principal, role: Role | None = None) -> Principal:
    """Make a person of a test one who may sign in, in a role; return who acts."""
    person = session.get_one(Person, who.person_id)
    person.state = "active"
    person.mail = person.mail or f"person{person.id}@team.example"
    if role is not None:
        person.role = role.value
    session.flush()
    return get_principal(session, person.id, Via.PAGE)


@pytest.fixture
def agent(session: Session, principal: Principal) -> Agent:
    """The first administrator's agent, with every scope."""
    return agent_of(session, principal)


@dataclass
class McpEndpoint:
    """A running server over HTTP, with the token of the first administrator."""

    url: str
    port: int
    token: str

    def client(self, token: str | None = None, **headers: str) -> httpx2.AsyncClient:
        """Return an HTTP client that carries a token."""
        bearer = {"Authorization": f"Bearer {token or self.token}"} if token != "" else {}
        return httpx2.AsyncClient(headers={**bearer, **headers}, timeout=120)

    def with_client(self, work: Any, token: str | None = None) -> Any:
        """Do something with a connected client."""

        async def run() -> Any:
            async with self.client(token) as http:
                transport = streamable_http_client(self.url, http_client=http)
                async with Client(transport) as client:
                    return await work(client)

        return loops.run(run)


@pytest.fixture
def endpoint(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[McpEndpoint]:
    """A server over HTTP in this process, on a database that threads share."""
    port = free_port()
    monkeypatch.setenv("AMAZCOPE_MCP_PORT", str(port))
    get_settings.cache_clear()
    with write_scope() as session:
        owner = session.get_one(Person, get_owner_principal(session).person_id)
        owner.state, owner.mail = "active", "owner@team.example"
        session.flush()
        page = get_principal(session, owner.id, Via.PAGE)
        token = create_api_token(session, page, "An agent", ALL, None, datetime.now(UTC))
    with serving(port):
        yield McpEndpoint(f"http://127.0.0.1:{port}/mcp", port, token)
    get_settings.cache_clear()


class serving:  # noqa: N801 - reads as a context manager
    """Serve the application on a port while inside."""

    def __init__(self, port: int, app: Any = None) -> None:
        config = uvicorn.Config(
            app or make_app(get_settings()),
            host="127.0.0.1",
            port=port,
            log_level="warning",
            lifespan="on",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + 120
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            assert self._thread.is_alive(), "the server ended"
            time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(120)


def free_port() -> int:
    """Return a free port of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
