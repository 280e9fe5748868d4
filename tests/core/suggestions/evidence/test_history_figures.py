"""Figures of a product's own history."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.suggestions.evidence.history_figures import (
    HistoryDay,
    calculate_quantile,
    make_history_figures,
)
from core.suggestions.rules import Evidence
from core.thresholds import Thresholds

TODAY = date(2026, 11, 2)


def day(ago: int, price: int | None = 2000, bsr: int | None = 500, **values: object) -> HistoryDay:
    usual = HistoryDay(TODAY - timedelta(ago), price, price, price, bsr, 7, 1.0, 24)
    return usual._replace(**values)


def figures(*days: HistoryDay, category_id: int = 7) -> dict[str, Evidence]:
    ordered = sorted(days)
    thresholds = Thresholds(Decimal(5), Decimal(50))
    found = make_history_figures(ordered, TODAY, "USD", category_id, thresholds, {})
    return {each.key: each for each in found}


def values(*days: HistoryDay, category_id: int = 7) -> dict[str, object]:
    return {key: each.value for key, each in figures(*days, category_id=category_id).items()}


def test_the_usual_price_is_one_of_the_prices() -> None:
    found = figures(day(1, 2000), day(2, 2100), day(3, 2200), day(4, 9999))
    assert (found["price_median_30"].value, found["price_median_30"].unit) == (2100, "USD minor")
    assert found["price_median_30"].period == "last 30 days"
    assert (found["price_low_90"].value, found["price_high_90"].value) == (2000, 9999)


def test_today_and_days_before_the_period_are_left_out() -> None:
    found = values(day(0, 1), day(30, 2000), day(31, 3000), day(90, 3000), day(91, 1))
    assert (found["price_days_30"], found["price_days_90"]) == (1, 3)
    assert (found["price_median_30"], found["price_median_90"]) == (2000, 3000)


def test_unknown_figures_are_left_out_and_never_0() -> None:
    found = values(day(1, None, None, in_stock=None, observations=0))
    assert found == {
        "price_days_30": 0,
        "price_days_90": 0,
        "rank_days_30": 0,
        "rank_days_90": 0,
        "stock_days_30": 0,
        "stock_days_90": 0,
        "price_threshold": 5.0,
        "price_moves_90": 0,
        "rank_threshold": 50.0,
        "rank_moves_90": 0,
    }
    assert values() == found


def test_ranks_of_another_category_are_not_compared() -> None:
    found = values(day(1, bsr=500), day(2, bsr=90_000, category_id=8), day(3, bsr=400))
    assert (found["rank_days_90"], found["bsr_worst_90"], found["rank_moves_90"]) == (2, 500, 0)


def test_a_move_is_from_one_day_to_the_next_and_not_over_a_hole() -> None:
    found = values(day(1, 3000), day(2, 2000), day(4, 1000))
    assert (found["price_moves_90"], found["price_alerts_90"]) == (1, 1)


def test_days_that_passed_a_threshold_are_counted() -> None:
    prices = [2000, 2100, 2000, 2000, 2010]  # +5 %, −4.8 %, none, +0.5 %
    found = values(*(day(9 - place, price) for place, price in enumerate(prices)))
    assert (found["price_moves_90"], found["price_alerts_90"]) == (4, 1)


def test_a_rank_moves_as_far_up_as_down() -> None:
    down, up = values(day(2, bsr=100), day(1, bsr=200)), values(day(2, bsr=200), day(1, bsr=100))
    assert down["bsr_move_90"] == up["bsr_move_90"] == 100.0
    assert down["rank_alerts_90"] == up["rank_alerts_90"] == 1


def test_time_out_of_stock_is_a_share_of_the_days_with_known_availability() -> None:
    found = values(day(1, in_stock=0.0), day(2, in_stock=0.5), day(3, in_stock=None), day(4))
    assert (found["out_of_stock_30"], found["stock_days_30"]) == (50.0, 3)


def test_checks_per_day_leave_out_days_without_one() -> None:
    found = values(day(1), day(2, observations=0), day(3, observations=12), day(4, price_low=1900))
    assert (found["looks_per_day_30"], found["price_ranges_30"]) == (20.0, 1)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.9, 9), (0.91, 10), (1.0, 10)])
def test_a_quantile_is_one_of_the_values(share: float, value: int) -> None:
    assert calculate_quantile(range(1, 11), share) == value
