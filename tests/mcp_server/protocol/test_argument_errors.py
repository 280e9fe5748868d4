"""The errors for wrong names or values: enough for a model to call right next time."""

from typing import Any

import pytest

from tests.mcp_server.conftest import Agent

LAMP = "US:B0TESTLAMP"


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        (
            "get_price_history",
            {"product": LAMP, "day": 30},
            "day: there is no such argument; there are: days, product, until, most_points",
        ),
        ("get_price_history", {}, "product: is required"),
        ("get_price_history", {"product": LAMP, "days": "a month"}, "days: must be a whole"),
        ("get_price_history", {"product": LAMP, "days": 0}, "days: must be greater than or"),
        (
            "get_price_history",
            {"product": LAMP, "until": "yesterday"},
            "until: must be a time in ISO 8601, such as 2026-03-02T12:00Z",
        ),
        ("list_changes", {"roles": "own"}, "roles: must be a list, in brackets"),
        ("list_changes", {"roles": ["mine"]}, "roles.0: must be 'own', 'competitor' or"),
        ("compare_products", {"products": LAMP}, "products: must be a list, in brackets"),
        ("get_product_details", {"product": {"asin": "B0"}}, "product: must be text"),
        (
            "update_tracking_settings",
            {"product": LAMP, "cadence": "every 2 hours"},
            "cadence: must be 'hourly', '6h', 'daily' or 'weekly'",
        ),
        (
            "update_alert_thresholds",
            {"product": LAMP, "price_change_percent": "10%"},
            "price_change_percent: must be a number, without a unit",
        ),
        (
            "create_suggestion",
            {
                "product": LAMP,
                "title": "Ask for less",
                "reasoning": "It is dearer than others.",
                "metric": "bsr",
                "direction": "improves",
                "actions": [{"change": "price", "reason": "Because.", "amount": 19}],
            },
            "actions.0.change: must be 'update_price', ",
        ),
    ],
)
def test_each_wrong_argument_is_named_with_what_it_has_to_be(
    agent: Agent, tool: str, arguments: dict[str, Any], message: str
) -> None:
    refusal = agent.refusal(tool, **arguments)
    assert message in refusal
    assert "[" not in refusal, "no inner names of types"
    assert "keep" not in refusal


def test_the_names_there_are_stand_once_however_many_are_wrong(agent: Agent) -> None:
    refusal = agent.refusal("toggle_product_tracking", action="pause", team=True, products=[LAMP])
    assert "action, team: there are no such arguments; there are: " in refusal
    assert refusal.count("there are: ") == 1
    assert "target: is required" in refusal


def test_what_can_be_explained_is_one_list(agent: Agent) -> None:
    refusal = agent.refusal("explain_value", product=LAMP, value="sellers")
    assert refusal.count("must be") == 1
    assert "'stock_left' or 'rank'" in refusal


def test_a_list_whose_only_part_is_wrong_is_not_called_too_short(agent: Agent) -> None:
    part = {"change": "update_price", "amount": -1, "reason": "It meets theirs."}
    asked = {"title": "Ask for less", "reasoning": "It is dearer than others are."}
    asked |= {"product": LAMP, "metric": "bsr", "direction": "improves"}
    refusal = agent.refusal("create_suggestion", **asked, actions=[part])
    assert refusal == ("Wrong arguments. actions.0.amount: must be greater than 0.")
    empty = agent.refusal("create_suggestion", **asked, actions=[])
    assert "actions: Tuple should have at least 1 item" in empty


def test_a_wrong_name_of_a_tool_is_answered_with_those_that_resemble_it(agent: Agent) -> None:
    refusal = agent.refusal("get_rating")
    assert refusal.startswith("There is no tool 'get_rating'; there are: get_rating_history, ")
    assert "compare_products" in refusal


@pytest.mark.parametrize("tool", ["approve_suggestion", "apply_change", "reject"])
def test_a_search_for_a_tool_that_decides_answers_that_there_is_none(
    agent: Agent, tool: str
) -> None:
    assert (
        "A manager approves or declines suggestions on the pages; no tool does."
        in agent.refusal(tool)
    )


def test_a_title_for_a_product_is_sent_to_the_search(agent: Agent) -> None:
    refusal = agent.refusal("get_product_details", product="that blue desk lamp")
    assert "`search_products` finds tracked products" in refusal
