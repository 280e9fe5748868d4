"""Who held a Buy Box, on rows few enough to check by hand."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.buy_box.holders import UNKNOWN_HOLDER, Holder, HolderState, make_vacancy
from core.history.buy_box.periods import BuyBoxHistory, HolderRows, PeriodEnd, find_history
from core.history.observation import Availability, Fulfilment, Kind
from core.history.timeline.statistics import MissingReason

START = datetime(2026, 3, 1, tzinfo=UTC)
LAMPS, PROFI = Holder(HolderState.SELLER, "A1", "Lamps", True), Holder(HolderState.SELLER, "A2")
GONE, SUPPRESSED = (
    make_vacancy(each) for each in (Availability.UNAVAILABLE, Availability.BUY_BOX_SUPPRESSED)
)
HOLDERS = [LAMPS, PROFI, GONE, SUPPRESSED, UNKNOWN_HOLDER]
NO_PRICE = float("nan")


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def rows_of(
    *rows: tuple[float, Holder, float], kind: Kind = Kind.SAMPLE, fulfilment: int = 0
) -> HolderRows:
    """Return rows of (hour, holder, price)."""
    start = np.datetime64("2026-03-01", "us")
    hours = np.array([row[0] for row in rows])
    return HolderRows(
        times=start + (hours * 3600e6).astype("m8[us]"),
        kind=np.full(len(rows), int(kind)),
        holder=np.array([HOLDERS.index(row[1]) for row in rows], dtype=np.int64),
        price=np.array([row[2] for row in rows], dtype=np.float64),
        fulfilment=np.full(len(rows), fulfilment),
        holders=HOLDERS,
    )


def history_of(rows: HolderRows, since: float = 0, until: float = 100) -> BuyBoxHistory:
    return find_history(rows, at(since), at(until))


def spans_of(history: BuyBoxHistory) -> list[tuple[Holder, datetime, datetime]]:
    return [(each.holder, each.since, each.until) for each in history.periods]


def test_a_holder_holds_until_another_one_is_seen():
    history = history_of(
        rows_of((0, LAMPS, 1000), (1, LAMPS, 900), (2, PROFI, 880), (3, GONE, NO_PRICE))
    )
    assert spans_of(history) == [
        (LAMPS, at(0), at(2)),
        (PROFI, at(2), at(3)),
        (GONE, at(3), at(3)),  # the last sample is known at its own time alone
    ]
    first, second, last = history.periods
    assert (first.first_price, first.last_price, first.average_price) == (1000, 900, 950)
    assert (first.last_known, first.end) == (at(1), PeriodEnd.CHANGED)
    assert (second.last_price, second.duration) == (880, timedelta(hours=1))
    assert (last.average_price, last.end) == (None, PeriodEnd.OPEN)
    assert {each.holder: each.share for each in history.shares} == {
        LAMPS: pytest.approx(2 / 3), PROFI: pytest.approx(1 / 3), GONE: 0,
    }  # fmt: skip


def test_a_hole_ends_a_period_of_samples_and_weighs_nothing():
    hours = (0, 1, 2, 3, 50, 51)
    history = history_of(rows_of(*((hour, LAMPS, 1000.0) for hour in hours)))
    assert spans_of(history) == [(LAMPS, at(0), at(6)), (LAMPS, at(50), at(51))]
    assert [each.end for each in history.periods] == [PeriodEnd.SILENT, PeriodEnd.OPEN]
    [share] = history.shares
    assert (share.share, share.held, share.last_known) == (1, timedelta(hours=7), at(51))


def test_silence_after_a_change_means_unchanged():
    rows = rows_of((0, LAMPS, 1000), (70, PROFI, 900), kind=Kind.CHANGE)
    history = history_of(rows)
    assert spans_of(history) == [(LAMPS, at(0), at(70)), (PROFI, at(70), at(100))]
    assert [each.last_known for each in history.periods] == [at(70), at(100)]
    assert [each.share for each in history.shares] == [0.7, 0.3]


def test_what_held_before_a_range_holds_into_it_and_is_marked_as_cut():
    rows = rows_of((-80, LAMPS, 1000), (40, PROFI, 900), (160, LAMPS, 950), kind=Kind.CHANGE)
    history = history_of(rows)
    assert spans_of(history) == [(LAMPS, at(0), at(40)), (PROFI, at(40), at(100))]
    assert [each.is_cut for each in history.periods] == [True, False]
    assert history.periods[-1].end is PeriodEnd.OPEN


def test_an_unknown_holder_has_its_periods_and_no_share():
    rows = rows_of(
        (0, LAMPS, 1000), (1, UNKNOWN_HOLDER, 990), (3, SUPPRESSED, NO_PRICE), (4, LAMPS, 1)
    )
    history = history_of(rows)
    assert [each.holder for each in history.periods] == [LAMPS, UNKNOWN_HOLDER, SUPPRESSED, LAMPS]
    assert {each.holder: each.share for each in history.shares} == {LAMPS: 0.5, SUPPRESSED: 0.5}


def test_one_observation_is_the_whole_of_what_is_known():
    history = history_of(
        rows_of((5, LAMPS, 1000), kind=Kind.SAMPLE, fulfilment=int(Fulfilment.FBA))
    )
    assert spans_of(history) == [(LAMPS, at(5), at(5))]
    [share] = history.shares
    assert (share.share, share.average_price, share.held) == (1, 1000, timedelta(0))
    assert share.fulfilment is Fulfilment.FBA


def test_nothing_observed_has_its_reason():
    assert history_of(rows_of()).reason is MissingReason.NOT_REPORTED
    outside = history_of(rows_of((-50, LAMPS, 1000)))
    assert (outside.periods, outside.shares) == ((), ())
    assert outside.reason is MissingReason.NO_OBSERVATION


def test_days_hold_for_a_day_each():
    days = rows_of((0, LAMPS, 1000), (24, PROFI, 900), (96, PROFI, 900))
    history = find_history(days, at(0), at(120), max_gap=np.timedelta64(1, "D"))
    assert spans_of(history) == [
        (LAMPS, at(0), at(24)), (PROFI, at(24), at(48)), (PROFI, at(96), at(120)),
    ]  # fmt: skip
    assert [each.share for each in history.shares] == [pytest.approx(2 / 3), pytest.approx(1 / 3)]


SOME_ROWS = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.sampled_from(HOLDERS),
        st.sampled_from([NO_PRICE, 900.0, 1000.0]),
        st.sampled_from(Kind),
    ),
    min_size=1,
    max_size=30,
)


def mixed_rows(steps: list[tuple[int, Holder, float, Kind]]) -> HolderRows:
    hours = np.cumsum([step[0] for step in steps])
    rows = rows_of(*((hour, step[1], step[2]) for hour, step in zip(hours, steps, strict=True)))
    kinds = np.array([int(step[3]) for step in steps])
    return HolderRows(rows.times, kinds, rows.holder, rows.price, rows.fulfilment, HOLDERS)


@given(SOME_ROWS, st.integers(0, 300), st.integers(1, 300))
def test_shares_sum_to_one_and_periods_never_overlap(steps, since, length):
    history = history_of(mixed_rows(steps), since, since + length)
    assert not history.shares or sum(each.share for each in history.shares) == pytest.approx(1)
    for period in history.periods:
        assert at(since) <= period.since <= period.last_known <= period.until <= at(since + length)
    for one, next_one in pairwise(history.periods):
        assert one.until <= next_one.since
        assert one.holder != next_one.holder or one.until < next_one.since
    known = [each for each in history.periods if each.holder is not UNKNOWN_HOLDER]
    for share in history.shares:
        spans = [each.duration for each in known if each.holder == share.holder]
        assert sum(spans, timedelta(0)) == share.held


@given(SOME_ROWS, st.lists(st.integers(1, 100), min_size=1, max_size=5))
def test_the_pieces_of_a_range_hold_what_the_range_holds(steps, lengths):
    rows, edges = mixed_rows(steps), np.cumsum([0, *lengths]).tolist()
    whole = history_of(rows, edges[0], edges[-1])
    pieces = [history_of(rows, *each) for each in pairwise(edges)]
    held: dict[Holder, timedelta] = {}
    for piece in pieces:
        for share in piece.shares:
            held[share.holder] = held.get(share.holder, timedelta(0)) + share.held
    assert {each.holder: each.held for each in whole.shares} == {
        holder: held[holder] for holder in {each.holder for each in whole.shares}
    }
    joined = [span for piece in pieces for span in spans_of(piece) if span[1] < span[2]]
    assert join_spans(joined) == join_spans([each for each in spans_of(whole) if each[1] < each[2]])


def join_spans(spans: list[tuple[Holder, datetime, datetime]]):
    """Join the neighbours of one holder, which an edge of two ranges parts."""
    joined: list[tuple[Holder, datetime, datetime]] = []
    for span in spans:
        if joined and joined[-1][0] == span[0] and joined[-1][2] == span[1]:
            joined[-1] = (span[0], joined[-1][1], span[2])
        else:
            joined.append(span)
    return joined


def test_forty_sellers_of_one_buy_box_share_it():
    sellers = [Holder(HolderState.SELLER, f"A{number:08}") for number in range(40)]
    rows = rows_of(*((hour, LAMPS, 1000.0 + hour % 40) for hour in range(4000)))
    rows = HolderRows(
        rows.times, rows.kind, np.arange(4000) % 40, rows.price, rows.fulfilment, sellers
    )
    history = history_of(rows, until=4000)
    assert (len(history.periods), len(history.shares)) == (4000, 40)
    assert sum(each.share for each in history.shares) == pytest.approx(1)
    assert {each.average_price for each in history.shares} == {1000.0 + at for at in range(40)}
