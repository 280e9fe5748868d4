"""Rules as JSON values."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.rules.rule import (
    AlertRule,
    Comparison,
    Condition,
    RuleScope,
    ScopeKind,
    Subject,
    Timing,
)
from core.alerts.rules.rule_json import dump_rule, load_rule


def test_only_what_is_set_is_written() -> None:
    rule = AlertRule(
        (Condition(Subject.PRICE, Comparison.CHANGED, percent=10),),
        timing=Timing(rearm_after=timedelta(hours=6)),
    )
    assert dump_rule(rule) == {
        "conditions": [{"subject": "price", "comparison": "changed", "percent": 10.0}],
        "timing": {"rearm_after": "PT6H"},
    }


conditions = st.builds(
    Condition,
    subject=st.sampled_from(Subject),
    comparison=st.sampled_from(Comparison),
    target=st.integers(1, 2**53),
    percent=st.floats(0.01, 10_000),
    states=st.frozensets(st.integers(1, 8) | st.sampled_from(["own", "7"]), min_size=1),
    before=st.frozensets(st.integers(9, 12)),
    days=st.integers(1, 366),
    category=st.none() | st.text(),
)
scopes = st.builds(RuleScope, kind=st.just(ScopeKind.TAG), tag=st.text(min_size=1)) | st.builds(
    RuleScope, kind=st.just(ScopeKind.PRODUCT), product_id=st.integers(1)
)


@given(
    rule=st.builds(
        AlertRule,
        conditions=st.lists(conditions, min_size=1, max_size=5).map(tuple),
        scope=scopes,
        timing=st.builds(Timing, pending_for=st.timedeltas(timedelta(0), timedelta(days=30))),
    )
)
def test_a_stored_rule_comes_back(rule: AlertRule) -> None:
    assert load_rule(json.loads(json.dumps(dump_rule(rule)))) == rule


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"conditions": []},
        {"conditions": [{"subject": "price", "comparison": "below"}]},
        {"conditions": [{"subject": "weather", "comparison": "changed", "percent": 1}]},
        {"conditions": [{"subject": "price", "comparison": "lowest", "days": 0}]},
        {
            "conditions": [
                {"subject": "seller", "comparison": "is", "states": ["A"], "before": ["A"]}
            ]
        },
        {
            "conditions": [{"subject": "price", "comparison": "lowest"}],
            "scope": {"kind": "tag"},
        },
    ],
)
def test_what_is_no_rule_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        load_rule(stored)
