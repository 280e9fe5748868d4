"""The statistics of a period as agents read them."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.history.observation import Availability
from tests.factories.observations import (
    NOON,
    days_ago,
    hours_ago,
    make_price_observation,
    make_ranks,
    store_observation,
    store_observations,
)
from tests.factories.products import KETTLE, LAMP, track_products
from tests.mcp_server.conftest import Agent
from tests.mcp_server.shop import KETTLE_NAME, NAME, NEVER_SEEN, own_lamp

FIELDS = ("price", "list_price", "rank", "rating", "ratings_count")


def test_the_figures_are_those_that_were_seen(session: Session, agent: Agent) -> None:
    own_lamp(session, agent.principal)
    found = agent.call("get_statistics", product=NAME)
    price = found["price"]
    assert {name: price[name]["value"] for name in ("start", "now", "low", "high", "changes")} == {
        "start": 20,
        "now": 22,
        "low": 20,
        "high": 22,
        "changes": 1,
    }
    assert (price["change"], found["currency"]) == ("+10\u202f%", "USD")
    assert price["median"]["value"] == 20, "it is not known how long the last value held"
    assert (found["rank"]["best"]["value"], found["rank"]["change"]) == (400, "▲ 100 (−20\u202f%)")
    assert (found["rating"]["now"]["value"], found["rating"]["change"]) == (4.5, "unchanged")
    assert found["ratings_count"]["change"] == "+10"
    assert found["in_stock_share"]["value"] == 1
    assert (found["looks"], found["doubtful_looks"]["value"]) == (2, 0)
    assert found["rank_category"] == {"untrusted": "Lamps"}


def test_extremes_have_their_times_and_shares_their_meaning(session: Session, agent: Agent) -> None:
    own_lamp(session, agent.principal)
    store_observation(session, hours_ago(0.5), price=None, availability=Availability.NO_OFFERS)
    found = agent.call("get_statistics", product=NAME)
    at = hours_ago(1).strftime("%Y-%m-%dT%H:%MZ")
    assert found["price"]["high"] == {"value": 22, "why_unknown": None, "at": at}
    assert found["price"]["now"]["why_unknown"] == "none on the page"
    assert found["rank"]["best"]["at"] == at
    assert found["out_of_stock_share"]["value"] == 0  # seen once, at the end
    assert found["suppressed_share"]["value"] == 0
    assert found["price_changes_per_week"]["why_unknown"] == "less than a week observed"
    assert found["days_since_price_change"]["value"] == 0
    assert found["rank_drops"]["value"] == 1
    means = found["averages_90_days"]
    assert means["price"]["value"] == found["price"]["average"]["value"]
    assert means["rating"]["value"] == 4.5
    assert found["offers"]["now"]["why_unknown"] == "not reported in this period"
    assert (found["sub_rank_category"], found["sub_rank"]["best"]["at"]) == (None, None)
    by_day = agent.call("get_statistics", product=NAME, days=600)
    assert len(by_day["price"]["high"]["at"]) == len("2026-01-01")


def test_the_short_text_equals_the_pages(session: Session, agent: Agent) -> None:
    own_lamp(session, agent.principal)
    answer = agent.words("get_statistics", product=NAME)
    assert (
        "Price USD\u00a022.00, +10\u202f% from USD\u00a020.00, USD\u00a020.00 to USD\u00a022.00"
        in answer
    )
    assert "In stock 100\u202f% of the time · 1 price change · 2 observations." in answer


def test_every_blank_has_a_reason(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observations(session, make_price_observation(LAMP, hours_ago(1)), now=hours_ago(0))
    found = agent.call("get_statistics", product=NAME)
    for name in ("list_price", "rank", "rating", "ratings_count"):
        assert found[name]["now"] == {"value": None, "why_unknown": "not reported in this period"}
    assert found["in_stock_share"]["why_unknown"] == "not reported in this period"
    assert found["price"]["changes"]["why_unknown"] == "seen only once"
    assert found["rank_category"] is None


def test_a_period_without_an_observation_is_empty_with_a_reason(
    session: Session, agent: Agent
) -> None:
    own_lamp(session, agent.principal)
    found = agent.call("get_statistics", product=NAME, days=5, until=days_ago(100).isoformat())
    for name in FIELDS:
        assert found[name]["now"]["why_unknown"] == "nothing seen in this period"
    assert found["looks"] == 0


def test_a_product_never_seen_is_answered_with_what_to_do(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, ["B0TEST0009"])
    assert "`get_fetch_status` explains why" in agent.refusal("get_statistics", product=NEVER_SEEN)


def test_yen_are_not_divided(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP], "JP")
    store_observation(session, hours_ago(1), marketplace="JP", price=5980)
    found = agent.call("get_statistics", product=f"JP:{LAMP}")
    assert (found["price"]["now"]["value"], found["currency"]) == (5980, "JPY")


def test_a_doubtful_price_is_left_out_and_counted(session: Session, agent: Agent) -> None:
    own_lamp(session, agent.principal)
    store_observation(session, hours_ago(0.5), price=220_000, rank=400)
    found = agent.call("get_statistics", product=NAME)
    assert (found["price"]["now"]["value"], found["price"]["high"]["value"]) == (22, 22)
    assert found["doubtful_looks"]["value"] == 1


def test_the_category_is_the_one_of_the_period_not_todays(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observation(session, days_ago(40), **make_ranks("Lamps", 500))
    store_observation(session, hours_ago(1), **make_ranks("Lighting", 90))
    past = agent.call("get_statistics", product=NAME, days=5, until=days_ago(38).isoformat())
    assert past["rank_category"] == {"untrusted": "Lamps"}
    assert agent.call("get_statistics", product=NAME)["rank_category"] == {"untrusted": "Lighting"}


@pytest.mark.parametrize(("days", "resolution"), [(90, "looks"), (600, "days")])
def test_time_in_stock_is_a_share(
    session: Session, agent: Agent, days: int, resolution: str
) -> None:
    track_products(session, agent.principal, [LAMP])
    for hours in range(4):  # of one day in Los Angeles
        state = Availability.UNAVAILABLE if hours in (1, 2) else Availability.IN_STOCK
        store_observation(session, NOON + timedelta(hours=hours), availability=state)
    until = (NOON + timedelta(days=1)).isoformat()
    found = agent.call("get_statistics", product=NAME, days=days, until=until)
    assert found["resolution"] == resolution
    assert 0.3 < found["in_stock_share"]["value"] < 0.6


def test_a_whole_number_is_given_without_a_fraction_by_every_tool(
    session: Session, agent: Agent
) -> None:
    """Rank 400 is no 400.0: a text that cites it must match the evidence."""
    own_lamp(session, agent.principal)
    track_products(session, agent.principal, [KETTLE])
    compared = agent.call("compare_products", products=[NAME, KETTLE_NAME])["products"][0]
    among = agent.call("get_competitor_analysis", product=NAME)
    [change] = agent.call("list_changes", since=days_ago(2).isoformat())["changes"]
    cited = agent.call("get_suggestion_evidence", product=NAME)["evidence"]
    origin = agent.call("explain_value", product=NAME, value="rank")
    numbers = [
        compared["rank"]["now"]["value"],
        among["rank"]["own"]["value"],
        next(each["after"] for each in change["moved"] if each["what"] == "rank"),
        next(each["value"] for each in cited if each["key"] == "bsr_now"),
        origin["value"],
    ]
    assert [(number, type(number)) for number in numbers] == [(400, int)] * len(numbers)
