"""Clients of others: the SDK's own over stdio, the npm Inspector, the conformance suite."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from core.accounts.access.permissions import Principal
from core.database.session import write_scope
from core.settings.environment import ROOT
from mcp_server.protocol.prompts import PROMPTS
from mcp_server.protocol.tools import TOOLS
from tests import loops
from tests.factories.observations import make_observation, store_observations
from tests.factories.products import LAMP, make_listing, track_products
from tests.mcp_server.conftest import McpEndpoint, free_port
from tests.mcp_server.outside import Programs, installed

pytestmark = pytest.mark.slow

# The suite's verdicts on this server: every scenario is in one of the two.
APPLICABLE = {
    "server-initialize",
    "ping",
    "completion-complete",
    "tools-list",
    "tools-call-simple-text",
    "tools-call-error",
    "tools-call-with-progress",
    "resources-list",
    "resources-read-text",
    "resources-templates-read",
    "prompts-list",
    "prompts-get-simple",
    "prompts-get-with-args",
    "dns-rebinding-protection",
}
_NO_MEDIA = "answers are words and figures; there are no pictures, sounds or bytes to give"
_NO_ASKING = "a server without sessions asks its clients nothing; no tool needs to"
NOT_APPLICABLE = {
    "tools-call-image": _NO_MEDIA,
    "tools-call-audio": _NO_MEDIA,
    "tools-call-mixed-content": _NO_MEDIA,
    "tools-call-embedded-resource": "results name resources in words, and embed none",
    "resources-read-binary": _NO_MEDIA,
    "prompts-get-with-image": _NO_MEDIA,
    "prompts-get-embedded-resource": "prompts are instructions: what is known is read by a tool",
    "tools-call-sampling": _NO_ASKING,
    "tools-call-elicitation": _NO_ASKING,
    "elicitation-sep1034-defaults": _NO_ASKING,
    "elicitation-sep1330-enums": _NO_ASKING,
    "logging-set-level": "logs are the operator's; the capability is not declared",
    "tools-call-with-logging": "logs are the operator's; the capability is not declared",
    "resources-subscribe": "the capability is not declared: a server without sessions has no "
    "stream for changes; `list_changes` returns them",
    "resources-unsubscribe": "the capability is not declared",
    "json-schema-2020-12": "wants a tool whose schema is written by hand; ours are generated, "
    "and the Inspector judges them below",
    "server-sse-polling": "wants sessions: this server is stateless",
    "server-sse-multiple-streams": "wants sessions: this server is stateless",
}


@pytest.fixture(scope="module")
def programs(request: pytest.FixtureRequest) -> Programs:
    """The programs from npm."""
    return installed(Path(request.config.cache.mkdir("outside-clients")))  # type: ignore[union-attr]


@pytest.fixture
def lamp(endpoint: McpEndpoint) -> McpEndpoint:
    """A server over HTTP whose team follows a lamp."""
    with write_scope() as session:
        from core.accounts.people.membership import get_owner_principal

        owner: Principal = get_owner_principal(session)
        track_products(session, owner, [LAMP])
        store_observations(session, make_observation(listing=make_listing()))
    return endpoint


# The SDK's own client


def test_the_sdks_client_works_over_stdio_by_the_token_of_the_environment(
    lamp: McpEndpoint, tmp_path: Path
) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mcp_server"],
        env={**os.environ, "AMAZCOPE_TOKEN": lamp.token, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
    )

    async def work() -> None:
        async with Client(stdio_client(server)) as client:
            assert {each.name for each in (await client.list_tools()).tools} == set(TOOLS)
            found = await client.call_tool("search_products", {"search": "lamp"})
            assert found.structured_content is not None
            assert found.structured_content["total"] == 1
            [content] = (await client.read_resource(f"product://US/{LAMP}")).contents
            assert json.loads(content.text)["price"]["value"] == 20.0
            prompt = await client.get_prompt("competitor_watch", {"product": LAMP})
            assert f"US:{LAMP}" in prompt.messages[0].content.text

    loops.run(work)


def test_without_a_token_stdio_ends_with_a_sentence(lamp: McpEndpoint) -> None:
    started = subprocess.run(
        [sys.executable, "-m", "mcp_server"],
        cwd=ROOT,
        env=os.environ | {"AMAZCOPE_TOKEN": "amz_wrong"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode == 1
    assert started.stdout == ""
    assert "No valid API token" in started.stderr
    assert "Traceback" not in started.stderr


def test_the_sdks_client_works_over_http(lamp: McpEndpoint) -> None:
    async def work(client: Client) -> tuple[int, str]:
        prompts = (await client.list_prompts()).prompts
        [content] = (await client.read_resource("product://list")).contents
        return len(prompts), content.text

    count, text = lamp.with_client(work)
    assert count == len(PROMPTS)
    assert json.loads(text)["total"] == 1


# The Inspector


def inspect(programs: Programs, home: Path, *arguments: str) -> Any:
    """Return the Inspector's output. Fails when it is not content."""
    patient = ("--connect-timeout", "90000")  # milliseconds, on a busy machine
    result = programs.run(
        "mcp-inspector", "--cli", *arguments, *patient, "--format", "json", home=home
    )
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    return json.loads(result.stdout)["result"]


