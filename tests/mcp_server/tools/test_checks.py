"""Why something is empty, and when it is fetched next, as agents read it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.tracking.service import pause
from tests.factories.observations import hours_ago, store_observation
from tests.factories.people import add_stranger
from tests.factories.products import KETTLE, LAMP, add_product, make_listing, track_products
from tests.mcp_server.conftest import Agent, active, agent_of
from tests.mcp_server.shop import HOSTILE, NAME, own_lamp


def schedule(session: Session, number: int, **values: Any) -> None:
    """Set the state of a product's fetching."""
    named = ", ".join(f"{name} = :{name}" for name in values)
    statement = f"UPDATE fetch_schedule SET {named} WHERE product_id = :number"
    session.execute(text(statement), values | {"number": number})


def run_of(session: Session, number: int, outcome: str | None, **run: Any) -> int:
    """Store a run that was to fetch a product; return its id."""
    usual = {"state": "collected", "error": None, "detail": None}
    values = usual | run
    made = session.execute(
        text(
            "INSERT INTO fetch_run (provider, actor, marketplace, input, input_hash, state, error, "
            "batch_size, intended_at, collected_at) VALUES ('apify', 'maker/details', 'US', '{}', "
            "'\\x00', :state, :error, 1, :began, :ended) RETURNING id"
        ),
        {
            "state": values["state"],
            "error": values["error"],
            "began": hours_ago(2),
            "ended": hours_ago(1) if values["state"] == "collected" else None,
        },
    ).scalar_one()
    session.execute(
        text(
            "INSERT INTO fetch_item (fetch_run_id, product_id, outcome, detail) "
            "VALUES (:run, :number, :outcome, :detail)"
        ),
        {"run": made, "number": number, "outcome": outcome, "detail": values["detail"]},
    )
    return int(made)


@pytest.fixture
def number(session: Session, principal: Principal) -> int:
    return track_products(session, principal, [LAMP])[0]


def status(agent: Agent, name: str = NAME) -> dict[str, Any]:
    found: dict[str, Any] = agent.call("get_fetch_status", product=name)["product"]
    return found


def test_a_product_that_waits_for_its_first_fetch_is_shown_as_such(
    agent: Agent, number: int
) -> None:
    found = status(agent)
    assert found["why_nothing_is_known"] == "never fetched: due now"
    assert found["next_step"] == "next check due now"
    assert (found["cadence"], found["is_followed"], found["is_paused"]) == (
        "daily",
        True,
        False,
    )
    assert (found["runs"], found["last_outcome"], found["last_seen_at"]) == ([], None, None)


def test_a_product_that_is_read_has_its_next_check(
    session: Session, agent: Agent, number: int
) -> None:
    store_observation(session, hours_ago(1), listing=make_listing())
    due = datetime.now(UTC) + timedelta(hours=5, minutes=1)
    schedule(session, number, due_at=due, last_outcome="ok", looked_at=hours_ago(1))
    found = status(agent)
    assert (found["why_nothing_is_known"], found["trouble"]) == (None, None)
    assert found["next_step"] == "next check in 5 h"
    assert found["last_outcome_in_words"] == "The product was read."
    assert found["last_seen_at"] == f"{hours_ago(1):%Y-%m-%dT%H:%MZ}"
    assert "«Reading lamp with a long neck»" in agent.words("get_fetch_status", product=NAME)


def test_failures_are_listed_with_their_consequence(
    session: Session, agent: Agent, number: int
) -> None:
    schedule(session, number, failures=3, last_outcome="blocked", looked_at=None)
    run_of(session, number, "blocked", detail=HOSTILE)
    found = status(agent)
    assert (
        "The last fetch failed (3 times in a row): Amazon blocked the request" in found["trouble"]
    )
    assert found["why_nothing_is_known"] == "never read: the last fetch ended as blocked"
    [run] = found["runs"]
    assert (run["outcome"], run["state"], run["actor"]) == ("blocked", "collected", "maker/details")
    assert "Amazon blocked the request" in run["in_words"]
    assert run["detail"] == {"untrusted": HOSTILE}
    assert "Ignore" not in agent.words("get_fetch_status", product=NAME)


