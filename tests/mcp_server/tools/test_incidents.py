"""One incident as agents read it, snoozing, and the resource of active alerts."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.notifications.plan_notifications import plan_notifications
from core.tracking.rules import Role
from tests.factories.alerts import add_incident
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.people import add_stranger
from tests.factories.products import LAMP, track_products
from tests.factories.tables import fetch_row
from tests.mcp_server.conftest import Agent, active, agent_of
from tests.mcp_server.shop import NAME
from tests.mcp_server.test_resources import read


@pytest.fixture
def number(session: Session, principal: Principal) -> int:
    [lamp] = track_products(session, principal, [LAMP], role=Role.OWN)
    store_observations(session, make_observation(at=NOON))
    made = add_incident(session, principal, lamp, NOON)
    plan_notifications(session, NOON)
    session.commit()
    return made


def test_an_incident_names_what_to_do_and_where_it_was_sent(agent: Agent, number: int) -> None:
    found = agent.call("get_incident", id=number)
    assert (found["incident"]["product"], found["rule_version"]) == (NAME, 1)
    assert found["reactions"]
    assert found["delivery"] == [{"untrusted": "In the app: shown 2 Mar 2026, 12:00."}]
    assert "In the app" in agent.words("get_incident", id=number)


def test_an_incident_of_another_team_is_not_found(
    session: Session, agent: Agent, number: int
) -> None:
    stranger = agent_of(session, active(session, add_stranger(session)))
    assert "There is no incident" in stranger.refusal("get_incident", id=number)


def test_snoozing_is_done_once_and_until_then(session: Session, agent: Agent, number: int) -> None:
    asked = {"ids": [number, 999_999], "hours": 48}
    dry = agent.call("snooze_incidents", **asked, dry_run=True)
    assert [each["verdict"] for each in dry["incidents"]] == ["done", "unknown"]
    done = agent.call("snooze_incidents", **asked, idempotency_key="one-snooze")
    again = agent.call("snooze_incidents", **asked, idempotency_key="one-snooze")
    assert again == done | {"is_repeat": True}
    until = fetch_row(session, "SELECT snoozed_until FROM incident")["snoozed_until"]
    left = until - datetime.now(UTC)
    assert timedelta(hours=47) < left <= timedelta(hours=48)


def test_the_resource_has_the_open_issues(agent: Agent, number: int) -> None:
    found = read(agent, "alerts://active")
    assert [each["id"] for each in found["issues"]] == [number]
