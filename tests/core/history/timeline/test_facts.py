"""Facts of a period, on lines short enough to check by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.history.observation import Availability, Kind
from core.history.timeline import facts
from core.history.timeline.series import Line
from core.history.timeline.statistics import Measure, MissingReason
from core.history.timeline.summary import compute_facts
from tests.core.history.timeline.test_series import daily_timeline_of, history_frame, timeline_of
from tests.core.history.timeline.test_statistics import days_frame

DAY, NOTHING = 24.0, float("nan")
START = datetime(2026, 1, 1, tzinfo=UTC)


def line_of(*points: tuple[float, float]) -> Line:
    """Return a line of (day, value)."""
    start = np.datetime64("2026-01-01", "us")
    days = np.array([day for day, _ in points])
    return Line(start + (days * 86400e6).astype("m8[us]"), np.array([value for _, value in points]))


def day_of(number: float) -> np.datetime64:
    return line_of((number, 0)).times[0]


def test_changes_are_counted_by_week_of_the_known_time():
    line = line_of((0, 10), (5, 12), (7, NOTHING), (14, 11))
    found = facts.changes_per_week(line, day_of(21), Measure(2))
    assert found.value == pytest.approx(2 / 14 * 7)
    short = facts.changes_per_week(line_of((0, 10)), day_of(6.9), Measure(3))
    assert short.reason is MissingReason.TOO_SHORT
    unknown = Measure(None, MissingReason.ONLY_DAYS)
    assert facts.changes_per_week(line, day_of(21), unknown) is unknown


def test_a_price_stands_above_the_time_in_which_it_was_lower():
    line = line_of((0, 10), (3, 12), (7, NOTHING), (8, 11))
    assert facts.share_below(line, day_of(10), Measure(11)).value == pytest.approx(3 / 9)
    assert facts.share_below(line, day_of(10), Measure(10)).value == 0
    none_now = Measure(None, MissingReason.ABSENT)
    assert facts.share_below(line, day_of(10), none_now) is none_now


def test_days_since_a_change_count_from_another_known_price():
    now = START + timedelta(days=20, hours=5)
    again = line_of((0, 10), (3, 12), (7, NOTHING), (8, 12))
    found = facts.days_since_change(again, now)
    assert (found.value, found.at) == (17, START + timedelta(days=3))
    assert facts.days_since_change(line_of((0, 10)), now).reason is MissingReason.UNCHANGED
    assert facts.days_since_change(line_of((0, NOTHING)), now).reason is MissingReason.ABSENT


def test_a_rank_that_vanished_drops_once_when_it_comes_back_better():
    line = line_of((0, 100), (1, 90), (2, NOTHING), (150, 40), (151, 60))
    assert facts.count_drops(line).value == 2
    assert facts.count_drops(line_of((0, 5))).reason is MissingReason.SEEN_ONCE
    assert facts.count_drops(Line.make_empty()).reason is MissingReason.ABSENT


def test_an_average_begins_with_the_value_that_held():
    line = line_of((0, 10), (5, 20))
    assert facts.average_since(line, day_of(10), day_of(4)).value == pytest.approx(110 / 6)
    assert facts.average_since(line, day_of(10), day_of(-9)).value == 15
    gone = line_of((0, 10), (5, NOTHING))
    assert facts.average_since(gone, day_of(5), day_of(5)).reason is MissingReason.ABSENT


def test_states_share_the_time_that_is_known():
    gone, suppressed = int(Availability.GONE), int(Availability.BUY_BOX_SUPPRESSED)
    hours = [0.0, 1, 2, 3, 4, 100, 101]
    frame = history_frame(
        hours,
        availability=[1, gone, suppressed, 0, 1, 1, 1],
        price=[10.0, NOTHING, NOTHING, NOTHING, 12, 12, 11],
        bsr=[100.0, 90, 120, 110, NOTHING, 90, 80],
    )
    timeline = timeline_of(frame)
    found = compute_facts(timeline, timeline.compute_statistics(), START + timedelta(days=5))
    # In stock for 1 hour, gone for 1, suppressed for 2, in stock for 3 that a sample may hold + 1.
    assert found.out_of_stock.value == pytest.approx(1 / 8)
    assert found.suppressed.value == pytest.approx(2 / 8)
    assert found.price_percentile.value == pytest.approx(1 / 5)
    assert found.rank_drops.value == 4
    assert (found.days_since_price_change.value, found.price_changes_per_week.reason) == (
        0, MissingReason.TOO_SHORT,
    )  # fmt: skip


def test_nothing_observed_and_one_observation_have_reasons():
    for hours, reason in (([], MissingReason.NO_OBSERVATION), ([1.0], MissingReason.SEEN_ONCE)):
        frame = history_frame(hours, price=[5.0] * len(hours), bsr=[9.0] * len(hours))
        timeline = timeline_of(frame, START + timedelta(days=1))
        found = compute_facts(timeline, timeline.compute_statistics(), START)
        assert found.price_changes_per_week.reason is reason
        if hours:
            assert (found.out_of_stock.value, found.price_percentile.value) == (0, 0)


def test_days_have_shares_and_percentiles_but_neither_drops_nor_changes():
    frame = days_frame(
        price_close=[10, 20, 20, 30], in_stock_share=[1.0, 0, 1, 1], bsr_close=[5, 4, 3, 2]
    )
    timeline = daily_timeline_of(frame)
    found = compute_facts(timeline, timeline.compute_statistics(), START + timedelta(days=9))
    assert found.out_of_stock.value == 1 / 4
    assert found.price_percentile.value == 3 / 4
    assert found.days_since_price_change.at == START + timedelta(days=3)
    for each in (found.suppressed, found.rank_drops, found.price_changes_per_week):
        assert each.reason is MissingReason.ONLY_DAYS


def test_a_change_holds_to_the_end_of_the_period():
    frame = history_frame([0.0, 240], price=[10.0, 12], kind=[int(Kind.CHANGE)] * 2)
    timeline = timeline_of(frame, START + timedelta(days=20))
    found = compute_facts(timeline, timeline.compute_statistics(), timeline.until)
    assert found.price_percentile.value == 0.5
    assert found.price_changes_per_week.value == pytest.approx(7 / 20)
