"""Null for an optional argument means that it is not given: tools, prompts and completions."""

import re
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from mcp import Client
from sqlalchemy.orm import Session

from core.agents.rules import CallLimit
from core.tracking.rules import Role as Owned
from jobs.tasks import dispatch_runs
from mcp_server.protocol import call_log
from mcp_server.protocol.prompts import PROMPTS
from mcp_server.protocol.tools import TOOLS
from tests.factories.alerts import add_incident
from tests.factories.observations import make_observation, store_observations
from tests.factories.products import KETTLE, make_listing, track_products
from tests.factories.products import LAMP as LAMP_ASIN
from tests.mcp_server.conftest import Agent, words_of
from tests.mcp_server.test_prompts import text_of
from tests.mcp_server.test_tools_fuzz import suggesting
from tests.mcp_server.valid_arguments import valid_arguments

LAMP = f"US:{LAMP_ASIN}"
A_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\d{4}-\d\d-\d\d \d\d:\d\d")


@pytest.fixture
def number(session: Session, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> int:
    """Track two products, one with a suggestion; return that suggestion's id."""
    monkeypatch.setattr(dispatch_runs, "fetch_now", lambda: None)
    monkeypatch.setattr(call_log, "call_limit", lambda: CallLimit(60_000, 10_000))
    track_products(session, agent.principal, [KETTLE])
    [lamp] = track_products(session, agent.principal, [LAMP_ASIN], role=Owned.OWN, note="before")
    add_incident(session, agent.principal, lamp, id=1)
    now = datetime.now(UTC)
    store_observations(session, make_observation(at=now, listing=make_listing()), now=now)
    return suggesting(session, agent.principal)


def timeless(answer: dict[str, Any]) -> str:
    """Return an answer as text without its times: two calls end at two moments."""
    return A_TIME.sub("", orjson.dumps(answer).decode())


def test_null_for_any_optional_argument_of_a_tool_is_as_if_it_were_not_given(
    agent: Agent, number: int
) -> None:
    async def calls(client: Client) -> dict[str, set[str]]:
        return {
            tool: await answers_of(client, tool, valid_arguments(tool, number)) for tool in TOOLS
        }

    answers = agent.with_client(calls)
    assert {tool: each for tool, each in answers.items() if len(each) != 1} == {}


async def answers_of(client: Client, tool: str, usual: dict[str, Any]) -> set[str]:
    """Return what a tool answers with null for no, for each and for all optional arguments."""
    optional = TOOLS[tool].optional_arguments - set(usual)
    asked = [{}, dict.fromkeys(optional), *({name: None} for name in optional)]
    results = [await client.call_tool(tool, usual | each) for each in asked]
    refused = [
        (tool, each, words_of(result))
        for each, result in zip(asked, results, strict=True)
        if result.is_error
    ]
    assert refused == []
    return {timeless(each.structured_content or {}) for each in results}


def test_null_erases_no_setting(agent: Agent, number: int) -> None:
    """A client that fills what it does not need with null must not lose a note by it."""
    change = {"product": LAMP, "is_primary": True, "note": None, "role": None, "tags": None}
    answer = agent.call("update_tracking_settings", **change)
    assert answer["changed"] == ["is_primary"]
    assert answer["after"]["note"] == {"untrusted": "before"}
    agent.call("update_alert_thresholds", product=LAMP, price_change_percent=12)
    rank = {"product": LAMP, "rank_change_percent": 90, "price_change_percent": None}
    assert agent.call("update_alert_thresholds", **rank)["changed"] == ["rank_change"]


def test_null_for_dry_run_writes_once_for_its_key_with_or_without_other_nulls(
    agent: Agent, number: int
) -> None:
    change = {"product": LAMP, "cadence": "weekly", "idempotency_key": "one"}
    first = agent.call("update_tracking_settings", **change, dry_run=None)
    assert (first["dry_run"], first["is_repeat"]) == (False, False)
    again = agent.call("update_tracking_settings", **change, note=None)
    assert again["is_repeat"] is True


def test_null_for_a_required_argument_is_refused_in_words(agent: Agent, number: int) -> None:
    required = [
        (tool, name)
        for tool, declared in TOOLS.items()
        for name in set(declared.arguments) - declared.optional_arguments
    ]

    async def calls(client: Client) -> list[str]:
        asked = [(tool, valid_arguments(tool, number) | {name: None}) for tool, name in required]
        return [words_of(await client.call_tool(tool, each)) for tool, each in asked]

    messages = agent.with_client(calls)
    named = [f"{name}: must be" in each for (_, name), each in zip(required, messages, strict=True)]
    assert all(named), messages


def test_null_for_an_argument_that_there_is_not_is_still_a_slip(agent: Agent) -> None:
    assert "day: there is no such argument" in agent.refusal("list_changes", day=None)


def test_null_for_an_optional_argument_of_a_prompt_is_as_if_it_were_not_given(
    agent: Agent, number: int
) -> None:
    for name, prompt in PROMPTS.items():
        usual = {} if name == "daily_briefing" else {"product": LAMP}
        nulls = dict.fromkeys(prompt.optional_arguments)
        asked = {"name": name, "arguments": usual | nulls}
        [message] = raw(agent, "prompts/get", asked)["messages"]
        expected = A_TIME.sub("", text_of(agent, name, **usual))
        assert A_TIME.sub("", message["content"]["text"]) == expected


def test_null_for_all_arguments_or_in_what_is_filled_in_is_nothing_given(
    agent: Agent, number: int
) -> None:
    assert "messages" in raw(agent, "prompts/get", {"name": "daily_briefing", "arguments": None})
    assert "structuredContent" in raw(
        agent, "tools/call", {"name": "list_changes", "arguments": None}
    )
    asked = {
        "ref": {"type": "ref/resource", "uri": "product://{marketplace}/{asin}"},
        "argument": {"name": "asin", "value": "B0"},
        "context": {"arguments": {"marketplace": None}},
    }
    assert raw(agent, "completion/complete", asked)["completion"]["total"] == 2


def raw(agent: Agent, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return what comes back for parameters that the client's own types may not allow."""

    async def send(client: Client) -> Any:
        session, asked = client.session, {"method": method, "params": params}
        session._stamp(asked, {})
        return await session._dispatcher.send_raw_request(method, asked["params"])  # type: ignore[arg-type]

    answer: dict[str, Any] = agent.with_client(send)
    return answer
