"""Where a value comes from, as agents read it."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.observation import Availability, Seen, Source
from tests.core.history.observations import make_fetch_run
from tests.factories.imports import add_import
from tests.factories.observations import (
    hours_ago,
    make_observation,
    make_price_observation,
    store_observations,
)
from tests.factories.people import add_stranger
from tests.factories.products import LAMP, track_products
from tests.mcp_server.conftest import Agent, active, agent_of
from tests.mcp_server.shop import HOSTILE, NAME, NEVER_SEEN, own_lamp


def fetched(session: Session, principal: Principal) -> int:
    """Follow a lamp that a run of an actor read an hour ago; return the run."""
    track_products(session, principal, [LAMP])
    run = make_fetch_run(session)
    store_observations(
        session, make_observation(LAMP, hours_ago(1)), now=hours_ago(0), fetch_run_id=run
    )
    return run


def test_a_fetched_value_names_run_actor_and_field(
    session: Session, principal: Principal, agent: Agent
) -> None:
    run = fetched(session, principal)
    found = agent.call("explain_value", product=NAME, value="price")
    assert (found["value"], found["unit"], found["value_in_words"]) == (20, "USD", "USD\u00a020.00")
    assert found["fetch"] == {
        "run": run,
        "provider": "apify",
        "actor": "maker/details",
        "run_at_provider": "RUN1",
        "parser_version": None,
        "is_original_kept": False,
    }
    assert (found["said_by"], found["field_in_original"]) == ("maker/details", "price")
    assert found["seen_at"] == f"{hours_ago(1):%Y-%m-%dT%H:%MZ}"
    assert (found["is_newest"], found["doubts"], found["imported"]) == (True, [], None)
    answer = agent.words("explain_value", product=NAME, value="price")
    assert (
        f"USD\u00a020.00, from maker/details, observed at {hours_ago(1):%Y-%m-%dT%H:%MZ}." in answer
    )


@pytest.mark.parametrize(
    ("value", "expected", "unit"),
    [
        ("bsr", 500, "place in its category, 1 is the best"),
        ("rating", 4.5, "stars, 1 to 5"),
        ("ratings_count", 1000, "ratings"),
        ("availability", "in_stock", "state"),
    ],
)
def test_every_value_is_given_in_its_unit(
    session: Session, principal: Principal, agent: Agent, value: str, expected: object, unit: str
) -> None:
    fetched(session, principal)
    found = agent.call("explain_value", product=NAME, value=value)
    assert (found["value"], found["unit"]) == (expected, unit)


def test_a_rank_goes_by_both_its_names(
    session: Session, principal: Principal, agent: Agent
) -> None:
    fetched(session, principal)
    assert agent.call("explain_value", product=NAME, value="rank") == agent.call(
        "explain_value", product=NAME, value="bsr"
    )


def test_a_value_of_a_time_is_the_one_last_seen_then(
    session: Session, principal: Principal, agent: Agent
) -> None:
    own_lamp(session, principal)
    then = agent.call("explain_value", product=NAME, value="price", at=hours_ago(5).isoformat())
    assert (then["value"], then["is_newest"]) == (20, False)
    now = agent.call("explain_value", product=NAME, value="price", at=hours_ago(0.5).isoformat())
    assert (now["value"], now["is_newest"]) == (22, True)


def test_an_observation_that_does_not_report_a_value_is_passed_over(
    session: Session, principal: Principal, agent: Agent
) -> None:
    own_lamp(session, principal)
    store_observations(session, make_price_observation(LAMP, hours_ago(0.5)), now=hours_ago(0))
    at = hours_ago(0).isoformat()
    found = agent.call("explain_value", product=NAME, value="bsr", at=at)
    assert (found["value"], found["seen_at"]) == (400, f"{hours_ago(1):%Y-%m-%dT%H:%MZ}")


def test_a_flagged_value_of_a_time_is_given_with_its_flags(
    session: Session, principal: Principal, agent: Agent
) -> None:
    own_lamp(session, principal)
    store_observations(
        session, make_observation(LAMP, hours_ago(0.5), price=220_000), now=hours_ago(0)
    )
    newest = agent.call("explain_value", product=NAME, value="price")
    assert (newest["value"], newest["doubts"]) == (22, [])
    at = hours_ago(0).isoformat()
    found = agent.call("explain_value", product=NAME, value="price", at=at)
    assert found["value"] == 2200
    assert "far off its own history" in found["doubts"][0]
    assert "Flagged: " in agent.words("explain_value", product=NAME, value="price", at=at)


def test_absent_values_are_distinguished_from_those_never_reported(
    session: Session, principal: Principal, agent: Agent
) -> None:
    track_products(session, principal, [LAMP])
    away = {"price": None, "price_basis": None, "availability": Availability.UNAVAILABLE}
    store_observations(session, make_observation(LAMP, hours_ago(1), **away), now=hours_ago(0))
    found = agent.call("explain_value", product=NAME, value="price")
    assert (found["value"], found["value_in_words"]) == (None, "none")
    never = agent.call(
        "explain_value", product=NAME, value="stock_left", at=hours_ago(0).isoformat()
    )
    assert never["why_unknown"] == "no check at or before this time reports it"


@pytest.mark.parametrize(
    ("beside", "seen"),
    [
        (("list_price", "coupon"), Seen.PRICE),
        (("stock_left",), Seen.AVAILABILITY),
        (("rating",), Seen.RATINGS_COUNT),
        (("ratings_count",), Seen.RATING),
    ],
)
def test_what_no_source_reported_is_not_shown_as_none(
    session: Session, principal: Principal, agent: Agent, beside: tuple[str, ...], seen: Seen
) -> None:
    """A source that reports prices may not report coupons at all."""
    track_products(session, principal, [LAMP])
    observation = replace(
        make_price_observation(LAMP, hours_ago(1)), seen=seen, price=None, price_basis=None
    )
    store_observations(session, observation, now=hours_ago(0))
    for tool in ("get_product_details", "get_my_products", "get_competitor_analysis"):
        result = agent.call(tool, **({} if tool == "get_my_products" else {"product": NAME}))
        whys = reasons_of(
            result["products"][0] if "products" in result else result.get("own", result)
        )
        assert {whys[name] for name in beside if name in whys} <= {"none or not reported"}
    details = agent.call("get_product_details", product=NAME)
    assert [details[name]["why_unknown"] for name in beside] == ["none or not reported"] * len(
        beside
    )


def reasons_of(row: dict[str, Any]) -> dict[str, str]:
    """Return why each value of a product is null, from either field."""
    if "why_unknown" in row:
        reasons: dict[str, str] = row["why_unknown"]
        return reasons
    cells = {name: each for name, each in row.items() if isinstance(each, dict)}
    return {name: each["why_unknown"] for name, each in cells.items() if each.get("why_unknown")}


def test_of_a_product_never_seen_the_reason_is_given(
    session: Session, principal: Principal, agent: Agent
) -> None:
    track_products(session, principal, ["B0TEST0009"])
    found = agent.call("explain_value", product=NEVER_SEEN, value="price")
    assert (found["value"], found["why_unknown"]) == (None, "never fetched: due now")
    answer = agent.words("explain_value", product=NEVER_SEEN, value="price")
    assert "never fetched: due now. `get_fetch_status` explains more." in answer


def test_before_the_first_observation_nothing_was_known(
    session: Session, principal: Principal, agent: Agent
) -> None:
    own_lamp(session, principal)
    found = agent.call("explain_value", product=NAME, value="price", at="2020-01-01T00:00Z")
    assert found["why_unknown"] == "no check at or before this time reports it"


def test_an_import_names_its_file_and_person_as_outside_text(
    session: Session, principal: Principal, agent: Agent
) -> None:
    track_products(session, principal, [LAMP])
    run = add_import(session, principal, HOSTILE)
    observation = make_observation(LAMP, hours_ago(1), source=Source.HISTORY_FILE)
    store_observations(session, observation, now=hours_ago(0), import_run_id=run)
    found = agent.call("explain_value", product=NAME, value="price")
    assert found["imported"]["name"] == {"untrusted": HOSTILE}
    assert found["imported"]["person"] == {"untrusted": principal.name}
    assert found["imported"]["file_sha256"] == "ab" * 32
    assert (found["said_by"], found["fetch"]) == ("history file", None)
    assert "Ignore" not in agent.words("explain_value", product=NAME, value="price")


def test_another_teams_file_and_person_are_not_named(
    session: Session, principal: Principal, agent: Agent
) -> None:
    track_products(session, principal, [LAMP])
    theirs = add_import(session, active(session, add_stranger(session)), "secret-margins.csv")
    observation = make_observation(LAMP, hours_ago(1), source=Source.HISTORY_FILE)
    store_observations(session, observation, now=hours_ago(0), import_run_id=theirs)
    found = agent.call("explain_value", product=NAME, value="price")
    assert found["value"] == 20
    assert found["imported"]["name"] == {"untrusted": "a file of another team"}
    assert found["imported"]["person"] == {"untrusted": "a user of another team"}
    assert found["imported"]["file_sha256"] is None


def test_the_original_item_is_not_returned(
    session: Session, principal: Principal, agent: Agent
) -> None:
    fetched(session, principal)
    assert "body" not in agent.call("explain_value", product=NAME, value="price")


def test_a_value_without_an_origin_is_refused_with_those_that_have_one(agent: Agent) -> None:
    assert "ratings_count" in agent.refusal("explain_value", product=NAME, value="profit")


def test_yen_are_written_without_a_fraction(
    session: Session, principal: Principal, agent: Agent
) -> None:
    track_products(session, principal, [LAMP], "JP")
    store_observations(
        session,
        make_observation(LAMP, hours_ago(1), marketplace="JP", price=5980),
        now=hours_ago(0),
    )
    found = agent.call("explain_value", product=f"JP:{LAMP}", value="price")
    assert (found["value"], found["unit"]) == (5980, "JPY")


def test_a_stranger_learns_no_more_than_the_value(session: Session, principal: Principal) -> None:
    fetched(session, principal)
    other = agent_of(session, active(session, add_stranger(session)))
    assert other.call("explain_value", product=NAME, value="price")["value"] == 20


def test_a_text_that_could_not_be_read_is_marked_as_from_outside(
    session: Session, principal: Principal, agent: Agent
) -> None:
    track_products(session, principal, [LAMP])
    observation = make_price_observation(LAMP, hours_ago(1), unreadable={Seen.BSR: "Pozycja ??"})
    store_observations(session, observation, now=hours_ago(0))
    details = agent.call("get_product_details", product=NAME)
    assert details["rank"]["why_unknown"] == "unreadable"
    assert details["unreadable"] == {"bsr": {"untrusted": "Pozycja ??"}}
    newest = agent.call("explain_value", product=NAME, value="rank")
    assert newest["unreadable"] == {"untrusted": "Pozycja ??"}
    then = agent.call("explain_value", product=NAME, value="rank", at=hours_ago(0).isoformat())
    assert (then["value_in_words"], then["unreadable"]) == ("unreadable", newest["unreadable"])
