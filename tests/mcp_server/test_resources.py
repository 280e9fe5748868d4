"""What lies at the addresses of resources, and how a wrong address is refused."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, INVALID_REQUEST
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role, Scope
from core.agents.models import AgentCall
from core.field_reference import PRODUCT, SNAPSHOT
from core.glossary import GLOSSARY
from core.history.models import Snapshot
from mcp_server.protocol import resources
from mcp_server.results.product_details import ProductDetails
from tests.factories.observations import make_observation, store_observations
from tests.factories.people import add_colleague
from tests.factories.products import KETTLE, LAMP, make_listing, track_products
from tests.mcp_server.conftest import Agent, active, agent_of

HERE = "product://US/B0TEST0001"


def read(agent: Agent, uri: str) -> Any:
    """Return what lies at an address. Fails when it is no JSON, or has another media type."""

    async def work(client: Client) -> Any:
        return (await client.read_resource(uri)).contents

    [content] = agent.with_client(work)
    assert content.mime_type == "application/json"
    return json.loads(content.text)


def refused(agent: Agent, uri: str) -> MCPError:
    return agent.error(lambda client: client.read_resource(uri))


def test_every_resource_is_listed_with_what_it_holds(agent: Agent) -> None:
    async def work(client: Client) -> Any:
        plain = (await client.list_resources()).resources
        return plain, (await client.list_resource_templates()).resource_templates

    plain, templates = agent.with_client(work)
    assert {str(each.uri) for each in plain} == {
        "alerts://active",
        "product://list",
        "metrics://summary",
        "schema://product",
        "glossary://terms",
    }
    assert "product://{marketplace}/{asin}" in {each.uri_template for each in templates}
    assert all(each.description and each.title for each in [*plain, *templates])
    assert {each.mime_type for each in [*plain, *templates]} == {"application/json"}


def test_a_product_is_what_its_tool_answers(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observations(session, make_observation(listing=make_listing()))
    there = read(agent, HERE)
    assert there["price"]["value"] == 20.0
    assert there["title"] == {"untrusted": "Reading lamp with a long neck"}
    tool = agent.call("get_product_details", product="US:B0TEST0001")
    assert there.keys() == tool.keys()
    assert {name: there[name] for name in there if name != "next_fetch"} == {
        name: tool[name] for name in tool if name != "next_fetch"
    }
    assert read(agent, "product://us/b0test0001")["asin"] == LAMP


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("product://US/B0NOTHERE1", "is not in Amazcope"),
        ("product://XX/B0TEST0001", "is not a product"),
        ("product://US/lamp", "is not a product"),
        ("product://US/..%2F..%2Fetc", "is not a product"),
        ("product://US/https%3A%2F%2Fwww.amazon.de%2Fdp%2FB0TEST0001", "is not a product"),
        ("product://US/B0TEST0001/more", "There is no resource"),
        ("file:///etc/passwd", "There is no resource"),
        ("product://" + "x" * 70_000, "There is no resource"),
        ("", "There is no resource"),
    ],
)
def test_a_wrong_address_is_refused_in_words(agent: Agent, uri: str, words: str) -> None:
    refusal = refused(agent, uri)
    assert refusal.code == INVALID_PARAMS
    assert words in refusal.message
    assert len(refusal.message) < 600


@given(uri=st.one_of(st.text(max_size=300), st.from_regex(r"product://[^/]{0,9}/[^/]{0,40}")))
def test_no_address_is_a_fault(uri: str) -> None:
    with suppress(MCPError):
        declared, named = resources._find_resource(uri)
        assert set(named) == set(declared.template.variable_names)


def test_the_list_has_its_total_and_goes_on_in_the_search(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [f"B0MANY{number:04}" for number in range(103)])
    found = read(agent, "product://list")
    assert (found["total"], len(found["products"]), found["truncated"]) == (103, 100, True)
    rest = agent.call("search_products", limit=100, cursor=found["next_cursor"])
    names = [row["product"] for row in found["products"] + rest["products"]]
    assert len(set(names)) == 103


def test_a_seller_reads_their_own_list(session: Session, principal: Principal) -> None:
    track_products(session, principal, [KETTLE])
    seller = active(session, add_colleague(session, principal), Role.SELLER)
    track_products(session, seller, [LAMP])
    found = read(agent_of(session, seller), "product://list")
    assert [row["asin"] for row in found["products"]] == [LAMP]


def test_the_summary_has_counts_and_freshness(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP, KETTLE])
    store_observations(session, make_observation())
    found = read(agent, "metrics://summary")
    assert found["mine"]["followed"] == {"count": 2, "is_exact": True}
    assert found["team"]["by_state"]["in_stock"]["count"] == 1
    assert found["team"]["by_state"]["unknown"]["count"] == 1
    assert found["team"]["last_look"] == "2026-03-02T12:00Z"
    assert found["suggestions_waiting"] == 0
    assert found["as_of"].endswith("Z")


def test_the_schema_explains_every_field_there_is(agent: Agent) -> None:
    found = read(agent, "schema://product")
    sent = {name for name, each in ProductDetails.model_fields.items() if not each.exclude}
    assert {row["name"] for row in found["product"]} == sent
    columns = set(Snapshot.__table__.columns.keys()) - {"product_id"}
    assert {row["name"] for row in found["snapshot"]} == columns
    assert len(found["product"]) + len(found["snapshot"]) == len(PRODUCT) + len(SNAPSHOT)


def test_the_schema_explains_null_where_a_column_may_be_null() -> None:
    may_be_null = {column.name: column.nullable for column in Snapshot.__table__.columns}
    wrong = [each.name for each in SNAPSHOT if bool(each.when_null) != may_be_null[each.name]]
    assert wrong == []


def test_the_glossary_is_the_one_of_the_project(agent: Agent) -> None:
    found = read(agent, "glossary://terms")
    assert [each["subject"] for each in found["subjects"]] == [each.title for each in GLOSSARY]
    assert found["subjects"][0]["terms"][0]["word"] == "ASIN"


def test_a_read_is_in_the_access_log(session: Session, agent: Agent) -> None:
    read(agent, "glossary://terms")
    refused(agent, "product://US/lamp")
    calls = session.scalars(select(AgentCall).order_by(AgentCall.id)).all()
    assert [(each.method, each.name, each.outcome) for each in calls] == [
        ("resources/read", "glossary://terms", "answered"),
        ("resources/read", "product://US/lamp", "refused"),
    ]


def test_a_token_without_the_scope_reads_nothing(session: Session, principal: Principal) -> None:
    blind = agent_of(session, principal, Scope.ACT)
    for uri in ("glossary://terms", "product://list", HERE, "metrics://summary"):
        refusal = refused(blind, uri)
        assert refusal.code == INVALID_REQUEST
        assert "lacks the scope read" in refusal.message
