"""Deals and coupons as rows."""

import numpy as np

from core.history.chart.content import Deal
from core.history.promotions.coupons import CouponPeriod
from core.history.promotions.text import (
    PromotionRow,
    PromotionTimes,
    describe_promotions,
    list_rows,
)


def day(number: int) -> np.datetime64:
    return np.datetime64(f"2026-03-{number:02}", "us")


def test_a_deal_has_its_depth_against_the_price_before():
    deals = [Deal(day(1), day(3), 3550, 5000), Deal(day(9), day(10), 4000, float("nan"))]
    coupons = [CouponPeriod(day(4), day(4), 200, None), CouponPeriod(day(5), day(6), None, 10)]
    rows = list_rows(deals, coupons, "US", PromotionTimes("UTC", day(10), False))
    assert [(row.kind, row.until, row.duration, row.depth, row.price) for row in rows] == [
        ("Deal", "now", "1 d", "not known: no price before", "$40.00"),
        ("Coupon", "6 Mar 2026, 00:00", "1 d", "−10\u202f%", ""),
        ("Coupon", "4 Mar 2026, 00:00", "seen once", "−$2.00", ""),
        ("Deal", "3 Mar 2026, 00:00", "2 d", "−29\u202f%", "$35.50"),
    ]
    assert describe_promotions(rows, "March").startswith("2 deals and 2 coupons in March.")
    assert describe_promotions([], "March") == "No deal and no coupon in March."


def test_by_day_a_deal_ends_with_its_last_day():
    times = PromotionTimes("UTC", day(9), True)
    [row] = list_rows([Deal(day(1), day(3), 355, 500)], [], "JP", times)
    assert row == PromotionRow("Deal", "1 Mar 2026", "2 Mar 2026", "2 d", "−29\u202f%", "￥355")
