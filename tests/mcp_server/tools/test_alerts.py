"""Open issues, as agents list them."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.evaluation.fold import Finding
from core.tracking.rules import Role
from tests.factories.alerts import add_incident, add_rule
from tests.factories.observations import NOON, hours_ago
from tests.factories.people import add_stranger
from tests.factories.products import KETTLE, LAMP, track_products
from tests.mcp_server.conftest import Agent, active, agent_of
from tests.mcp_server.shop import NAME

HOUR = timedelta(hours=1)


@pytest.fixture
def two(session: Session, principal: Principal) -> list[int]:
    """An own lamp out of stock, and a competitor's kettle in Japan that got cheaper."""
    [lamp] = track_products(session, principal, [LAMP], role=Role.OWN)
    [kettle] = track_products(session, principal, [KETTLE], "JP", role=Role.COMPETITOR)
    finding = Finding(1700, NOON, 2000, NOON - HOUR)
    rule = add_rule(session, principal, name="Cheaper")
    made = [
        add_incident(session, principal, lamp, NOON),
        add_incident(session, principal, kettle, NOON, rule_id=rule, findings=(finding,),
                     severity="info"),
    ]  # fmt: skip
    session.commit()
    return made


def ids(agent: Agent, **asked: object) -> list[int]:
    return [each["id"] for each in agent.call("list_open_issues", **asked)["issues"]]


def test_an_issue_has_its_values_with_units_and_times(agent: Agent, two: list[int]) -> None:
    lamp, kettle = agent.call("list_open_issues")["issues"]
    assert [lamp["id"], kettle["id"]] == two
    assert (lamp["product"], lamp["kind"], lamp["severity"]) == (NAME, "out_of_stock", "critical")
    assert (lamp["since"], lamp["ended_at"], lamp["handling"]) == ("2026-03-02T12:00Z", None, "new")
    assert lamp["compared"] == [
        {
            "subject": "availability",
            "value": {"untrusted": "unavailable"},
            "before": {"untrusted": "in_stock"},
            "unit": None,
            "at": "2026-03-02T12:00Z",
            "before_at": "2026-03-02T12:00Z",
        }
    ]
    assert kettle["rule"] == {"untrusted": "Cheaper"}
    [compared] = kettle["compared"]
    assert (compared["value"], compared["before"], compared["unit"]) == (1700, 2000, "JPY")
    words = agent.words("list_open_issues")
    assert f"2 shown: «Out of stock» (critical), {NAME}: «Out of stock since" in words


@pytest.mark.usefixtures("two")
def test_issues_are_narrowed_and_turned(agent: Agent, two: list[int]) -> None:
    lamp, kettle = two
    assert ids(agent, product=NAME) == [lamp]
    assert ids(agent, roles=["competitor"]) == [kettle]
    assert ids(agent, marketplaces=["jp"]) == [kettle]
    assert ids(agent, kinds=["team_rule"]) == [kettle]
    assert ids(agent, severities=["critical"]) == [lamp]
    first = agent.call("list_open_issues", limit=1)
    assert (first["total"], first["truncated"]) == (2, True)
    assert ids(agent, limit=1, cursor=first["next_cursor"]) == [kettle]
    assert "No open issue matches." in agent.words("list_open_issues", kinds=["buy_box_lost"])
    assert "NOWHERE" in agent.refusal("list_open_issues", marketplaces=["NOWHERE"])


def test_muted_issues_are_counted_and_not_listed(
    session: Session, principal: Principal, agent: Agent, two: list[int]
) -> None:
    [lamp] = track_products(session, principal, [LAMP])
    add_incident(session, principal, lamp, hours_ago(1), muted_by="listing_removed")
    session.commit()
    found = agent.call("list_open_issues")
    assert (found["total"], found["muted"]) == (2, 1)


@pytest.mark.usefixtures("two")
def test_another_team_has_no_issues(session: Session) -> None:
    stranger = agent_of(session, active(session, add_stranger(session)))
    assert stranger.call("list_open_issues")["issues"] == []
    assert "No open issues." in stranger.words("list_open_issues")
