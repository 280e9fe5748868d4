"""Advice with a confidence or priority out of range is refused."""

import pytest

from tests.factories.suggestions import advice


@pytest.mark.parametrize("confidence", [-0.1, 1.01, 1.8, float("nan"), float("inf")])
def test_a_confidence_outside_0_to_1_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        advice(confidence=confidence)


@pytest.mark.parametrize("priority", [0, 4, -1])
def test_a_priority_other_than_1_2_and_3_is_refused(priority: int) -> None:
    with pytest.raises(ValueError, match="priority"):
        advice(priority=priority)


def test_confidences_of_0_and_1_are_allowed() -> None:
    assert [advice(confidence=each).confidence for each in (0.0, 1.0)] == [0.0, 1.0]