def test_the_inspector_works_over_http_and_finds_no_fault_in_the_schemas(
    programs: Programs, lamp: McpEndpoint, tmp_path: Path
) -> None:
    over_http = (
        *("--server-url", lamp.url, "--transport", "http"),
        *("--header", f"Authorization: Bearer {lamp.token}"),
    )
    tools = inspect(programs, tmp_path, *over_http, "--method", "tools/list", "--strict")
    assert {each["name"] for each in tools["tools"]} == set(TOOLS)
    call = ("--method", "tools/call", "--tool-name", "get_product_details")
    found = inspect(programs, tmp_path, *over_http, *call, "--tool-arg", f"product={LAMP}")
    assert found["structuredContent"]["price"]["value"] == 20.0
    address = ("--method", "resources/read", "--uri", f"product://US/{LAMP}")
    [content] = inspect(programs, tmp_path, *over_http, *address)["contents"]
    assert json.loads(content["text"])["asin"] == LAMP


def test_the_inspector_works_over_stdio(
    programs: Programs, lamp: McpEndpoint, tmp_path: Path
) -> None:
    server = (sys.executable, "-m", "mcp_server", "--cwd", str(ROOT))
    environment = ("-e", f"AMAZCOPE_TOKEN={lamp.token}")
    for name in ("DATABASE_URL", "AMAZCOPE_DATA_DIR"):
        environment += ("-e", f"{name}={os.environ[name]}")
    asked = ("--method", "prompts/get", "--prompt-name", "diagnose_rank_drop")
    arguments = ("--prompt-args", f"product={LAMP}")
    found = inspect(programs, tmp_path, *server, *environment, *asked, *arguments)
    assert f"US:{LAMP}" in found["messages"][0]["content"]["text"]


# The conformance suite


@pytest.fixture
def open_endpoint(committed_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that asks for no token."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.mcp_server.open_endpoint", str(port)],
        cwd=ROOT,
        env=os.environ | {"AMAZCOPE_MCP_PORT": str(port)},
    )
    try:
        _wait_for(server, f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.terminate()
        server.wait(120)


def _wait_for(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server did not start"
        try:
            if httpx2.get(address).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)


def test_the_conformance_suite_is_content_with_all_that_applies(
    programs: Programs, open_endpoint: str, tmp_path: Path
) -> None:
    result = programs.run(
        *("conformance", "server", "--url", open_endpoint, "--suite", "all"), home=tmp_path
    )
    verdicts = {
        name: (int(passed), int(failed))
        for name, passed, failed in re.findall(
            r"^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed", result.stdout, flags=re.MULTILINE
        )
    }
    assert set(verdicts) == APPLICABLE | set(NOT_APPLICABLE), result.stderr[-2000:]
    wrong = {name: verdicts[name] for name in APPLICABLE if not _is_right(*verdicts[name])}
    assert wrong == {}, result.stdout[-4000:]


def _is_right(passed: int, failed: int) -> bool:
    return passed > 0 and failed == 0
