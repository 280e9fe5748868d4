"""What the token's owner follows, as agents list it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.access.permissions import Role as PersonRole
from core.tracking.competitors.service import add_competitor
from core.tracking.rules import Role
from core.tracking.service import pause
from tests.factories.observations import (
    hours_ago,
    make_price_observation,
    store_observation,
    store_observations,
)
from tests.factories.people import add_colleague
from tests.factories.products import KETTLE, LAMP, make_listing, track_products
from tests.mcp_server.conftest import Agent, active, agent_of
from tests.mcp_server.shop import KETTLE_NAME, NAME


@pytest.fixture
def shelf(session: Session, principal: Principal) -> list[int]:
    """An own lamp for the season, and a competitor's kettle whose fetching is paused."""
    [lamp] = track_products(session, principal, [LAMP], role=Role.OWN, tags=("season",))
    [kettle] = track_products(session, principal, [KETTLE], role=Role.COMPETITOR)
    pause(session, principal, [kettle], datetime.now(UTC))
    store_observation(session, hours_ago(1), listing=make_listing())
    return [lamp, kettle]


def names(agent: Agent, **asked: object) -> list[str]:
    return [row["product"] for row in agent.call("get_my_products", **asked)["products"]]


@pytest.mark.usefixtures("shelf")
def test_a_list_is_narrowed_by_role_tag_state_and_pause(agent: Agent) -> None:
    assert sorted(names(agent)) == [NAME, KETTLE_NAME]
    assert names(agent, roles=["own"]) == [NAME]
    assert names(agent, tags=["season"]) == [NAME]
    assert names(agent, states=["unknown"]) == [KETTLE_NAME]
    assert names(agent, paused=True) == [KETTLE_NAME]
    assert names(agent, paused=False) == [NAME]
    # A state and a pause narrow together.
    assert names(agent, paused=False, states=["unknown"]) == []


@pytest.mark.usefixtures("shelf")
def test_the_search_is_narrowed_by_role_too(agent: Agent) -> None:
    found = agent.call("search_products", roles=["competitor"])["products"]
    assert [row["product"] for row in found] == [KETTLE_NAME]


@pytest.mark.usefixtures("shelf")
def test_only_what_the_owner_follows_is_theirs(session: Session, principal: Principal) -> None:
    seller = active(session, add_colleague(session, principal), PersonRole.SELLER)
    other = agent_of(session, seller)
    assert other.call("get_my_products")["total"] == 0
    assert "`track_products`" in other.words("get_my_products")
    track_products(session, seller, [LAMP], role=Role.WATCHED, tags=("mine",))
    [row] = other.call("get_my_products")["products"]
    assert (row["role"], row["tags"]) == ("watched", {"untrusted": ["mine"]})


def test_a_row_has_a_reason_for_each_null(
    session: Session, principal: Principal, agent: Agent
) -> None:
    track_products(session, principal, [LAMP, KETTLE, "B0TEST0009"])
    store_observation(session, hours_ago(1))
    none = replace(make_price_observation(KETTLE, hours_ago(1)), price=None, price_basis=None)
    store_observations(session, none, now=hours_ago(0))
    found = {row["asin"]: row for row in agent.call("get_my_products")["products"]}
    assert found[LAMP]["why_unknown"] == {}
    assert found[KETTLE]["why_unknown"] == {
        "price": "none on the page",
        "rank": "not reported",
        "rating": "not reported",
        "ratings_count": "not reported",
        "availability": "not reported",
    }
    nothing = found["B0TEST0009"]
    assert set(nothing["why_unknown"].values()) == {"never fetched: due now"}
    names = {"price", "rank", "rating", "ratings_count", "availability"}
    assert set(nothing["why_unknown"]) == names
    for row in found.values():
        assert {name for name in names if row[name] is None} == set(row["why_unknown"])


def test_a_value_older_than_the_newest_observation_bears_its_own_time(
    session: Session, principal: Principal, agent: Agent
) -> None:
    lamp, kettle = track_products(session, principal, [LAMP, KETTLE])
    add_competitor(session, principal, kettle, lamp, hours_ago(1))
    store_observation(session, hours_ago(40))
    store_observations(session, make_price_observation(LAMP, hours_ago(1)), now=hours_ago(0))
    then = f"{hours_ago(40):%Y-%m-%dT%H:%MZ}"
    older = dict.fromkeys(("rank", "rating", "ratings_count", "availability"), then)
    row = next(each for each in agent.call("get_my_products")["products"] if each["asin"] == LAMP)
    assert (row["looked_at"], row["rank"]) == (f"{hours_ago(1):%Y-%m-%dT%H:%MZ}", 500)
    assert row["seen_earlier"] == older
    rival = agent.call("get_competitor_analysis", product=KETTLE_NAME)["competitors"][0]
    assert rival["seen_earlier"] == older


def test_paging_loses_and_repeats_nothing(
    session: Session, principal: Principal, agent: Agent
) -> None:
    asins = [f"B0PAGE{number:04d}" for number in range(23)]
    track_products(session, principal, asins)
    for number, asin in enumerate(asins[:9]):
        store_observation(session, hours_ago(1), asin, price=1000 + number % 3)
    seen: list[str] = []
    cursor = None
    while True:
        page = agent.call("get_my_products", limit=5, sort="price", cursor=cursor)
        assert page["total"] == 23
        seen += [row["asin"] for row in page["products"]]
        cursor = page["next_cursor"]
        assert page["truncated"] == (cursor is not None)
        if cursor is None:
            break
    assert len(seen) == 23
    assert sorted(seen) == asins


def test_a_cursor_of_another_question_is_refused(
    session: Session, principal: Principal, agent: Agent
) -> None:
    track_products(session, principal, [LAMP, KETTLE])
    cursor = agent.call("get_my_products", limit=1)["next_cursor"]
    refusal = agent.refusal("get_my_products", limit=1, roles=["own"], cursor=cursor)
    assert "This cursor does not belong to this list" in refusal
    assert "does not belong to this list" in agent.refusal("list_changes", limit=1, cursor=cursor)
