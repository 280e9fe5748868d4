"""Statistics of a period, on frames small enough to check by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from core.history.observation import Availability, Flag, Kind, Seen
from core.history.timeline.series import Line
from core.history.timeline.statistics import (
    MissingReason,
    weighted_median,
)
from tests.core.history.timeline.test_series import daily_timeline_of, history_frame, timeline_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def end_of(frame: pd.DataFrame) -> datetime:
    last: datetime = frame["captured_at"].iloc[-1].to_pydatetime()
    return last


def test_an_average_price_is_weighted_by_how_long_each_price_held():
    frame = history_frame([0, 1, 2, 3, 4], price=[1000.0, 1000, 1000, 2000, 2000])
    price = timeline_of(frame).compute_statistics().price
    assert price.average.value == (3 * 1000 + 1 * 2000) / 4
    assert (price.low.value, price.high.value) == (1000, 2000)
    assert (price.start.value, price.now.value) == (1000, 2000)
    assert price.changes.value == 1


def test_time_without_observations_weighs_nothing():
    frame = history_frame([0, 1, 2, 3, 100, 101], price=[1000.0, 1000, 1000, 1000, 3000, 3000])
    price = timeline_of(frame).compute_statistics().price
    # 3 hours of observations and 3 that a sample may hold, then one hour at the end.
    assert price.average.value == (6 * 1000 + 1 * 3000) / 7


def test_a_last_change_holds_until_the_end_of_the_period():
    frame = history_frame([0, 10], price=[1000.0, 2000], kind=[int(Kind.CHANGE)] * 2)
    price = timeline_of(frame, end_of(frame) + timedelta(hours=30)).compute_statistics().price
    assert price.average.value == (10 * 1000 + 30 * 2000) / 40


def test_a_flagged_price_counts_nowhere():
    frame = history_frame(
        [0, 1, 2], price=[1999.0, 199900, 1999], flags=[0, int(Flag.PRICE_JUMP), 0]
    )
    statistics = timeline_of(frame).compute_statistics()
    assert statistics.price.high.value == 1999
    assert statistics.price.changes.value == 0
    assert statistics.flagged == 1


def test_a_price_that_is_none_now_still_has_statistics():
    frame = history_frame([0, 1], price=[1999.0, np.nan], seen=[int(Seen.PRICE)] * 2)
    price = timeline_of(frame).compute_statistics().price
    assert (price.now.value, price.now.reason) == (None, MissingReason.ABSENT)
    assert price.low.value == 1999


def test_a_field_that_no_source_reports_has_that_reason():
    frame = history_frame([0, 1], price=[1.0, 2], seen=[int(Seen.PRICE)] * 2)
    rank = timeline_of(frame).compute_statistics().rank
    assert rank.now.reason == rank.average.reason == MissingReason.NOT_REPORTED


def test_a_field_with_only_flagged_values_has_that_reason():
    frame = history_frame([0], price=[5.0], flags=[int(Flag.PRICE_JUMP)])
    assert timeline_of(frame).compute_statistics().price.now.reason == MissingReason.ONLY_FLAGGED


def test_an_empty_period_has_that_reason():
    statistics = timeline_of(history_frame([])).compute_statistics()
    assert statistics.price.now.reason == MissingReason.NO_OBSERVATION
    assert statistics.in_stock_share.reason == MissingReason.NO_OBSERVATION
    assert statistics.observations == 0


def test_one_observation_gives_no_number_of_changes():
    frame = history_frame([0], price=[5.0])
    price = timeline_of(frame).compute_statistics().price
    assert price.changes.reason == MissingReason.SEEN_ONCE
    assert price.average.value == 5


def test_ranks_of_an_earlier_category_are_not_compared():
    frame = history_frame([0, 1, 2], bsr=[5.0, 900, 800], bsr_category=[1, 2, 2])
    rank = timeline_of(frame).compute_statistics().rank
    assert (rank.low.value, rank.high.value, rank.start.value) == (800, 900, 900)
    assert rank.median.value == 900


def test_a_median_is_weighted_by_time_and_not_by_checks():
    daily = [24.0 * day for day in range(30)]
    hourly = [daily[-1] + hour for hour in range(1, 49)]
    ranks = [7000.0] * len(daily) + [2000.0] * len(hourly)
    frame = history_frame([*daily, *hourly], bsr=ranks, bsr_category=[1] * len(ranks))
    assert timeline_of(frame).compute_statistics().rank.median.value == 7000


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=12),
    st.lists(st.integers(1, 5), min_size=12, max_size=12),
)
def test_a_median_is_that_of_every_hour_written_out(values: list[int], hours: list[int]):
    held = hours[: len(values)]
    times = np.datetime64("2026-03-01", "us") + np.cumsum([0, *held]).astype("timedelta64[h]")
    line = Line(times[:-1], np.array(values, dtype=np.float64))
    assert weighted_median(line, times[-1]) == np.median(np.repeat(values, held))


def test_time_in_stock_is_a_share_of_the_time_that_is_known():
    states = [Availability.IN_STOCK, Availability.LIMITED, Availability.UNAVAILABLE, 0, 1]
    frame = history_frame([0, 1, 2, 3, 4], availability=[int(state) for state in states])
    share = timeline_of(frame).compute_statistics().in_stock_share
    assert share.value == 2 / 4  # out of stock from hour 2 until it was seen again at hour 4


def days_frame(**columns: list[float]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    names = [
        "price_open",
        "price_low",
        "price_high",
        "price_close",
        "list_price",
        "bsr_open",
        "bsr_best",
        "bsr_worst",
        "bsr_close",
        "rating",
        "ratings_count",
        "in_stock_share",
    ]
    frame = pd.DataFrame({name: columns.get(name, [np.nan] * count) for name in names})
    frame["day"] = pd.date_range("2026-01-01", periods=count)
    frame["bsr_category"], frame["looks"] = 1, 24
    return frame


def test_days_give_extremes_of_their_lows_and_highs():
    daily = days_frame(
        price_low=[900, 1000], price_high=[1100, 1500], price_close=[1000, 1200],
        in_stock_share=[1.0, 0.5],
    )  # fmt: skip
    statistics = daily_timeline_of(daily).compute_statistics()
    price = statistics.price
    assert (price.low.value, price.high.value, price.average.value) == (900, 1500, 1100)
    assert price.changes.reason == MissingReason.ONLY_DAYS
    assert statistics.in_stock_share.value == 0.75
    assert statistics.rank.now.reason == MissingReason.ABSENT
    assert statistics.observations == 48


def test_a_sparkline_of_ranks_leaves_the_former_category_out():
    frame = history_frame([0, 1, 2, 3], bsr=[9000.0, 9000, 12, 14], bsr_category=[1, 1, 2, 2])
    line = timeline_of(frame).get_comparable_ranks()
    assert set(line.values[~np.isnan(line.values)]) == {12, 14}
