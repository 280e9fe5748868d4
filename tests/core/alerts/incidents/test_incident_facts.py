"""What an alert's detail explains: both values with their times, why now, when again."""

from datetime import UTC, datetime, timedelta

import pytest

from core.alerts.evaluation.fold import Finding, IncidentState
from core.alerts.incidents.incident_facts import explain_opening, explain_rearm, list_compared
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.incidents.labels import KINDS, describe_silence, list_reactions
from core.alerts.rules.builtin import OPEN_ISSUES
from core.alerts.rules.rule import (
    AlertRule,
    Comparison,
    Condition,
    Direction,
    Reference,
    Subject,
    Timing,
)

AT = datetime(2026, 11, 27, 20, 10, tzinfo=UTC)
BEFORE = AT - timedelta(hours=1)
RULES = {each.code: each.rule for each in OPEN_ISSUES}
FIRING, RESOLVED, FLAPPING = (
    IncidentState.FIRING, IncidentState.RESOLVED, IncidentState.FLAPPING,
)  # fmt: skip
DROP = AlertRule((Condition(Subject.PRICE, Comparison.CHANGED, percent=10),))


@pytest.mark.parametrize(
    ("condition", "finding", "before", "now"),
    [
        (
            Condition(Subject.PRICE, Comparison.CHANGED, percent=10),
            Finding(1700, AT, 2000, BEFORE),
            "$20.00 · 27 Nov 2026, 19:10",
            "$17.00 · 27 Nov 2026, 20:10",
        ),
        (
            Condition(Subject.RATING, Comparison.BELOW, target=42),
            Finding(41, AT, 42, None),
            "4.2 stars · threshold",
            "4.1 stars · 27 Nov 2026, 20:10",
        ),
        (
            Condition(
                Subject.RANK, Comparison.CHANGED, percent=100, direction=Direction.UP,
                reference=Reference.AVERAGE,
            ),
            Finding(2100, AT, 1000, None),
            "#1,000 · average of 30 days",
            "#2,100 · 27 Nov 2026, 20:10",
        ),
        (
            Condition(Subject.TITLE, Comparison.DIFFERS),
            Finding("a1", AT, "b2", BEFORE),
            "another text · 27 Nov 2026, 19:10",
            "changed · 27 Nov 2026, 20:10",
        ),
    ],
)  # fmt: skip
def test_both_values_have_their_times(
    condition: Condition, finding: Finding, before: str, now: str
) -> None:
    [found] = list_compared(AlertRule((condition,)), (finding,), "US", "UTC")
    assert (found.before, found.now) == (before, now)


def test_conditions_that_did_not_hold_are_left_out() -> None:
    rule = AlertRule((*DROP.conditions, Condition(Subject.TITLE, Comparison.DIFFERS)))
    assert len(list_compared(rule, (Finding(1700, AT, 2000, BEFORE), None), "US", "UTC")) == 1
    assert list_compared(rule, (None,), "US", "UTC") == []  # of an older version of the rule


def test_why_it_opened_then() -> None:
    assert explain_opening(DROP, RESOLVED, AT, "UTC") == (
        "The observation of 27 Nov 2026, 20:10 is the first accepted one that meets the rule"
    )
    assert explain_opening(RULES["rank_below_usual"], FIRING, AT, "UTC") == (
        "It had held in 2 observations in a row and for 12 hours by the observation of "
        "27 Nov 2026, 20:10"
    )
    assert explain_opening(DROP, FLAPPING, AT, "UTC").startswith("It opened 4 times within 1 day")


def test_when_the_rule_can_alert_again() -> None:
    assert explain_rearm(DROP, RESOLVED, AT, "US", "UTC") == "With the next change that meets it"
    rank = explain_rearm(RULES["rank_below_usual"], FIRING, AT, "US", "UTC")
    assert rank.startswith("Once this one has ended. Ends when BSR is less than 50")
    ended = explain_rearm(RULES["out_of_stock"], RESOLVED, AT, "US", "UTC")
    assert ended == "With the next observation that meets it"
    seldom = AlertRule(DROP.conditions, timing=Timing(rearm_after=timedelta(days=2)))
    assert explain_rearm(seldom, RESOLVED, AT, "US", "UTC").endswith(
        ". Not before 29 Nov 2026, 20:10"
    )
    assert explain_rearm(DROP, FLAPPING, AT, "US", "UTC") == "Once the rule was quiet for 1 day"


def test_each_kind_has_three_steps() -> None:
    assert set(KINDS) == set(IncidentKind)
    for kind in IncidentKind:
        steps = list_reactions(kind)
        assert len(set(steps)) == 3
        assert all(step.endswith(".") for step in steps)


def test_a_silence_is_named_by_all_that_it_is_for() -> None:
    assert describe_silence(IncidentKind.OUT_OF_STOCK, "Lamp", None, "DE") == (
        "Out of stock · Lamp · DE"
    )
    assert describe_silence(None, None, "Cheaper", None) == "Cheaper"
