"""Who gets in, how often, and what is written down of it."""

from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from mcp import Client
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.api_tokens import list_own_tokens, revoke_own_token
from core.accounts.access.permissions import Principal, Role, Scope, Via
from core.accounts.models import ApiToken
from core.accounts.people.membership import get_principal
from core.agents.models import AgentCall
from core.database.session import read_scope, write_scope
from core.settings.environment import get_settings
from tests import loops
from tests.factories.observations import make_observation, store_observations
from tests.factories.people import add_colleague
from tests.factories.products import LAMP, make_listing, track_products
from tests.mcp_server.conftest import Agent, McpEndpoint, active, agent_of

SEARCH = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "search_products", "arguments": {}},
}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


def test_an_agent_finds_what_its_owner_follows(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observations(session, make_observation(listing=make_listing()))
    found = agent.call("search_products", search="reading")
    assert (found["total"], found["truncated"], found["next_cursor"]) == (1, False, None)
    [row] = found["products"]
    assert (row["product"], row["price"], row["currency"]) == ("US:B0TEST0001", 20.0, "USD")
    assert row["title"] == {"untrusted": "Reading lamp with a long neck"}


def test_every_call_is_in_the_log_with_a_hash_of_its_arguments(
    session: Session, agent: Agent
) -> None:
    agent.call("search_products", search="lamp")
    agent.refusal("search_products", limit=0)
    agent.refusal("get_product_details", product="US:B0NOTHERE1")
    calls = session.scalars(select(AgentCall).order_by(AgentCall.id)).all()
    assert [(each.name, each.outcome) for each in calls] == [
        ("search_products", "answered"),
        ("search_products", "refused"),
        ("get_product_details", "refused"),
    ]
    assert {each.token_id for each in calls} == {agent.principal.token_id}
    assert len({bytes(each.arguments_hash) for each in calls}) == 3
    assert all(each.took_ms is not None for each in calls)


def test_a_misspelt_argument_is_refused_by_its_name(agent: Agent) -> None:
    refusal = agent.refusal("search_products", serach="lamp")
    assert "serach" in refusal
    assert "pydantic" not in refusal


def test_a_caller_over_the_limit_learns_how_long_to_wait(
    session: Session, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAZCOPE_MCP_CALLS_PER_MINUTE", "1")
    monkeypatch.setenv("AMAZCOPE_MCP_CALLS_AT_ONCE", "2")
    get_settings.cache_clear()
    agent.call("search_products")
    agent.call("search_products")
    refusal = agent.refusal("search_products")
    assert "Wait 60 s" in refusal or "Wait 59 s" in refusal
    outcomes = session.scalars(select(AgentCall.outcome).order_by(AgentCall.id)).all()
    assert outcomes == ["answered", "answered", "limited"]
    get_settings.cache_clear()


def test_over_http_a_token_gives_access(endpoint: McpEndpoint) -> None:
    async def search(client: Client) -> object:
        return (await client.call_tool("search_products", {})).structured_content

    assert endpoint.with_client(search)["total"] == 0


@pytest.mark.parametrize("token", ["", "amz_wrong", "Bearer", "amz_" + "x" * 5000])
def test_without_a_valid_token_nothing_is_answered(endpoint: McpEndpoint, token: str) -> None:
    assert post(endpoint, token).status_code == 401


def test_a_revoked_token_is_dead_at_once(endpoint: McpEndpoint) -> None:
    assert post(endpoint, endpoint.token).status_code == 200
    with write_scope() as session:
        owner = session.scalars(select(ApiToken.person_id)).one()
        page = get_principal(session, owner, Via.PAGE)
        [kept] = list_own_tokens(session, page, datetime.now(UTC))
        revoke_own_token(session, page, kept.id, datetime.now(UTC))
    assert post(endpoint, endpoint.token).status_code == 401


def test_an_expired_token_is_refused(endpoint: McpEndpoint) -> None:
    with write_scope() as session:
        session.scalars(select(ApiToken)).one().expires_at = datetime.now(UTC) - timedelta(1)
    assert post(endpoint, endpoint.token).status_code == 401


def test_the_use_of_a_token_is_noted(endpoint: McpEndpoint) -> None:
    post(endpoint, endpoint.token)
    with read_scope() as session:
        assert session.scalars(select(ApiToken.used_at)).one() is not None


def test_a_foreign_host_is_refused(endpoint: McpEndpoint) -> None:
    assert post(endpoint, endpoint.token, Host="evil.example").status_code == 421


def test_a_page_of_another_origin_is_refused(endpoint: McpEndpoint) -> None:
    assert post(endpoint, endpoint.token, Origin="https://evil.example").status_code == 403


def test_a_role_lowered_since_holds_for_the_next_call(
    session: Session, principal: Principal
) -> None:
    seller = active(session, add_colleague(session, principal), Role.SELLER)
    agent = agent_of(session, seller)
    agent.call("search_products")
    assert agent.principal.scopes == frozenset(Scope)


def post(endpoint: McpEndpoint, token: str, **headers: str) -> httpx2.Response:
    async def send() -> httpx2.Response:
        async with endpoint.client(token, **HEADERS, **headers) as http:
            return await http.post(endpoint.url, json=SEARCH)

    return loops.run(send)
