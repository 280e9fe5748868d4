"""When messages are tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.delivery.retries import LONGEST_PAUSE, find_next_try

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def test_the_waits_grow_up_to_an_hour() -> None:
    tries = [find_next_try(attempts, NOW, None, NOW + DAY) for attempts in range(1, 9)]
    assert [(each - NOW) / MINUTE for each in tries if each] == [1, 2, 5, 15, 30, 60, 60, 60]


def test_an_hour_of_outage_is_outlived_with_few_attempts() -> None:
    at, attempts = NOW, 0
    while at < NOW + timedelta(hours=1):
        attempts += 1
        following = find_next_try(attempts, at, None, NOW + DAY)
        assert following is not None
        at = following
    assert attempts == 6
    assert at < NOW + timedelta(hours=2)


def test_what_would_be_too_old_is_not_tried_again() -> None:
    assert find_next_try(1, NOW, None, NOW + MINUTE) is None


@given(st.integers(0, 100), st.timedeltas(-DAY, 10 * DAY) | st.none())
def test_a_provider_makes_the_wait_longer_never_shorter(
    attempts: int, pause: timedelta | None
) -> None:
    usual = find_next_try(attempts, NOW, None, NOW + 30 * DAY)
    asked = find_next_try(attempts, NOW, pause, NOW + 30 * DAY)
    assert usual is not None
    assert asked is not None
    assert usual <= asked <= NOW + LONGEST_PAUSE
    if pause is not None:
        assert asked >= NOW + min(pause, LONGEST_PAUSE)
