"""Coupons as periods."""

import numpy as np

from core.history.observation import Kind, Seen
from core.history.promotions.coupons import find_coupons
from tests.core.history.timeline.test_series import history_frame, hours_of, timeline_of

NOTHING = float("nan")


def test_a_coupon_lasts_until_another_or_none_is_seen():
    every = int(Seen.COUPON)
    frame = history_frame(
        [0, 1, 2, 3, 4, 5],
        coupon_amount=[NOTHING, NOTHING, NOTHING, 200, NOTHING, NOTHING],
        coupon_percent=[NOTHING, 10, 10, NOTHING, NOTHING, 5],
        seen=[every, every, int(Seen.PRICE), every, every, every],
        kind=[int(Kind.SAMPLE)] * 6,
    )
    found = find_coupons(timeline_of(frame))
    hours = [hours_of(np.array([each.since, each.until])) for each in found]
    values = [(each.amount, each.percent) for each in found]
    assert [(*span, *value) for span, value in zip(hours, values, strict=True)] == [
        (1, 3, None, 10), (3, 4, 200, None), (5, 5, None, 5),
    ]  # fmt: skip


def test_a_source_without_coupons_has_none():
    frame = history_frame(
        [0, 1],
        coupon_amount=[NOTHING] * 2,
        coupon_percent=[NOTHING] * 2,
        seen=[int(Seen.PRICE)] * 2,
    )
    assert find_coupons(timeline_of(frame)) == []
