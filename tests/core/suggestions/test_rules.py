"""What no advice may be, whoever makes it."""

import pytest

from tests.core.suggestions.world import advice


@pytest.mark.parametrize("confidence", [-0.1, 1.01, 1.8, float("nan"), float("inf")])
def test_a_confidence_lies_between_0_and_1(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        advice(confidence=confidence)


@pytest.mark.parametrize("priority", [0, 4, -1])
def test_a_priority_is_1_2_or_3(priority: int) -> None:
    with pytest.raises(ValueError, match="priority"):
        advice(priority=priority)


def test_both_ends_of_a_confidence_are_advice() -> None:
    assert [advice(confidence=each).confidence for each in (0.0, 1.0)] == [0.0, 1.0]
