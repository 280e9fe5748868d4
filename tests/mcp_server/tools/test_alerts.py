"""Open issues and alert rules, as agents read them, and acknowledging."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.evaluation.fold import Finding
from core.alerts.notifications.plan_notifications import plan_notifications
from core.alerts.notifications.read_state import mark_read
from core.tracking.rules import Role
from tests.factories.alerts import add_incident, add_rule
from tests.factories.observations import NOON, days_ago, hours_ago, store_observation
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


def test_unread_issues_are_those_that_the_user_did_not_open(
    session: Session, principal: Principal, agent: Agent, two: list[int]
) -> None:
    assert ids(agent, unread=True) == []  # no one was notified yet
    plan_notifications(session, NOON)
    session.commit()
    assert ids(agent, unread=True) == two
    mark_read(session, principal, two[:1], NOON)
    session.commit()
    assert ids(agent, unread=True) == two[1:]
    assert ids(agent) == two


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


# Rules


def rules_by_code(agent: Agent) -> dict[str | None, dict[str, Any]]:
    return {each["code"]: each for each in agent.call("list_alert_rules")["rules"]}


@pytest.mark.usefixtures("two")
def test_each_rule_is_listed_with_its_sentence_and_how_often_it_fired(agent: Agent) -> None:
    rules = rules_by_code(agent)
    stock = rules["out_of_stock"]
    assert (stock["name"], stock["threshold"], stock["is_on"], stock["open_issues"]) == (
        {"untrusted": "Out of stock"}, None, True, 1,
    )  # fmt: skip
    assert rules["price_change"]["threshold"] == {"kind": "percent", "value": 10, "unit": "%"}
    assert rules["price_change"]["rule"]["conditions"] == [
        {"subject": "price", "comparison": "changed", "percent": 10}
    ]
    assert "Price changes by 10" in rules["price_change"]["sentence"]["untrusted"]
    assert rules[None]["name"] == {"untrusted": "Cheaper"}
    assert f"{len(rules)} rules, {len(rules)} on" in agent.words("list_alert_rules")


@pytest.fixture
def cheaper(session: Session, principal: Principal) -> None:
    """A lamp and a kettle in the US whose prices fell by 10 and by 50 %, five days ago."""
    track_products(session, principal, [LAMP], role=Role.OWN)
    track_products(session, principal, [KETTLE], role=Role.COMPETITOR)
    for asin, price in ((LAMP, 1800), (KETTLE, 1000)):
        store_observation(session, days_ago(6), asin, price=2000)
        store_observation(session, days_ago(5), asin, price=price)
    session.commit()


PRICE = {"subject": "price", "comparison": "changed", "percent": 10}
TRACKED = {"conditions": [PRICE], "scope": {"kind": "tracked"}}


@pytest.mark.usefixtures("cheaper")
def test_a_stored_rule_is_tried_on_history(agent: Agent) -> None:
    number = rules_by_code(agent)["price_change"]["id"]
    found = agent.call("preview_rule", rule_id=number, days=30)
    assert (found["total"], found["per_week"]) == (2, [0, 0, 0, 2, 0])
    assert (found["products_tried"], found["products_in_scope"]) == (2, 2)
    assert found["products_with_alerts"] == 2
    assert found["newest"][0]["what"]["untrusted"].startswith("Price USD\u00a020.00 (")
    assert "2 alerts in 30 days on 2 products." in agent.words(
        "preview_rule", rule_id=number, days=30
    )
    assert agent.call("preview_rule", rule_id=number, product=NAME)["total"] == 1


@pytest.mark.usefixtures("cheaper")
def test_any_rule_is_tried_and_a_rate_gives_its_threshold(agent: Agent) -> None:
    found = agent.call("preview_rule", rule=TRACKED, days=30, at_most_per_week=0.25)
    assert found["threshold"] == {"kind": "percent", "value": 15, "unit": "%"}
    below = {"subject": "price", "comparison": "below", "target": 1500}
    asked = {"rule": TRACKED | {"conditions": [below]}, "days": 30}
    found = agent.call("preview_rule", **asked, at_most_per_week=0)
    assert (found["total"], found["threshold"]) == (
        1, {"kind": "target", "value": 10, "unit": "USD"},
    )  # fmt: skip
    assert "Threshold for that rate: 10 USD." in agent.words(
        "preview_rule", **asked, at_most_per_week=0
    )
    removed = {"subject": "availability", "comparison": "is", "states": [8]}
    found = agent.call("preview_rule", rule=TRACKED | {"conditions": [removed]}, at_most_per_week=1)
    assert found["why_no_threshold"] == "The rule has no threshold, or several."


@pytest.mark.usefixtures("cheaper")
def test_a_rule_that_cant_be_tried_is_refused_with_the_reason(agent: Agent) -> None:
    assert "either `rule_id` or `rule`" in agent.refusal("preview_rule")
    assert "either" in agent.refusal("preview_rule", rule=TRACKED, rule_id=1)
    assert "does not exist" in agent.refusal("preview_rule", rule_id=10**9)
    assert "can't be read" in agent.refusal("preview_rule", rule={"conditions": []})
    weak = TRACKED | {"conditions": [PRICE | {"percent": -5}]}
    assert agent.refusal("preview_rule", rule=weak)
    assert agent.refusal("preview_rule", rule=TRACKED, days=31)


@pytest.mark.usefixtures("two")
def test_a_rule_is_created_once_and_is_off(session: Session, agent: Agent) -> None:
    rule = {"conditions": [{"subject": "rating", "comparison": "below", "target": 42}]}
    asked = {"rule": rule, "name": "Weak rating", "idempotency_key": "r1"}
    assert agent.call("create_rule", **asked, dry_run=True)["dry_run"]
    made = agent.call("create_rule", **asked)
    assert made["products"] == 1
    assert made["sentence"]["untrusted"].startswith("Rating is below 4.2 stars. Applies to your")
    assert agent.call("create_rule", **asked)["is_repeat"]
    found = [
        each for each in agent.call("list_alert_rules")["rules"]
        if each["name"] == {"untrusted": "Weak rating"}
    ]  # fmt: skip
    assert [(each["id"], each["is_on"]) for each in found] == [(made["rule_id"], False)]
    words = agent.words("create_rule", **asked)
    assert "off: a manager switches it on" in words
    verbs = session.scalars(text("SELECT verb FROM audit_event WHERE verb LIKE '%alert rule'"))
    assert list(verbs) == ["drafted alert rule"]
    assert "can't be read" in agent.refusal("create_rule", rule={"conditions": []})
    always = {"conditions": [{"subject": "rating", "comparison": "below", "target": 99}]}
    assert agent.refusal("create_rule", rule=always)


def test_issues_are_acknowledged_once(session: Session, agent: Agent, two: list[int]) -> None:
    lamp, _ = two
    dry = agent.call("acknowledge_incidents", ids=[lamp], dry_run=True)
    assert dry["dry_run"]
    assert agent.call("list_open_issues", product=NAME)["issues"][0]["handling"] == "new"
    asked = {"ids": [lamp, 10**9], "idempotency_key": "one"}
    for is_repeat in (False, True):
        done = agent.call("acknowledge_incidents", **asked)
        assert done["is_repeat"] is is_repeat
        assert done["incidents"] == [
            {"id": lamp, "verdict": "done"},
            {"id": 10**9, "verdict": "unknown"},
        ]
    issue = agent.call("list_open_issues", product=NAME)["issues"][0]
    assert (issue["handling"], issue["acknowledged_by"]) == (
        "acknowledged", {"untrusted": agent.principal.name},
    )  # fmt: skip
    again = agent.call("acknowledge_incidents", ids=[lamp])
    assert again["incidents"] == [{"id": lamp, "verdict": "already"}]
    assert "1 already" in agent.words("acknowledge_incidents", ids=[lamp])