def test_the_last_five_runs_come_newest_first(session: Session, agent: Agent, number: int) -> None:
    made = [run_of(session, number, "ok") for _ in range(6)]
    going = run_of(session, number, None, state="running")
    found = status(agent)["runs"]
    assert [run["run"] for run in found] == [going, *reversed(made[2:])]
    assert (found[0]["outcome"], found[0]["in_words"], found[0]["ended_at"]) == (None, None, None)


def test_a_fetch_under_way_is_listed(session: Session, agent: Agent, number: int) -> None:
    schedule(session, number, leased_until=datetime.now(UTC) + timedelta(hours=1))
    found = status(agent)
    assert found["next_step"] == "being checked now"
    assert found["being_fetched_until"] is not None


def test_a_paused_product_is_on_no_schedule(
    session: Session, principal: Principal, agent: Agent, number: int
) -> None:
    pause(session, principal, [number], datetime.now(UTC))
    found = status(agent)
    assert (found["is_paused"], found["next_step"], found["due_at"]) == (
        True,
        "not on the schedule",
        None,
    )
    assert found["why_nothing_is_known"] == "never fetched: paused, or tracked by no one"


def test_a_product_without_tracking_has_no_cadence(session: Session, agent: Agent) -> None:
    add_product(session, LAMP)
    found = status(agent)
    assert (found["is_followed"], found["is_paused"], found["cadence"]) == (False, None, None)


def test_another_teams_cadence_is_not_shown(session: Session, agent: Agent, number: int) -> None:
    other = agent_of(session, active(session, add_stranger(session)))
    found = status(other)
    assert (found["is_followed"], found["cadence"]) == (False, None)


def test_without_a_product_it_is_about_all_that_the_team_follows(
    session: Session, principal: Principal, agent: Agent
) -> None:
    lamp = own_lamp(session, principal)
    kettle, third = track_products(session, principal, [KETTLE, "B0TEST0003"])
    pause(session, principal, [third], datetime.now(UTC))
    schedule(session, lamp, due_at=datetime.now(UTC) + timedelta(hours=5))
    schedule(session, kettle, failures=1, last_outcome="timeout")
    answer = agent.call("get_fetch_status")
    assert answer["product"] is None
    team = answer["team"]
    assert (team["followed"], team["expected_a_day"], team["looked_at_in_24_hours"]) == (3, 2, 1)
    assert (team["due_now"], team["last_fetch_failed"], team["not_scheduled"]) == (1, 1, 1)
    assert team["last_look_at"] == f"{hours_ago(1):%Y-%m-%dT%H:%MZ}"
    answer = agent.words("get_fetch_status")
    assert "3 products are tracked; 1 of 2 that are due every day were checked" in answer


def test_of_nothing_followed_nothing_is_invented(agent: Agent) -> None:
    team = agent.call("get_fetch_status")["team"]
    assert (team["followed"], team["last_look_at"], team["next_due_at"]) == (0, None, None)
    assert "the last one never" in agent.words("get_fetch_status")


def test_another_teams_products_are_not_counted(session: Session, agent: Agent) -> None:
    track_products(session, add_stranger(session), [KETTLE])
    assert agent.call("get_fetch_status")["team"]["due_now"] == 0


def test_what_hinders_everything_is_listed_with_its_remedy(agent: Agent) -> None:
    hindrances = agent.call("get_fetch_status")["hindrances"]
    assert any("The worker has not started yet" in each for each in hindrances)
    assert any("Apify isn't connected" in each for each in hindrances)


def test_an_unknown_product_is_named_as_such(agent: Agent) -> None:
    assert "is not in Amazcope" in agent.refusal("get_fetch_status", product="US:B0UNKNOWN1")
