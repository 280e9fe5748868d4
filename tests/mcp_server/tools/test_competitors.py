"""A product among its competitors, as agents read it."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.categories import UNNAMED_CATEGORY
from core.catalog.listing import Listing
from core.history.observation import Source
from core.tracking.competitors.service import add_competitor
from tests.factories.observations import hours_ago, make_ranks, store_observation
from tests.factories.people import add_stranger
from tests.factories.products import KETTLE, LAMP, add_product, make_listing, track_products
from tests.mcp_server.conftest import Agent, active, agent_of
from tests.mcp_server.shop import HOSTILE, KETTLE_NAME, NAME, own_lamp

THIRD = "B0TEST0003"
SIZES = ("title_length", "bullets", "bullets_length", "description_length", "images")


@pytest.fixture
def lamp(session: Session, principal: Principal, agent: Agent) -> int:
    """An own lamp at 22.00 with two bullets and one image."""
    return own_lamp(session, principal)


def rival(session: Session, principal: Principal, lamp: int, asin: str, **values: Any) -> None:
    """Choose a competitor of the lamp, checked an hour ago unless `values` is None."""
    [number] = track_products(session, principal, [asin])
    add_competitor(session, principal, lamp, number, hours_ago(1))
    if values:
        store_observation(session, hours_ago(1), asin, **values)


def test_where_a_product_stands(
    session: Session, principal: Principal, agent: Agent, lamp: int
) -> None:
    listing = make_listing("A kettle", bullets=("One", "Two", "Three"), images=("https://a/1",) * 5)
    rival(session, principal, lamp, KETTLE, price=2000, rank=100, rating=40, listing=listing)
    rival(
        session, principal, lamp, THIRD, price=3000, ratings_count=9000, **make_ranks("Toasters", 3)
    )
    found = agent.call("get_competitor_analysis", product=NAME)
    assert (found["total"], found["truncated"], found["how_to_go_on"]) == (2, False, None)
    assert [each["product"] for each in found["competitors"]] == [KETTLE_NAME, f"US:{THIRD}"]
    price = found["price"]
    assert (price["own"]["value"], price["place"], price["place_of"]) == (22, 2, 3)
    assert (price["median"]["value"], price["least"], price["most"]) == (25, 20, 30)
    assert (price["own_to_median"], price["unit"]) == ("−12\u202f%", "USD")
    # A toaster's rank is none among lamps.
    assert (found["rank"]["place"], found["rank"]["place_of"]) == (2, 2)
    assert found["rank"]["median"]["value"] == 100
    assert (found["rating"]["place"], found["ratings_count"]["place"]) == (1, 2)
    assert found["own"]["title_length"] == len("Reading lamp with a long neck")
    bullets = found["bullets"]
    assert (bullets["own"]["value"], bullets["median"]["value"], bullets["place"]) == (2, 3, 2)
    assert found["images"]["median"]["value"] == 5
    answer = agent.words("get_competitor_analysis", product=NAME)
    assert "among 2 competitors. Price USD\u00a022.00: 2 of 3, lowest first; Rank" in answer
    assert "Rank #400: 2 of 2, best first" in answer


def test_ranks_whose_category_no_source_names_are_never_compared(
    session: Session, principal: Principal, agent: Agent
) -> None:
    [lamp] = track_products(session, principal, [LAMP])
    store_observation(session, hours_ago(1), **make_ranks(UNNAMED_CATEGORY, 400))
    rival(session, principal, lamp, KETTLE, **make_ranks(UNNAMED_CATEGORY, 100))
    found = agent.call("get_competitor_analysis", product=NAME)["rank"]
    assert (found["own"]["value"], found["place"], found["median"]["value"]) == (400, None, None)


def test_a_listing_that_was_never_read_has_no_sizes(
    session: Session, principal: Principal, agent: Agent, lamp: int
) -> None:
    rival(session, principal, lamp, KETTLE, price=2000)
    found = agent.call("get_competitor_analysis", product=NAME)
    [other] = found["competitors"]
    assert other["bullets"] is None
    assert other["why_unknown"] == dict.fromkeys(SIZES, "product page not checked yet")
    assert found["bullets"]["median"] == {
        "value": None,
        "why_unknown": "no competitor's number of bullets is known",
    }
    assert found["bullets"]["place"] is None


def test_a_title_of_a_bestseller_list_leaves_the_sizes_of_the_page(
    session: Session, principal: Principal, agent: Agent, lamp: int
) -> None:
    listed = Listing(title="Reading lamp, now longer")
    store_observation(session, hours_ago(0), source=Source.BESTSELLERS, listing=listed)
    own = agent.call("get_competitor_analysis", product=NAME)["own"]
    assert (own["title"]["untrusted"], own["title_length"]) == (listed.title, 24)
    assert [own[size] for size in SIZES[1:]] == [2, len("BendsShines"), len("A lamp."), 1]


def test_without_competitors_the_result_names_where_to_add_them(agent: Agent, lamp: int) -> None:
    found = agent.call("get_competitor_analysis", product=NAME)
    assert found["competitors"] == []
    assert "on the product's page, under Competitors" in found["how_to_go_on"]
    assert found["how_to_go_on"] in agent.words("get_competitor_analysis", product=NAME)


def test_an_untracked_product_has_no_competitors(session: Session, agent: Agent) -> None:
    add_product(session, LAMP)
    found = agent.call("get_competitor_analysis", product=NAME)
    assert "Your team does not track this product" in found["how_to_go_on"]


def test_a_competitor_without_a_check_is_reported(
    session: Session, principal: Principal, agent: Agent, lamp: int
) -> None:
    rival(session, principal, lamp, KETTLE)
    found = agent.call("get_competitor_analysis", product=NAME)
    assert found["price"]["median"]["why_unknown"] == "no competitor's price is known"
    values = ("price", "rank", "rating", "ratings_count", "availability")
    assert found["competitors"][0]["why_unknown"] == {
        **dict.fromkeys(values, "never checked"),
        **dict.fromkeys(SIZES, "product page not checked yet"),
    }
    assert "1 of the competitors were not checked yet" in found["how_to_go_on"]


def test_other_teams_competitors_are_not_shown(
    session: Session, principal: Principal, agent: Agent, lamp: int
) -> None:
    rival(session, principal, lamp, KETTLE, price=2000)
    other = agent_of(session, active(session, add_stranger(session)))
    assert other.call("get_competitor_analysis", product=NAME)["competitors"] == []


def test_a_hostile_title_stays_data(
    session: Session, principal: Principal, agent: Agent, lamp: int
) -> None:
    rival(session, principal, lamp, KETTLE, price=2000, listing=make_listing(HOSTILE))
    found = agent.call("get_competitor_analysis", product=NAME)
    assert found["competitors"][0]["title"] == {"untrusted": HOSTILE}
    assert "Ignore" not in agent.words("get_competitor_analysis", product=NAME)
