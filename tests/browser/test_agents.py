"""An agent reads, compares and proposes; a manager decides; the agent reads the outcome."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from playwright.sync_api import Page, expect

from app.account.people_text import SCOPES
from core.accounts.access.permissions import Scope
from tests import loops
from tests.browser.conftest import (
    Cookies,
    Stack,
    Tabs,
    confirm,
    errors_on,
    go,
    password_of,
    text_of,
    wait_for_text,
)

pytestmark = pytest.mark.browser

Work = Callable[[Client], Awaitable[Any]]
WHY = "It is dearer than its competitors."
REASON = "Closer to what others ask."


@pytest.fixture
def manager(tabs: Tabs, signed_in: Callable[[str], Cookies]) -> Iterator[Page]:
    """A new tab, signed in as the demo's manager."""
    with tabs.open(signed_in("manager")) as opened:
        yield opened


def make_token(page: Page, stack: Stack) -> str:
    """Make a token with every scope on the profile; return what is shown once."""
    go(page, stack, "/profile?part=API+tokens")
    page.get_by_label("Name").fill("Pricing agent")
    scopes = page.get_by_role("toolbar", name="Permissions")
    for scope in (Scope.PROPOSE, Scope.ACT):
        scopes.get_by_role("button", name=SCOPES[scope]).click()
    page.get_by_role("button", name="Create token").click()
    asked = page.get_by_text("Confirm that it is you")  # once in ten minutes
    asked.or_(page.get_by_text("Your new token.")).first.wait_for()
    if asked.is_visible():
        confirm(page, password_of("seller"))
    wait_for_text(page, "Your new token.")
    wait_for_text(page, "may read, propose, act")
    token = page.get_by_test_id("stCode").first.inner_text().strip()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("Your new token.")).to_have_count(0)
    return token


def converse(stack: Stack, token: str, work: Work) -> Any:
    """Return what comes of some work as an agent."""

    async def run() -> Any:
        url = f"http://127.0.0.1:{stack.environment['AMAZCOPE_MCP_PORT']}/mcp"
        bearer = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=bearer, timeout=60) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            return await work(client)

    return loops.run(run)


async def ask(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def propose_a_lower_price(client: Client) -> dict[str, Any]:
    """Find an own product with competitors, read on, and propose a price for it."""
    found = await ask(client, "search_products", whose="team", limit=200)
    refused = []
    own = [each for each in found["products"] if each["role"] == "own" and each["price"]]
    for each in own:
        product = each["product"]
        rivals = await ask(client, "get_competitor_analysis", product=product)
        if not rivals["competitors"]:
            refused.append(f"{product}: no competitors")
            continue
        history = await ask(client, "get_price_history", product=product, days=60)
        assert history["points"], history
        evidence = await ask(client, "get_suggestion_evidence", product=product)
        assert evidence["total"] > 0
        proposal = {
            "product": product,
            "price": round(each["price"] * 0.97, 2),
            "reasoning": WHY,
            "reason": REASON,
        }
        tried = await client.call_tool("propose_price_optimization", {**proposal, "dry_run": True})
        if tried.is_error or not tried.structured_content["is_new"]:
            refused.append(f"{product}: {tried.content}")
            continue
        once = {**proposal, "idempotency_key": "lower-price-1"}
        written = await ask(client, "propose_price_optimization", **once)
        again = await ask(client, "propose_price_optimization", **once)
        assert (again["suggestion_id"], again["is_repeat"]) == (written["suggestion_id"], True)
        return written
    raise AssertionError(f"no own product of the demo takes a price: {refused}")


def test_what_an_agent_proposes_a_manager_decides(
    page: Page, manager: Page, admin: Page, stack: Stack
) -> None:
    token = make_token(page, stack)
    written = converse(stack, token, propose_a_lower_price)
    number = written["suggestion_id"]
    assert written["page"].endswith(f"/suggestion?id={number}")

    go(manager, stack, f"/suggestion?id={number}")
    shown = text_of(manager)
    assert "agent of Sam Seller · Pricing agent" in shown
    assert WHY in shown
    assert "Evidence Value Unit Seen" in shown
    manager.get_by_role("button", name="Approve", exact=True).first.click()
    wait_for_text(manager, "approved by Mia Manager on a page")
    assert errors_on(manager) == []

    def read_on(client: Client) -> Awaitable[dict[str, Any]]:
        return ask(client, "get_suggestion", suggestion_id=number)

    suggestion = converse(stack, token, read_on)
    assert suggestion["state"] == "approved"
    assert any(
        "approved by Mia Manager" in step["step"]["untrusted"] for step in suggestion["time_line"]
    )

    go(admin, stack, "/agents")
    wait_for_text(admin, "Every call of a program over MCP")
    assert "Calls in 24 hours" in text_of(admin)
    assert errors_on(admin) == []


def test_without_a_token_the_mcp_server_refuses(stack: Stack) -> None:
    url = f"http://127.0.0.1:{stack.environment['AMAZCOPE_MCP_PORT']}/mcp"
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"Accept": "application/json, text/event-stream"}
    answer = httpx2.post(url, content=json.dumps(asked), headers=headers)
    assert answer.status_code == 401
