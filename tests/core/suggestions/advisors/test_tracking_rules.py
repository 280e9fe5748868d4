"""Advice of the rules on tracking settings and competitors."""

from typing import Any

import pytest

from core.history.observation import Availability
from core.suggestions.advisors.rule_advisor import advise_by_rules
from core.suggestions.advisors.tracking_rules import (
    advise_cadence,
    advise_competitors,
    advise_pause,
    advise_price_threshold,
    advise_rank_threshold,
    round_up_percent,
)
from core.suggestions.rules import Advice, Change, Direction
from tests.core.suggestions.made_facts import facts, make_chosen_competitors, make_lookup

NOISY = {"price_threshold": 2.0, "price_alerts_90": 30, "price_wide_move_90": 7.2}
IDLE = {"price_changes_30": 0, "rank_alerts_90": 0, "looks_per_day_30": 23.5}
NEAR = {"candidate_1": "B0NEAR0001", "candidate_1_bsr": 700, "candidate_2": "B0NEAR0002"}


def proposed(advice: Advice | None) -> dict[str, Any] | None:
    return None if advice is None else dict(advice.actions[0].proposed)


def test_a_threshold_that_ordinary_days_pass_is_noise() -> None:
    advice = advise_price_threshold(make_lookup(NOISY, price_change_percent=2.0))
    assert proposed(advice) == {"percent": "7.5"}
    assert advice is not None
    assert advice.actions[0].current == {"percent": "2"}
    assert advice.direction is Direction.FALLS
    assert "On 30 of 87 days" in advice.reasoning


def test_the_usual_threshold_is_noise_for_a_restless_rank() -> None:
    figures = {"rank_alerts_90": 40, "rank_wide_move_90": 143.0}
    advice = advise_rank_threshold(make_lookup(figures))
    assert proposed(advice) == {"percent": "150"}
    assert advice is not None
    assert advice.actions[0].current == {"percent": None}


def test_a_threshold_that_is_rarely_passed_stays() -> None:
    assert advise_price_threshold(make_lookup()) is None
    assert advise_price_threshold(make_lookup({**NOISY, "price_alerts_90": 17})) is None


def test_twenty_pairs_of_days_prove_nothing() -> None:
    assert advise_price_threshold(make_lookup({**NOISY, "price_moves_90": 20})) is None
    assert advise_price_threshold(make_lookup({"price_moves_90": None})) is None


@pytest.mark.parametrize(
    ("percent", "above"), [(7.2, 7.5), (7.5, 8), (43, 45), (45, 50), (212, 225), (0, 0.5)]
)
def test_a_threshold_is_a_number_a_person_would_choose(percent: float, above: float) -> None:
    assert round_up_percent(percent) == above


def test_checks_that_show_no_changes_may_be_fewer() -> None:
    advice = advise_cadence(make_lookup(IDLE, cadence="hourly"))
    assert proposed(advice) == {"cadence": "6h"}
    assert advice is not None
    assert advice.title == "Check every 6 hours instead of every hour"


@pytest.mark.parametrize(
    "change",
    [
        {"price_changes_30": 1},
        {"price_ranges_30": 1},
        {"out_of_stock_90": 0.2},
        {"rank_alerts_90": 1},
        {"price_days_30": 20},
    ],
)
def test_any_change_or_too_few_days_keep_the_cadence(change: dict[str, float]) -> None:
    assert advise_cadence(make_lookup({**IDLE, **change}, cadence="hourly")) is None


def test_a_price_that_moves_between_checks_gets_more_of_them() -> None:
    advice = advise_cadence(make_lookup({"price_changes_30": 14}, cadence="daily"))
    assert proposed(advice) == {"cadence": "6h"}
    assert advise_cadence(make_lookup({"price_changes_30": 14}, cadence="hourly")) is None


def test_a_product_that_ran_out_gets_more_checks() -> None:
    advice = advise_cadence(make_lookup({"out_of_stock_90": 6.5}, cadence="weekly"))
    assert proposed(advice) == {"cadence": "daily"}


def test_a_listing_removed_for_a_month_is_paused_and_gets_no_other_advice() -> None:
    gone = {"out_of_stock_30": 100.0, "price_now": None, **NOISY, **NEAR}
    (advice,) = advise_by_rules(facts(gone, availability=int(Availability.GONE)))
    assert advice.actions[0].change is Change.PAUSE_TRACKING
    just = make_lookup({**gone, "stock_days_30": 12}, availability=int(Availability.GONE))
    assert advise_pause(just) is None
    assert advise_pause(make_lookup(gone, availability=int(Availability.UNAVAILABLE))) is None


def test_near_products_of_the_subcategory_are_proposed_as_competitors_together() -> None:
    advice = advise_competitors(make_lookup(NEAR))
    assert advice is not None
    assert [dict(each.proposed) for each in advice.actions] == [
        {"marketplace": "US", "asin": "B0NEAR0001"},
        {"marketplace": "US", "asin": "B0NEAR0002"},
    ]
    assert [each.key for each in advice.evidence][:2] == ["bsr_now", "candidate_1"]


def test_with_two_competitors_no_more_are_proposed() -> None:
    one = advise_competitors(
        make_lookup({**NEAR, "candidate_3": "B0NEAR0003"}, competitors=make_chosen_competitors(1))
    )
    assert one is not None
    assert len(one.actions) == 2
    assert advise_competitors(make_lookup(NEAR, competitors=make_chosen_competitors(2))) is None


def test_without_a_rank_no_competitors_are_proposed() -> None:
    assert advise_competitors(make_lookup({**NEAR, "bsr_now": None})) is None
