"""How often a token may call."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.agents.rules import CallLimit, compute_paid_until, compute_wait

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIMIT = CallLimit(per_minute=60, at_once=3)


def test_after_a_rest_so_many_calls_go_through_at_once() -> None:
    paid = None
    for _ in range(3):
        assert compute_wait(paid, LIMIT, NOON) == timedelta(0)
        paid = compute_paid_until(paid, LIMIT, NOON)
    assert compute_wait(paid, LIMIT, NOON) == timedelta(seconds=1)


def test_waiting_as_long_as_the_answer_asks_is_enough() -> None:
    paid = NOON + timedelta(seconds=3)
    later = NOON + compute_wait(paid, LIMIT, NOON)
    assert compute_wait(paid, LIMIT, later) == timedelta(0)


@given(
    st.lists(st.integers(0, 5_000), max_size=80),
    st.integers(1, 600),
    st.integers(1, 20),
)
def test_no_rhythm_gets_more_through_than_the_limit(
    pauses: list[int], per_minute: int, at_once: int
) -> None:
    limit, now, paid, through = CallLimit(per_minute, at_once), NOON, None, 0
    for pause in pauses:
        now += timedelta(milliseconds=pause)
        if not compute_wait(paid, limit, now):
            paid, through = compute_paid_until(paid, limit, now), through + 1
    assert through <= at_once + (now - NOON) / timedelta(minutes=1) * per_minute + 1
