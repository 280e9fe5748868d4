"""When a product is due again after a fetch."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tracking.rules import LONGEST_RETRY, Cadence
from tests.core.scraping.runs.due_times import next_due, retry_due
from tests.factories.observations import NOON


@pytest.mark.parametrize(
    ("cadence", "hours"),
    [(Cadence.HOURLY, 1), (Cadence.SIX_HOURS, 6), (Cadence.DAILY, 24), (Cadence.WEEKLY, 168)],
)
def test_a_product_is_due_again_after_its_cadence(cadence: Cadence, hours: int) -> None:
    assert next_due(NOON, NOON, cadence.minutes) == NOON + timedelta(hours=hours)


@pytest.mark.parametrize(("late", "due"), [(0, 60), (10, 60), (29, 60), (30, 90), (300, 360)])
def test_a_fetch_delays_the_next_only_from_half_a_cadence_on(late: int, due: int) -> None:
    ended_at = NOON + timedelta(minutes=late)
    assert next_due(NOON, ended_at, Cadence.HOURLY.minutes) == NOON + timedelta(minutes=due)


@pytest.mark.parametrize(
    ("failures", "minutes"), [(1, 5), (2, 10), (3, 20), (7, 320), (8, 360), (50, 360)]
)
def test_the_delay_after_a_failure_doubles_up_to_six_hours(failures: int, minutes: int) -> None:
    assert retry_due(NOON, failures, Cadence.WEEKLY.minutes) == NOON + timedelta(minutes=minutes)


@given(st.integers(1, 10**6), st.sampled_from(Cadence))
def test_a_retry_is_never_later_than_the_cadence(failures: int, cadence: Cadence) -> None:
    delay = retry_due(NOON, failures, cadence.minutes) - NOON
    assert timedelta(0) < delay <= min(LONGEST_RETRY, timedelta(minutes=cadence.minutes))
