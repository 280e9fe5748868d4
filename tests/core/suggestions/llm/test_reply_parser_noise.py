"""Every reply of a model leads to valid advice or to reasons for its rejection."""

import json
import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.suggestions.llm import reply_parser
from core.suggestions.rules import Change, Direction, Metric
from tests.core.suggestions.llm.test_reply_parser import read_payload
from tests.core.suggestions.model_facts import EVIDENCE, lamp_facts
from tests.hypothesis_runs import examples
from tests.model_stand_in import action, good, written

FACTS = lamp_facts()
GOOD = good(read_payload(FACTS))

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
words = st.text(max_size=60) | st.sampled_from(
    ["The price is 20.00 now.", "Rank 1,204", "<b>", "https://x.example", "1.204,5", "٣", "²"]
)
numbers = st.integers(-(10**20), 10**20) | st.integers(0, 3000)
actions = st.builds(
    lambda change, values, reason: action(change.value, **values, reason=reason),
    st.sampled_from(Change),
    st.fixed_dictionaries(
        {},
        optional={
            "amount": numbers,
            "percent": st.floats() | st.floats(0, 100),
            "text": words,
            "texts": st.lists(words, max_size=12),
            "count": numbers,
        },
    ),
    words,
)
suggestions = st.fixed_dictionaries(
    {},
    optional={
        "title": words,
        "reasoning": words,
        "priority": st.integers(0, 4) | numbers,
        "confidence": st.floats() | st.floats(0, 1),
        "metric": st.sampled_from(Metric).map(str),
        "direction": st.sampled_from(Direction).map(str),
        "window_days": st.integers(0, 100),
        "evidence": st.lists(
            st.fixed_dictionaries(
                {
                    "key": st.sampled_from([each.key for each in EVIDENCE]) | words,
                    "value": st.sampled_from([each.value for each in EVIDENCE]) | numbers | words,
                }
            ),
            max_size=4,
        ),
        "actions": st.lists(actions, max_size=8),
    },
)
many = settings(max_examples=examples(150))


def assert_answered(checked: reply_parser.CheckedReply) -> None:
    """Assert that a check returns valid advice or reasons that the database can store."""
    assert not (checked.advice and checked.reasons)
    json.dumps(checked.reasons).encode()
    assert all("\x00" not in reason for reason in checked.reasons)
    for advice in checked.advice:
        assert 0 <= advice.confidence <= 1
        assert advice.priority in (1, 2, 3)
        assert advice.evidence
        assert set(advice.evidence) <= set(EVIDENCE)
        for change in advice.actions:
            if change.change is Change.UPDATE_PRICE:
                assert 1700 <= change.proposed["price"] <= 2300
            assert all(math.isfinite(v) for v in change.proposed.values() if isinstance(v, float))


@many
@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert_answered(reply_parser.check_reply(text, FACTS))


@many
@given(anything)
def test_any_json_is_answered(value: Any) -> None:
    assert_answered(reply_parser.check_reply(json.dumps({"suggestions": value}), FACTS))


@many
@given(suggestions)
def test_any_suggestion_is_answered(changes: dict[str, Any]) -> None:
    assert_answered(reply_parser.check_reply(written(GOOD | changes), FACTS))
