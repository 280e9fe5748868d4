"""One row in the access log for every call, whatever its method and however it ends."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mcp import Client
from mcp_types import PromptReference
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.agents.models import AgentCall
from core.settings.environment import get_settings
from mcp_server.protocol.call_log import RETRY_LATER
from tests.mcp_server.conftest import Agent

CALLS: dict[str, Callable[[Client], Any]] = {
    "resources/read": lambda client: client.read_resource("glossary://terms"),
    "prompts/get": lambda client: client.get_prompt("daily_briefing"),
    "completion/complete": lambda client: client.complete(
        PromptReference(type="ref/prompt", name="daily_briefing"),
        {"name": "whose", "value": "t"},
    ),
}


@pytest.fixture
def one_call_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A rate limit that the second call exceeds."""
    monkeypatch.setenv("AMAZCOPE_MCP_CALLS_PER_MINUTE", "1")
    monkeypatch.setenv("AMAZCOPE_MCP_CALLS_AT_ONCE", "1")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def logged(session: Session) -> list[tuple[str, str | None, bool]]:
    """Return method and outcome of each call, and whether its duration is stored."""
    rows = session.scalars(select(AgentCall).order_by(AgentCall.id))
    return [(row.method, row.outcome, row.took_ms is not None) for row in rows]


@pytest.mark.usefixtures("one_call_a_minute")
@pytest.mark.parametrize("method", CALLS)
def test_a_call_over_the_limit_is_asked_to_retry_and_logged_as_limited(
    session: Session, agent: Agent, method: str
) -> None:
    agent.with_client(CALLS[method])
    error = agent.error(CALLS[method])
    assert error.code == RETRY_LATER
    assert "Wait " in error.message
    assert logged(session) == [(method, "answered", True), (method, "limited", False)]


@pytest.mark.usefixtures("one_call_a_minute")
def test_a_call_refused_before_its_work_counts_against_the_limit(
    session: Session, agent: Agent
) -> None:
    unknown: Callable[[Client], Any] = lambda client: client.read_resource("none://here")  # noqa: E731
    agent.error(unknown)
    agent.error(unknown)
    assert logged(session) == [
        ("resources/read", "refused", True),
        ("resources/read", "limited", False),
    ]
    assert "Too many calls" in agent.refusal("search_products")
