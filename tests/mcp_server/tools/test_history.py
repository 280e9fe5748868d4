"""What agents read of a product's rank and ratings."""

import re
from datetime import timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy.orm import Session

from core.history.observation import CategoryRank
from tests.factories.observations import (
    days_ago,
    hours_ago,
    make_change,
    make_observation,
    make_price_observation,
    make_ranks,
    store_observation,
    store_observations,
)
from tests.factories.products import LAMP, track_products
from tests.mcp_server.conftest import Agent, words_of
from tests.mcp_server.shop import HOSTILE, NAME, NEVER_SEEN, own_lamp

HISTORIES = ("get_price_history", "get_bsr_history", "get_rating_history")
A_YEAR_IS_AT_MOST = 25_000  # bytes


def test_a_rank_improves_when_its_number_falls(session: Session, agent: Agent) -> None:
    own_lamp(session, agent.principal)
    found = agent.call("get_bsr_history", product=NAME)
    figures = found["figures"]
    assert (figures["start"]["value"], figures["now"]["value"]) == (500, 400)
    assert (figures["best"]["value"], figures["worst"]["value"]) == (400, 500)
    assert figures["change"] == "▲ 100 (−20\u202f%)"
    assert found["category"] == {"untrusted": "Lamps"}
    assert (found["time_zone"], found["resolution"]) == ("UTC", "looks")
    assert found["unit"] == "place in its category, 1 is the best"


def test_points_are_steps_with_a_hole_where_there_was_no_check(
    session: Session, agent: Agent
) -> None:
    track_products(session, agent.principal, [LAMP])
    for hours in (33, 32, 31, 30, 2, 1):
        store_observation(session, hours_ago(hours), rank=500 if hours > 9 else 400)
    points = agent.call("get_bsr_history", product=NAME)["points"]
    # A check counts for 3 hours at least: at the fourth the value is unknown.
    assert [value for _, value in points] == [500, 500, None, 400, 400]
    assert points[0][0] == f"{hours_ago(33):%Y-%m-%dT%H:%M:%SZ}"
    assert points[2][0] == f"{hours_ago(27):%Y-%m-%dT%H:%M:%SZ}"


def test_a_rank_in_another_category_breaks_the_line_with_a_note(
    session: Session, agent: Agent
) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observation(session, hours_ago(3), **make_ranks("Lamps", 500))
    store_observation(session, hours_ago(2), **make_ranks("Lighting", 90))
    store_observation(
        session, hours_ago(1), **make_ranks("Lighting", 80, ("Desk", 7), ("Reading", 3))
    )
    found = agent.call("get_bsr_history", product=NAME)
    assert [value for _, value in found["points"]] == [500, 500, None, 90, 80]
    spells = [spell["category"]["untrusted"] for spell in found["category_spells"]]
    assert (spells, found["category_spells_total"]) == (["Lamps", "Lighting"], 2)
    # Rank 500 of another category is no start to compare with.
    assert found["figures"]["start"]["value"] == 90
    assert [(each["rank"], each["category"]["untrusted"]) for each in found["other_ranks_now"]] == [
        (3, "Reading"),
        (7, "Desk"),
    ]
    answer = agent.words("get_bsr_history", product=NAME)
    assert "The category changed (2 spells): compare ranks within one category only." in answer


