"""Every tool, fed from its own schema and beyond it by a real client, answers or explains."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, CallToolResult
from mcp_types import Tool as Listed
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role, Scope, Via
from core.accounts.models import ApiToken, Person
from core.agents.models import AgentCall
from core.suggestions.proposals.draft import Draft, DraftAction
from core.suggestions.proposals.propose import propose_by_name
from core.suggestions.rules import Change, Direction, Metric
from core.tracking.rules import Role as Owned
from core.tracking.service import NewTracking, track
from jobs.tasks import dispatch_runs
from mcp_server.protocol.tools import TOOLS
from mcp_server.server import make_server
from tests.factories.alerts import add_incident
from tests.factories.observations import make_observation, store_observations
from tests.factories.people import add_stranger
from tests.factories.products import KETTLE, LAMP, make_listing, track_products
from tests.factories.suggestions import suggest
from tests.mcp_server.conftest import agent_of, words_of
from tests.mcp_server.fixed_caller import FixedCaller
from tests.mcp_server.from_schema import arguments_of
from tests.mcp_server.tools.test_proposals import WRITES
from tests.mcp_server.valid_arguments import valid_arguments

SECRET = "Zq7onlyours"  # stands in everything that another team has
THEIRS = "B0THEIRS01"
LEAKS = (
    SECRET,
    "Traceback",
    "psycopg",
    "sqlalchemy",
    "pydantic",
    "FROM tracking",
    "FROM product",
    "INSERT INTO ",
    "unnest(",
    'File "/',
)


@dataclass
class Fuzzed:
    """A connected client, with the tools as it lists them, in a world with another team."""

    portal: BlockingPortal
    client: Client
    tools: dict[str, Listed]
    known: tuple[str, ...]
    number: int  # of a suggestion

    def arguments(self, tool: str) -> st.SearchStrategy[dict[str, Any]]:
        """Return what a tool is given: good and bad, and now and then what it answers."""
        usual = arguments_of(self.tools[tool].input_schema, self.known)
        return usual | st.just(valid_arguments(tool, self.number))

    def call(self, tool: str, arguments: dict[str, Any]) -> CallToolResult | MCPError:
        """Call a tool; an error of the protocol is returned."""
        try:
            return self.portal.call(self.client.call_tool, tool, arguments)
        except MCPError as error:
            return error


@pytest.fixture
def fuzzed(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fuzzed]:
    monkeypatch.setattr(dispatch_runs, "fetch_now", lambda: None)
    monkeypatch.setenv("AMAZCOPE_MCP_CALLS_PER_MINUTE", "60000")
    [lamp] = track_products(session, principal, [LAMP], role=Owned.OWN)
    track_products(session, principal, [KETTLE])
    add_incident(session, principal, lamp, id=1)
    now = datetime.now(UTC)
    lately = make_observation(at=now - timedelta(hours=1), listing=make_listing())
    store_observations(session, lately, make_observation(KETTLE, price=1500), now=now)
    known = (f"US:{LAMP}", KETTLE, f"https://www.amazon.com/dp/{LAMP}", *others(session))
    session.commit()
    agent = Principal(
        principal.person_id,
        principal.team_id,
        "Agent",
        "UTC",
        Role.MANAGER,
        via=Via.TOOL,
        scopes=frozenset(Scope),
    )
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(make_server(FixedCaller(agent)))) as client,
    ):
        listed = portal.call(client.list_tools).tools
        tools = {each.name: each for each in listed}
        yield Fuzzed(portal, client, tools, known, suggesting(session, agent))


def suggesting(session: Session, agent: Principal) -> int:
    """Propose something for the lamp; return the suggestion's id."""
    draft = Draft(
        title="Ask for a little less",
        reasoning=WRITES["create_suggestion"]["reasoning"],
        actions=(DraftAction(Change.UPDATE_PRICE, "It may sell better.", Decimal(18)),),
        metric=Metric.BSR,
        direction=Direction.IMPROVES,
        window_days=14,
    )
    now = datetime.now(UTC)
    number = propose_by_name(session, agent, f"US:{LAMP}", draft, now).suggestion_id
    session.commit()
    assert number is not None
    return number


def others(session: Session) -> tuple[str, ...]:
    """Make another team with products, tags, notes and advice; return how they are named."""
    them = add_stranger(session)
    person = session.get_one(Person, them.person_id)
    person.name, person.mail, person.state = SECRET, f"{SECRET}@others.example", "active"
    session.flush()
    wishes = [NewTracking("US", asin, tags=(SECRET,), note=SECRET) for asin in (THEIRS, LAMP)]
    followed = track(session, them, wishes)
    number = suggest(session, them, title=SECRET, reasoning=SECRET)
    agent_of(session, them)
    [token] = session.scalars(select(ApiToken.id).where(ApiToken.person_id == them.person_id))
    ids = {them.person_id, them.team_id, number, token, *(each.product_id for each in followed)}
    return (f"US:{THEIRS}", *map(str, ids), f"suggestions://US/{THEIRS}", f"person:{person.id}")


@pytest.mark.hypothesis
@pytest.mark.parametrize("tool", TOOLS)
def test_whatever_a_tool_is_given_it_answers_or_refuses_with_a_reason(
    fuzzed: Fuzzed, session: Session, tool: str
) -> None:
    listed = fuzzed.tools[tool]
    answers = Draft202012Validator(listed.output_schema or {})

    @settings(database=None, suppress_health_check=list(HealthCheck))
    @given(fuzzed.arguments(tool))
    def check(arguments: dict[str, Any]) -> None:
        result = fuzzed.call(tool, arguments)
        if isinstance(result, MCPError):
            assert result.error.code != INTERNAL_ERROR, (arguments, result)
            assert_clean(str(result))
        elif result.is_error:
            assert_in_words(words_of(result))
        else:
            answers.validate(result.structured_content)
            assert_clean(words_of(result))
            assert_clean(orjson.dumps(result.structured_content).decode())

    # Before chance has changed anything: what is valid is answered, what isn't is refused.
    valid = valid_arguments(tool, fuzzed.number)
    assert [is_answered(fuzzed.call(tool, each)) for each in (valid, valid | {"x": 1})] == [1, 0]
    check()
    outcomes = set(session.scalars(select(AgentCall.outcome).where(AgentCall.name == tool)))
    assert outcomes <= {"answered", "refused"}


@settings(database=None, suppress_health_check=list(HealthCheck))
@given(name=st.text(max_size=300))
def test_an_unknown_tool_is_refused_in_words(fuzzed: Fuzzed, name: str) -> None:
    result = fuzzed.call(name, {})
    if isinstance(result, CallToolResult):
        assert result.is_error
        assert_in_words(words_of(result))


def is_answered(result: CallToolResult | MCPError) -> bool:
    """True for an answer, False for a refusal in words. Fails for an error of the protocol."""
    assert isinstance(result, CallToolResult), result
    return not result.is_error


def assert_in_words(answer: str) -> None:
    """Fail for a refusal that no caller could act on."""
    assert not answer.startswith("Error executing"), answer
    assert len(answer.split()) >= 3, answer
    assert len(answer) < 5000, answer[:500]
    assert_clean(answer)


def assert_clean(answer: str) -> None:
    """Fail for what is of another team, or of our inside."""
    assert [leak for leak in LEAKS if leak in answer] == [], answer[:2000]
