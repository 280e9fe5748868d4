"""Steps, holes and thinning of a product's history."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.history.observation import Availability, Flag, Kind, Seen
from core.history.timeline import axes, series
from core.history.timeline.daily_timeline import DailyTimeline
from core.history.timeline.snapshot_timeline import SnapshotTimeline

NOTHING = float("nan")
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY_COLUMNS = (
    "price_open", "price_low", "price_high", "price_close", "list_price", "bsr_open", "bsr_best",
    "bsr_worst", "bsr_close", "rating", "ratings_count", "in_stock_share",
)  # fmt: skip


def times_of(*hours: float) -> np.ndarray:
    start = np.datetime64("2026-01-01T00:00", "us")
    return start + (np.array(hours) * 3600e6).astype("m8[us]")


def hours_of(times: np.ndarray) -> list[float]:
    return [float(hour) for hour in (times - times_of(0)[0]) / np.timedelta64(1, "h")]


def history_frame(hours: list[float], **columns: object) -> pd.DataFrame:
    """Return a history frame: by default accepted samples of every field."""
    count = len(hours)
    usual: dict[str, object] = {
        "captured_at": pd.DatetimeIndex(times_of(*hours)).tz_localize("UTC"),
        "kind": np.full(count, int(Kind.SAMPLE)),
        "seen": np.full(count, int(~Seen.NONE)),
        "flags": np.zeros(count, dtype=np.int64),
        "bsr_category": np.full(count, 1),
        "availability": np.full(count, int(Availability.IN_STOCK)),
    }
    values = ["price", "list_price", "buy_box_price", "bsr", "rating", "ratings_count"]
    usual |= {name: np.full(count, NOTHING) for name in values}
    return pd.DataFrame(usual | columns)


def timeline_of(frame: pd.DataFrame, until: datetime | None = None) -> SnapshotTimeline:
    """A period of a history frame; `until` None: it ends with the last snapshot."""
    columns = {name: frame[name].to_numpy() for name in frame.columns}
    columns["captured_at"] = frame["captured_at"].dt.tz_convert(None).to_numpy("datetime64[us]")
    ends = [START, *frame["captured_at"].dt.to_pydatetime()]
    return SnapshotTimeline(columns, START, until or ends[-1])


def daily_timeline_of(frame: pd.DataFrame, last_day: date = date(2026, 1, 1)) -> DailyTimeline:
    """A period of a frame of days; a column that is left out knows nothing."""
    count = len(frame)
    columns = {name: np.full(count, NOTHING) for name in DAY_COLUMNS}
    columns |= {"bsr_category": np.full(count, -1), "looks": np.full(count, 24)}
    columns |= {name: frame[name].to_numpy() for name in frame.columns}
    columns["day"] = frame["day"].to_numpy("datetime64[us]")
    return DailyTimeline(columns, START, START, last_day)


def steps(hours: list[float], values: list[float], kind: Kind = Kind.SAMPLE, **options: object):
    times, shown = series.change_points(
        times_of(*hours), np.array(values, dtype=float), np.full(len(hours), int(kind)), **options
    )
    return hours_of(times), [None if np.isnan(value) else value for value in shown]


def test_a_price_that_stays_needs_only_its_first_and_last_point():
    assert steps([0, 1, 2, 3], [5, 5, 5, 5]) == ([0, 3], [5, 5])


def test_each_change_of_price_is_kept():
    assert steps([0, 1, 2, 3], [5, 6, 6, 5]) == ([0, 1, 3], [5, 6, 5])


def test_a_price_holds_until_an_observation_has_none():
    assert steps([0, 1, 2, 3], [5, 5, NOTHING, 7]) == ([0, 2, 2, 3], [5, 5, None, 7])


def test_a_sample_holds_no_longer_than_the_longest_hold():
    hours, values = steps([0, 1, 20, 21], [5, 5, 5, 5], max_gap=np.timedelta64(4, "h"))
    assert (hours, values) == ([0, 5, 5, 20, 21], [5, 5, None, 5, 5])


def test_a_change_holds_through_any_silence():
    assert steps([0, 5000], [5, 6], Kind.CHANGE) == ([0, 5000], [5, 6])


def test_daily_observations_before_hourly_ones_are_no_gaps():
    hours = [24.0 * day for day in range(60)] + [60 * 24 + hour for hour in range(700)]
    _, values = steps(hours, [5.0] * len(hours))
    assert None not in values


def test_ten_days_without_an_observation_are_a_gap_among_daily_ones():
    hours = [24.0 * day for day in range(60) if not 30 <= day < 40]
    _, values = steps(hours, [5.0] * len(hours))
    assert values.count(None) == 1


def test_the_rank_line_breaks_where_the_category_changes():
    frame = history_frame([0, 1, 2], bsr=[10.0, 11, 900], bsr_category=[1, 1, 2])
    line = timeline_of(frame).get_line(series.RANK)
    assert hours_of(line.times) == [0, 1, 2, 2, 2]
    np.testing.assert_equal(line.values, [10, 11, 11, NOTHING, 900])


def test_a_source_that_does_not_report_the_price_makes_no_gap():
    frame = history_frame([0, 1, 2], price=[500.0, NOTHING, 500])
    frame.loc[1, "seen"] = int(Seen.BSR)
    line = timeline_of(frame).get_line(series.PRICE)
    assert line.values.tolist() == [500, 500]


def test_a_flagged_price_is_no_part_of_the_line_but_a_point():
    frame = history_frame([0, 1, 2], price=[500.0, 50000, 500])
    frame.loc[1, "flags"] = int(Flag.PRICE_JUMP)
    timeline = timeline_of(frame)
    assert timeline.get_line(series.PRICE).scale_values(100).values.tolist() == [5, 5]
    flagged = timeline.get_flagged_points(series.PRICE).scale_values(100)
    assert (hours_of(flagged.times), flagged.values.tolist()) == ([1], [500])


def test_a_flagged_rank_does_not_flag_the_price():
    frame = history_frame([0, 1], price=[500.0, 600])
    frame["flags"] = int(Flag.RANK_INVALID)
    assert timeline_of(frame).get_line(series.PRICE).values.tolist() == [500, 600]


def test_an_empty_history_has_empty_lines():
    timeline = timeline_of(history_frame([]))
    assert timeline.get_line(series.PRICE).is_empty
    assert timeline.get_line(series.RANK).is_empty
    assert timeline.find_states() == []
    assert timeline.find_holes() == []


def test_thinning_keeps_the_best_and_the_worst_rank():
    values = np.full(10_000, 500.0)
    values[3333], values[7777] = 1.0, 99_999.0
    _, kept = series.downsample_min_max(times_of(*range(10_000)), values)
    assert kept.min() == 1
    assert kept.max() == 99_999
    assert len(kept) <= series.MOST_RANK_POINTS


def test_thinning_keeps_the_edges_of_a_hole():
    values = np.arange(10_000, dtype=float)
    values[5000:5010] = NOTHING
    _, kept = series.downsample_min_max(times_of(*range(10_000)), values)
    assert {4999.0, 5010.0} <= set(kept)
    assert np.isnan(kept).any()


@given(
    st.integers(1, 6000),
    st.floats(0, 1),
    st.sampled_from([10, 11, 12, 300, series.MOST_RANK_POINTS]),
    st.integers(0, 2**32 - 1),
)
def test_thinning_keeps_both_ends_and_no_more_than_was_asked_for(count, share, most, seed):
    chance = np.random.default_rng(seed)
    values = chance.integers(1, 10_000, count).astype(float)
    values[chance.random(count) < share] = NOTHING
    all_times = times_of(*range(count))
    times, kept = series.downsample_min_max(all_times, values, most)
    assert len(kept) <= most
    assert (np.diff(times) > np.timedelta64(0)).all()
    assert (times[0], times[-1]) == (all_times[0], all_times[-1])


@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.sampled_from([NOTHING, 1.0, 2.0]), st.booleans()),
        max_size=60,
    )
)
def test_steps_have_each_observations_value_at_its_time(rows):
    hours = np.cumsum([gap for gap, _, _ in rows]).tolist()
    written = np.array([value for _, value, _ in rows], dtype=float)
    kind = np.array([int(is_change) for _, _, is_change in rows], dtype=np.int64)
    times, values = series.change_points(times_of(*hours), written, kind)
    assert (np.diff(times) >= np.timedelta64(0)).all()
    if rows:
        held = np.searchsorted(times, times_of(*hours), side="right") - 1
        np.testing.assert_equal(values[held], written)


def test_a_long_hold_gets_points_for_the_pointer_but_a_hole_gets_none():
    line = series.Line(times_of(0, 100, 100, 200), np.array([5, 5, NOTHING, 7]))
    denser = series.with_hover_points(line, moments=20)
    assert hours_of(denser.times) == [0, *range(10, 100, 10), 100, 100, 200]
    assert denser.values[:11].tolist() == [5] * 11


@given(st.lists(st.integers(0, 5000), min_size=0, max_size=30, unique=True))
def test_points_for_the_pointer_change_no_value(hours):
    times = times_of(*sorted(hours))
    line = series.Line(times, np.arange(len(times), dtype=float))
    denser = series.with_hover_points(line)
    assert (np.diff(denser.times) > np.timedelta64(0)).all()
    held = np.searchsorted(times, denser.times, side="right") - 1
    np.testing.assert_equal(denser.values, line.values[held])


def test_a_state_lasts_until_another_is_observed():
    states = [Availability.IN_STOCK, Availability.UNAVAILABLE, 0, Availability.LIMITED]
    frame = history_frame([0, 1, 2, 3], availability=[int(state) for state in states])
    found = timeline_of(frame).find_states()
    assert [(hours_of(np.array([start, end])), state) for start, end, state in found] == [
        ([0, 1], Availability.IN_STOCK),
        ([1, 3], Availability.UNAVAILABLE),
        ([3, 3], Availability.LIMITED),
    ]


def test_an_unknown_availability_is_no_state():
    frame = history_frame([0, 1], availability=[0, 0])
    assert timeline_of(frame).find_states() == []


def test_a_hole_is_longer_than_a_sample_may_hold():
    frame = history_frame([24, 25, 26, 50, 51])
    until = START + timedelta(hours=60)
    found = timeline_of(frame, until).find_holes()
    assert [hours_of(np.array(hole)) for hole in found] == [[0, 24], [29, 50], [54, 60]]


def test_a_change_leaves_no_hole():
    frame = history_frame([0, 200], kind=[int(Kind.CHANGE)] * 2)
    assert timeline_of(frame, START + timedelta(hours=900)).find_holes() == []


@pytest.mark.parametrize(
    ("best", "worst", "ticks"),
    [
        (1, 2500, [1, 10, 100, 1000, 10000]),
        (900, 1300, [900, 1000, 1100, 1200, 1300, 1400]),
        (23, 25, [23, 24, 25, 26]),
        (1, 1, [1, 2]),
        (1, 9, [1, 2, 4, 6, 8, 10]),
        (1626, 16387, [2000, 5000, 10000]),
        (177, 2339, [200, 500, 1000, 2000]),
        (1005, 4800, [1500, 2000, 3000]),
    ],
)
def test_a_rank_axis_has_ticks_however_little_it_spans(best, worst, ticks):
    assert axes.rank_ticks(best, worst) == ticks


@given(st.integers(1, 5_000_000), st.integers(1, 5_000_000))
def test_a_rank_axis_has_two_to_nine_ticks(one, other):
    ticks = axes.rank_ticks(min(one, other), max(one, other))
    assert 2 <= len(ticks) <= 9
    assert ticks == sorted(set(ticks))


@given(st.integers(1, 5_000_000), st.integers(0, 50))
@example(1202, 8)
def test_labels_of_nearly_equal_ranks_do_not_overlap(best, more):
    line = series.Line(times_of(0, 1), np.array([best, best + more], dtype=float))
    worst_end, best_end = axes.rank_range(line)
    ticks = axes.rank_ticks(best_end, worst_end)
    distances = np.diff(np.log(ticks)) / np.log(worst_end / best_end)
    assert distances.min() >= 0.04


def test_a_missing_day_is_a_hole_in_a_line_of_days():
    daily = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-05"]),
            "price_close": [1.0, 2, 3],
        }
    )
    line = daily_timeline_of(daily).get_line(series.PRICE)
    assert np.isnan(line.values).sum() == 1


def test_the_area_of_days_runs_forward_on_the_highs_and_back_on_the_lows():
    daily = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-01-01", "2026-01-02"]),
            "price_low": [1.0, 2],
            "price_high": [5.0, 6],
        }
    )
    outline = daily_timeline_of(daily).get_band(series.PRICE)
    np.testing.assert_equal(outline.values, [5, 6, 2, 1, NOTHING])


def test_ten_years_of_days_make_a_small_area():
    days = pd.date_range("2016-01-01", periods=3650)
    daily = pd.DataFrame({"day": days, "price_low": 1.0, "price_high": 2.0})
    assert len(daily_timeline_of(daily).get_band(series.PRICE)) <= 2 * series.MOST_BAND_POINTS + 3


def test_an_area_of_joined_days_ends_where_its_days_end():
    days = pd.date_range("2020-01-01", periods=1100)  # joined by five
    daily = pd.DataFrame({"day": days, "price_low": 1.0, "price_high": 2.0})
    last = daily_timeline_of(daily).get_band(series.PRICE).times.max()
    assert abs(last - days[-1].to_datetime64()) <= np.timedelta64(5, "D")


def test_neighbouring_days_out_of_stock_are_one_stretch():
    days = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-05"])
    daily = pd.DataFrame({"day": days, "in_stock_share": [1.0, 0, 0, 0]})
    timeline = daily_timeline_of(daily, date(2026, 1, 6))
    found = [
        (str(start)[:10], str(end)[:10])
        for start, end, state in timeline.find_states()
        if state is Availability.UNAVAILABLE
    ]
    assert found == [("2026-01-02", "2026-01-04"), ("2026-01-05", "2026-01-06")]
    holes = [(str(start)[:10], str(end)[:10]) for start, end in timeline.find_holes()]
    assert holes == [("2026-01-04", "2026-01-05"), ("2026-01-06", "2026-01-07")]