def test_a_rank_by_day_is_broken_off_too(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    for day, category, rank in ((503, "Lamps", 500), (502, "Lamps", 450), (501, "Lighting", 90)):
        store_observation(session, days_ago(day), **make_ranks(category, rank))
    found = agent.call("get_bsr_history", product=NAME, days=600)
    assert found["resolution"] == "days"
    assert [value for _, value in found["points"]] == [500, 450, 450, None, 90]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", at) for at, _ in found["points"])
    assert [each["since"] for each in found["category_spells"]] == [
        found["points"][0][0],
        found["points"][-1][0],
    ]
    assert found["figures"]["changes"] == {"value": None, "why_unknown": "not kept by day"}
    assert found["doubtful_looks_left_out"]["why_unknown"] == "not kept by day"


def test_the_last_day_is_the_marketplaces(session: Session, agent: Agent) -> None:
    """At 20:00 UTC a day has begun in Tokyo that has not in London: its check is part of it."""
    track_products(session, agent.principal, [LAMP], "JP")
    evening = (days_ago(2)).replace(hour=20)
    for ago, price in ((timedelta(days=500), 5000), (timedelta(hours=3), 6000)):
        store_observation(session, evening - ago, marketplace="JP", price=price)
    asked = {"product": f"JP:{LAMP}", "days": 600, "until": evening.isoformat()}
    found = agent.call("get_price_history", **asked)
    assert (found["resolution"], found["figures"]["now"]["value"]) == ("days", 6000)
    tokyo = (evening - timedelta(hours=3)).astimezone(ZoneInfo("Asia/Tokyo"))
    assert found["points"][-1] == [tokyo.date().isoformat(), 6000]
    assert tokyo.date() > evening.date()


def test_stars_and_their_number_come_together(session: Session, agent: Agent) -> None:
    own_lamp(session, agent.principal)
    store_observation(session, hours_ago(0.5), rating=44, ratings_count=1012)
    found = agent.call("get_rating_history", product=NAME)
    assert (found["figures"]["start"]["value"], found["figures"]["now"]["value"]) == (4.5, 4.4)
    assert found["figures"]["change"] == "−0.1"
    counts = found["ratings_count"]
    assert [value for _, value in counts["points"]] == [1000, 1010, 1012]
    assert (counts["unit"], counts["figures"]["change"]) == ("ratings", "+12")
    assert "Number of ratings: +12." in agent.words("get_rating_history", product=NAME)


def test_a_lost_rating_is_left_out_as_doubtful_and_counted(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observation(session, hours_ago(2), ratings_count=4090)
    store_observation(session, hours_ago(1), ratings_count=135)
    counts = agent.call("get_rating_history", product=NAME)["ratings_count"]
    assert counts["figures"]["now"]["value"] == 4090
    assert counts["doubtful_looks_left_out"]["value"] == 1


@pytest.mark.parametrize("tool", HISTORIES)
def test_a_product_never_seen_is_answered_with_what_to_do(
    session: Session, agent: Agent, tool: str
) -> None:
    track_products(session, agent.principal, ["B0TEST0009"])
    refusal = agent.refusal(tool, product=NEVER_SEEN)
    assert "never fetched: due now" in refusal
    assert "`get_fetch_status`" in refusal
    assert "`trigger_product_refresh`" in refusal


@pytest.mark.parametrize("tool", HISTORIES)
def test_an_unknown_product_is_named_as_such(agent: Agent, tool: str) -> None:
    assert "US:B0UNKNOWN1 is not in Amazcope" in agent.refusal(tool, product="US:B0UNKNOWN1")


@pytest.mark.parametrize("tool", HISTORIES)
def test_a_period_without_an_observation_is_named_as_such(
    session: Session, agent: Agent, tool: str
) -> None:
    own_lamp(session, agent.principal)
    until = days_ago(30).isoformat()
    found = agent.call(tool, product=NAME, days=7, until=until)
    assert (found["points"], found["is_thinned"]) == ([], False)
    nothing = {"value": None, "why_unknown": "nothing seen in this period"}
    assert found["figures"]["now"] == nothing
    assert found["figures"]["change"] is None
    assert "nothing seen in this period" in agent.words(tool, product=NAME, days=7, until=until)


def test_what_a_source_does_not_report_is_not_called_none(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observations(session, make_price_observation(LAMP, hours_ago(1)), now=hours_ago(0))
    rank = agent.call("get_bsr_history", product=NAME)
    assert rank["figures"]["now"]["why_unknown"] == "not reported in this period"
    assert (rank["category"], rank["category_spells"]) == (None, [])
    store_observation(session, hours_ago(0.5), rank=None)
    rank = agent.call("get_bsr_history", product=NAME)
    assert rank["figures"]["now"]["why_unknown"] == "none on the page"


def test_a_hostile_category_stays_data(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observation(session, hours_ago(1), **make_ranks(HOSTILE, 5))
    found = agent.call("get_bsr_history", product=NAME)
    assert set(found["category"]) == {"untrusted"}
    assert "Ignore all" not in agent.words("get_bsr_history", product=NAME)


def hourly_year(session: Session) -> None:
    """Store a check for each hour of a year at which everything moved."""
    first = days_ago(365)
    observations = [
        make_observation(
            LAMP,
            first + timedelta(hours=hour),
            price=2000 + hour * 7 % 400,
            ranks=(CategoryRank("Lamps", 12_345 + hour * 7919 % 40_000),),
            rating=38 + hour % 9,
            ratings_count=10_000 + hour,
        )
        for hour in range(365 * 24)
    ]
    store_observations(session, *observations, now=hours_ago(0))


@pytest.mark.slow
def test_a_year_of_hours_is_thinned_with_a_note_and_stays_small(
    session: Session, agent: Agent
) -> None:
    track_products(session, agent.principal, [LAMP])
    hourly_year(session)
    for tool in HISTORIES:
        result = agent.result(tool, product=NAME, days=366)
        size = len(orjson.dumps(result.structured_content)) + len(words_of(result).encode())
        assert size <= A_YEAR_IS_AT_MOST, (tool, size)
        found: dict[str, Any] = result.structured_content or {}
        assert found["is_thinned"]
        assert found["points_total"] == 8760
        assert 250 <= len(found["points"]) <= 300
    counts = found["ratings_count"]
    assert (counts["is_thinned"], counts["points_total"]) == (True, 8760)
    ranks = agent.call("get_bsr_history", product=NAME, days=366)
    values = [value for _, value in ranks["points"] if value is not None]
    # The best and the worst of the year are among what was kept.
    assert min(values) == ranks["figures"]["best"]["value"]
    assert max(values) == ranks["figures"]["worst"]["value"]
    assert not agent.call("get_bsr_history", product=NAME, days=1)["is_thinned"]


@pytest.mark.parametrize("tool", HISTORIES)
def test_what_was_last_seen_long_ago_is_not_given_as_the_value_at_the_end(
    session: Session, agent: Agent, tool: str
) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observation(session, days_ago(25))
    store_observation(session, days_ago(24), price=1500, rank=400, rating=44)
    result = agent.result(tool, product=NAME, days=30)
    assert result.structured_content is not None
    last, _ = result.structured_content["points"][-1]
    assert last == f"{days_ago(24):%Y-%m-%dT%H:%M:%SZ}"
    assert "at the end" not in words_of(result)
    assert ": last " in words_of(result)


def test_a_change_holds_until_the_next_one(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP])
    store_observations(
        session,
        make_change(LAMP, days_ago(20), ranks=(CategoryRank("Lamps", 300),)),
        make_change(LAMP, days_ago(2), ranks=(CategoryRank("Lamps", 600),)),
        now=hours_ago(0),
    )
    points = agent.call("get_bsr_history", product=NAME, days=10)["points"]
    assert [value for _, value in points] == [300, 600]


# How amounts are written


def test_amounts_in_sentences_are_written_one_way_whatever_the_marketplace(
    session: Session, agent: Agent
) -> None:
    """1.234,50 € reads as one euro and a bit beside #1,302, which is no fraction."""
    track_products(session, agent.principal, [LAMP], "DE")
    store_observation(session, hours_ago(2), marketplace="DE", price=123450, rank=1302)
    answer = agent.words("get_price_history", product=f"DE:{LAMP}")
    assert "last EUR\u00a01,234.50" in answer
    assert "€" not in answer
    details = agent.words("get_product_details", product=f"DE:{LAMP}")
    assert "EUR\u00a01,234.50, rank #1,302" in details
    value = agent.call("explain_value", product=f"DE:{LAMP}", value="price")
    assert value["value_in_words"] == "EUR\u00a01,234.50"


def test_yen_have_no_fraction_in_sentences_either(session: Session, agent: Agent) -> None:
    track_products(session, agent.principal, [LAMP], "JP")
    store_observation(session, hours_ago(2), marketplace="JP", price=2980)
    answer = agent.words("get_product_details", product=f"JP:{LAMP}")
    assert "JPY\u00a02,980, rank" in answer


@pytest.mark.parametrize("hours", [0, 12, -11])
def test_the_end_of_a_period_is_the_same_in_every_zone(
    session: Session, agent: Agent, hours: int
) -> None:
    """Half a day at 10.00 and half a day at 20.00 are 15.00 on average."""
    track_products(session, agent.principal, [LAMP])
    began = days_ago(9)
    store_observations(
        session,
        make_change(LAMP, began, price=1000),
        make_change(LAMP, began + timedelta(hours=12), price=2000),
        now=hours_ago(0),
    )
    until = (began + timedelta(days=1)).astimezone(timezone(timedelta(hours=hours)))
    asked = {"product": NAME, "days": 2, "until": until.isoformat()}
    figures = agent.call("get_price_history", **asked)["figures"]
    assert figures["average"]["value"] == 15
    assert agent.call("get_statistics", **asked)["price"] == figures
