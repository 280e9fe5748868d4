"""What a client is offered while a user types an argument."""

from mcp import Client
from mcp_types import Completion, PromptReference, ResourceTemplateReference
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Scope
from mcp_server.protocol.completion import MAX_COMPLETIONS
from tests.factories.observations import make_observation, store_observations
from tests.factories.products import LAMP, make_listing, track_products
from tests.mcp_server.conftest import Agent, agent_of

TEMPLATE = ResourceTemplateReference(type="ref/resource", uri="product://{marketplace}/{asin}")
PROMPT = PromptReference(type="ref/prompt", name="diagnose_rank_drop")


def offered(
    agent: Agent,
    ref: ResourceTemplateReference | PromptReference,
    name: str,
    typed: str,
    known: dict[str, str] | None = None,
) -> Completion:
    async def work(client: Client) -> Completion:
        argument = {"name": name, "value": typed}
        return (await client.complete(ref, argument, known)).completion

    found: Completion = agent.with_client(work)
    assert len(found.values) <= MAX_COMPLETIONS
    return found


def test_marketplaces_where_something_is_followed_come_first(
    session: Session, agent: Agent
) -> None:
    track_products(session, agent.principal, [LAMP], "JP")
    everywhere = offered(agent, TEMPLATE, "marketplace", "")
    assert (everywhere.values[0], everywhere.total, everywhere.has_more) == ("JP", 23, True)
    assert offered(agent, TEMPLATE, "marketplace", "ger").values == ["DE"]
    assert offered(agent, TEMPLATE, "marketplace", "u").values == ["US", "UK", "AE"]


def test_asins_are_those_of_the_marketplace_chosen_before(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP], "US")
    track_products(session, agent.principal, ["B0TEST0009"], "DE")
    assert offered(agent, TEMPLATE, "asin", "b0t").values == [LAMP, "B0TEST0009"]
    assert offered(agent, TEMPLATE, "asin", "b0t", {"marketplace": "DE"}).values == ["B0TEST0009"]
    assert offered(agent, TEMPLATE, "asin", "X").values == []


def test_more_than_are_shown_are_counted(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [f"B0MANY{number:04}" for number in range(30)])
    found = offered(agent, TEMPLATE, "asin", "B0MANY")
    assert (len(found.values), found.total, found.has_more) == (MAX_COMPLETIONS, 30, True)


def test_a_product_is_offered_by_its_name_its_asin_or_words_of_its_title(
    session: Session, agent: Agent
) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observations(session, make_observation(listing=make_listing()))
    for typed in ("", "US:", "us:b0", "B0TEST", "reading la"):
        assert offered(agent, PROMPT, "product", typed).values == [f"US:{LAMP}"], typed
    for typed in ("DE:B0", "%", "_", "'", "B0TEST0001X", "kettle", "\x00", "ｌａｍｐ"):
        assert offered(agent, PROMPT, "product", typed).values == [], typed


def test_what_nothing_is_known_of_has_no_completions(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    unknown = PromptReference(type="ref/prompt", name="no_such_prompt")
    assert offered(agent, unknown, "product", "").values == []
    assert offered(agent, PROMPT, "days", "3").values == []
    assert offered(agent, PROMPT, "asin", "B0").values == []
    briefing = PromptReference(type="ref/prompt", name="daily_briefing")
    assert offered(agent, briefing, "whose", "t").values == ["team"]


def test_what_strangers_follow_is_not_offered(session: Session, agent: Agent) -> None:
    store_observations(session, make_observation(listing=make_listing()))
    assert offered(agent, PROMPT, "product", "").values == []
    assert offered(agent, PROMPT, "product", "reading").values == []


def test_a_token_without_the_scope_is_offered_nothing(
    session: Session, principal: Principal
) -> None:
    blind = agent_of(session, principal, Scope.ACT)
    error = blind.error(lambda client: client.complete(PROMPT, {"name": "product", "value": ""}))
    assert "lacks the scope read" in error.message
