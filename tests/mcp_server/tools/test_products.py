"""Lists of products and one product, as agents read them: empty lists, orders, old values."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.history.observation import Availability, Seen
from core.tracking.rules import Role
from core.tracking.sellers.models import OwnSellerRow
from tests.factories.observations import (
    EVERYTHING,
    days_ago,
    hours_ago,
    make_price_observation,
    store_observation,
    store_observations,
)
from tests.factories.products import KETTLE, LAMP, make_listing, track_products
from tests.mcp_server.conftest import Agent
from tests.mcp_server.shop import KETTLE_NAME, NAME, NEVER_SEEN
from tests.mcp_server.tools.test_checks import schedule


def nothing_but_gone(session: Session) -> None:
    """Store a check of an hour ago that found no page: it has no price and no rank."""
    values = {"seen": Seen.AVAILABILITY, "availability": Availability.GONE}
    observation = make_price_observation(LAMP, hours_ago(1), price=None, price_basis=None, **values)
    store_observations(session, observation, now=hours_ago(0.9))


def gone_lamp(session: Session, agent: Agent) -> None:
    """Follow a lamp that sold for 20.00 two days ago and whose page is gone since an hour."""
    [number] = track_products(session, agent.principal, [LAMP], role=Role.OWN)
    store_observation(session, days_ago(2), buy_box_seller="A shop", listing=make_listing())
    nothing_but_gone(session)
    schedule(session, number, last_outcome="not_found", looked_at=hours_ago(1))


@pytest.mark.parametrize("name", ["DE", "de", "Germany", "amazon.de"])
def test_a_marketplace_is_known_by_its_code_its_country_and_its_host(
    session: Session, agent: Agent, name: str
) -> None:
    track_products(session, agent.principal, [LAMP], "DE")
    track_products(session, agent.principal, [LAMP], "US")
    found = agent.call("search_products", marketplaces=[name])
    assert [row["product"] for row in found["products"]] == [f"DE:{LAMP}"]


def test_gb_means_uk_as_it_does_in_names_of_products(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP], "UK")
    assert agent.call("search_products", marketplaces=["GB"])["total"] == 1
    tracked = agent.call("track_products", products=[KETTLE], marketplace="GB")
    assert tracked["products"][0]["product"] == f"UK:{KETTLE}"
    refusal = agent.refusal("search_products", marketplaces=["Atlantis"])
    assert refusal.startswith("'ATLANTIS' is not one of Amazon's marketplaces. Use one of US, ")


def test_an_empty_list_suggests_a_call_that_finds_something(session: Session, agent: Agent) -> None:
    assert "No products are tracked yet. `track_products`" in agent.words("search_products")
    track_products(session, agent.principal, [LAMP])
    gone = agent.words("search_products", states=["gone"])
    assert gone == "No tracked product matches these filters. Use fewer to see others."
    assert "Try fewer words" in agent.words("search_products", search="nothing like it")


def test_an_order_by_prices_of_two_currencies_comes_with_a_warning(
    session: Session, agent: Agent
) -> None:
    """2,980 yen stand between 29.00 and 30.00 dollars: a list sorts what is stored."""
    track_products(session, agent.principal, [LAMP, KETTLE])
    track_products(session, agent.principal, [LAMP], "JP")
    store_observation(session, hours_ago(1), price=2900)
    store_observation(session, hours_ago(1), KETTLE, price=3000)
    store_observation(session, hours_ago(1), marketplace="JP", price=2980)
    answer = agent.words("search_products", sort="price")
    assert "The order by price mixes JPY, USD: filter by `marketplaces` of one cur" in answer
    assert "mixes" not in agent.words("search_products", sort="price", marketplaces=["US"])
    assert "mixes" not in agent.words("search_products", sort="rank")


def test_a_value_older_than_the_newest_observation_has_its_time_in_the_sentence(
    session: Session, agent: Agent
) -> None:
    gone_lamp(session, agent)
    since = f"(last seen {days_ago(2):%Y-%m-%dT%H:%MZ})"
    answer = agent.words("get_product_details", product=NAME)
    assert f"USD\u00a020.00 {since}, rank #500 in «Lamps» {since}" in answer
    assert f"4.5 stars of 1,000 ratings {since}, page gone; checked" in answer
    track_products(session, agent.principal, [KETTLE])
    store_observation(session, hours_ago(1), KETTLE)
    both = agent.words("compare_products", products=[NAME, KETTLE_NAME])
    assert both.count(since) == 3
    assert "(last seen" not in agent.words("get_product_details", product=KETTLE_NAME)


def test_no_seller_holds_the_buy_box_of_a_page_that_is_gone(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observation(session, days_ago(2), buy_box_seller="A shop")
    assert details(agent)["buy_box_seller"] == {"untrusted": "A shop"}
    nothing_but_gone(session)
    assert details(agent)["availability"]["value"] == "gone"
    assert details(agent)["buy_box_seller"] is None


def test_who_holds_the_buy_box_is_named_with_its_id_and_as_own(
    session: Session, agent: Agent
) -> None:
    track_products(session, agent.principal, [LAMP])
    held = {"seen": EVERYTHING | Seen.SELLER_ID, "buy_box_seller_id": "A1DEMOSELLER"}
    store_observation(session, days_ago(2), buy_box_seller="A shop", **held)
    found = details(agent)
    assert (found["buy_box_seller_id"], found["is_own_seller"]) == ("A1DEMOSELLER", None)
    session.add(
        OwnSellerRow(team_id=agent.principal.team_id, marketplace="US", seller_id="A1DEMOSELLER")
    )
    session.flush()
    assert details(agent)["is_own_seller"] is True
    nothing_but_gone(session)
    found = details(agent)
    assert (found["buy_box_seller_id"], found["is_own_seller"]) == (None, None)


def test_a_product_never_seen_leads_to_what_keeps_it_from_being_fetched(
    session: Session, agent: Agent
) -> None:
    track_products(session, agent.principal, ["B0TEST0009"])
    answer = agent.words("get_product_details", product=NEVER_SEEN)
    assert "no values yet, never fetched: due now. `get_fetch_status` explains why" in answer


def test_the_state_of_fetching_shows_that_the_page_is_gone(session: Session, agent: Agent) -> None:
    gone_lamp(session, agent)
    assert "Amazon has no page for this product." in agent.words("get_fetch_status", product=NAME)


def details(agent: Agent) -> dict[str, Any]:
    return agent.call("get_product_details", product=NAME)
