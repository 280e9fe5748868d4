"""Advice of the rules on a price, from own history and chosen competitors only."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.observation import Availability
from core.suggestions.advisors.pricing_rules import advise_price, find_allowed_price
from core.suggestions.advisors.rule_advisor import advise_by_rules
from core.suggestions.rules import Advice, Change, Direction, Facts
from core.tracking.price_caps.rules import PriceCaps
from tests.core.suggestions.made_facts import facts, make_competitor_figures, make_lookup

WORSE = {"bsr_median_30": 800, "bsr_median_90": 500}  # the rank of late against the usual one
DEARER = {"price_now": 2299, "price_median_90": 2099, **WORSE}


def price_of(advice: Advice | None) -> int | None:
    if advice is None or advice.actions[0].change is not Change.UPDATE_PRICE:
        return None
    price: int = advice.actions[0].proposed["price"]
    return price


def test_a_usual_price_at_a_usual_rank_gets_no_advice() -> None:
    assert advise_price(make_lookup()) is None


def test_a_price_above_the_usual_one_with_a_worse_rank_goes_back() -> None:
    advice = advise_price(make_lookup(DEARER))
    assert price_of(advice) == 2099
    assert advice is not None
    assert advice.title == "Lower the price from $22.99 to $20.99"
    assert (advice.actions[0].current, advice.direction) == ({"price": 2299}, Direction.IMPROVES)
    keys = [each.key for each in advice.evidence]
    assert keys == ["price_now", "price_median_90", "bsr_median_30", "bsr_median_90", "bsr_now"]


def test_a_price_above_the_usual_one_with_a_good_rank_gets_no_advice() -> None:
    assert advise_price(make_lookup({**DEARER, "bsr_median_30": 500})) is None


@pytest.mark.parametrize("unknown", ["price_days_90", "rank_days_30", "bsr_median_90"])
def test_without_enough_history_there_is_no_opinion(unknown: str) -> None:
    assert advise_price(make_lookup({**DEARER, unknown: None})) is None
    assert advise_price(make_lookup({**DEARER, "price_days_90": 44})) is None


def test_without_a_trusted_price_there_is_no_opinion() -> None:
    assert advise_price(make_lookup(DEARER, price=None)) is None


def test_a_price_above_that_of_better_ranked_competitors_is_lowered_towards_theirs() -> None:
    advice = advise_price(make_lookup(make_competitor_figures(1699, 1779, 1839)))
    assert price_of(advice) == 1800  # ends in 00 as the own price does, and is not below its low
    assert advice is not None
    assert {"competitor_1_price", "competitor_2_bsr"} <= {each.key for each in advice.evidence}


def test_a_competitor_never_lowers_the_price_below_the_own_low() -> None:
    assert (
        price_of(
            advise_price(make_lookup({**make_competitor_figures(900, 950), "price_low_90": 1900}))
        )
        == 1900
    )


@pytest.mark.parametrize(
    "figures",
    [
        make_competitor_figures(1799),  # one alone may be an exception
        make_competitor_figures(1799, 1849, rank=900),  # they rank worse
        make_competitor_figures(1799, 1849, rating=40),  # the own rating is worth more
        make_competitor_figures(1950, 1950),  # hardly cheaper
        {**make_competitor_figures(1799, 1849), "rating_now": None},  # perhaps it is better
    ],
)
def test_competitors_that_prove_nothing_move_no_price(figures: dict[str, Any]) -> None:
    assert advise_price(make_lookup(figures)) is None


def test_the_price_of_the_cheapest_and_best_ranked_product_is_raised() -> None:
    figures = {"price_now": 1700, **make_competitor_figures(2100, 2200, rank=900)}
    advice = advise_price(make_lookup(figures))
    assert price_of(advice) == 1900  # 15 % at once are allowed, and the price ends in 00
    assert advice is not None
    assert advice.direction is Direction.RISES


def test_a_discount_without_effect_ends() -> None:
    figures = {"price_now": 1800, "price_median_30": 1800, "bsr_median_30": 520}
    assert price_of(advise_price(make_lookup(figures))) == 2000
    assert advise_price(make_lookup({**figures, "bsr_median_30": 400})) is None
    assert advise_price(make_lookup({**figures, "price_median_30": 2000})) is None


def test_the_price_of_scarce_stock_that_ran_out_before_is_raised_a_little() -> None:
    figures = {"out_of_stock_90": 8.0}
    advice = advise_price(make_lookup(figures, availability=int(Availability.LIMITED)))
    assert price_of(advice) == 2100
    assert advise_price(make_lookup(figures)) is None
    assert advise_price(make_lookup(availability=int(Availability.LIMITED))) is None


def test_a_much_worse_rank_at_the_usual_price_gets_a_coupon() -> None:
    advice = advise_price(make_lookup(WORSE))
    assert advice is not None
    assert (advice.actions[0].change, advice.actions[0].proposed) == (
        Change.SET_COUPON,
        {"percent": 5},
    )
    assert advise_price(make_lookup({**WORSE, "coupon_now": 10})) is None
    assert advise_price(make_lookup({**WORSE, "out_of_stock_30": 20.0})) is None


def test_a_coupon_does_not_undercut_the_floor() -> None:
    assert advise_price(make_lookup(WORSE, caps=PriceCaps(floor=1901))) is None
    assert advise_price(make_lookup(WORSE, caps=PriceCaps(floor=1900))) is not None


def test_a_floor_stops_a_price_on_its_way_down() -> None:
    assert price_of(advise_price(make_lookup(DEARER, caps=PriceCaps(floor=2150)))) == 2199
    assert advise_price(make_lookup(DEARER, caps=PriceCaps(floor=2290))) is None


def test_a_ceiling_stops_a_price_on_its_way_up() -> None:
    figures = {"price_now": 1700, **make_competitor_figures(2100, 2200, rank=900)}
    assert price_of(advise_price(make_lookup(figures, caps=PriceCaps(ceiling=1850)))) == 1800


def test_a_large_move_is_made_in_steps() -> None:
    figures = {**DEARER, "price_now": 4000, "price_median_90": 2000}
    assert price_of(advise_price(make_lookup(figures, caps=PriceCaps(step_percent=10)))) == 3600


def test_caps_that_contradict_the_price_leave_no_move() -> None:
    impossible = (PriceCaps(floor=5000), PriceCaps(ceiling=100), PriceCaps(step_percent=0))
    upwards = PriceCaps(
        floor=2400
    )  # the reasons call for a lower price, the floor for a higher one
    for caps in (*impossible, upwards):
        assert price_of(advise_price(make_lookup(DEARER, caps=caps))) is None


def test_yen_have_no_cents_to_end_with() -> None:
    japanese = facts({**DEARER, "price_now": 2298}, marketplace="JP", currency="JPY")
    assert find_allowed_price(japanese, 2101) == 2098


AMOUNTS = st.integers(1, 2_000_000)
CAPS = st.builds(
    PriceCaps,
    floor=st.none() | AMOUNTS,
    ceiling=st.none() | AMOUNTS,
    step_percent=st.floats(0, 100, allow_nan=False),
)


@given(AMOUNTS, st.floats(0.01, 1e9), CAPS, st.sampled_from(["US", "JP", "DE"]))
def test_a_price_near_any_target_is_inside_the_caps(
    now: int, target: float, caps: PriceCaps, marketplace: str
) -> None:
    price = find_allowed_price(
        facts({"price_now": now}, marketplace=marketplace, caps=caps), target
    )
    assert price is None or caps.find_problem(now, price) is None


# Close enough to one another that most of them lead to advice.
NEAR = st.integers(1500, 2500)
RANKS = st.integers(300, 900)
FIGURES = st.fixed_dictionaries(
    {
        "price_now": NEAR,
        "price_median_30": NEAR,
        "price_median_90": NEAR,
        "price_low_90": NEAR,
        "price_high_90": NEAR,
        "bsr_median_30": RANKS,
        "out_of_stock_90": st.floats(0, 20),
        "competitor_1": st.just("B0COMP0001"),
        "competitor_1_price": NEAR,
        "competitor_1_bsr": RANKS,
        "competitor_1_rating": st.integers(40, 50),
        "competitor_2": st.just("B0COMP0002"),
        "competitor_2_price": NEAR,
        "competitor_2_bsr": RANKS,
        "competitor_2_rating": st.integers(40, 50),
    }
)
NEAR_CAPS = st.builds(
    PriceCaps, floor=st.none() | NEAR, ceiling=st.none() | NEAR, step_percent=st.floats(0, 40)
)


def prices(seen: Facts) -> list[int]:
    actions = [action for advice in advise_by_rules(seen) for action in advice.actions]
    return [each.proposed["price"] for each in actions if each.change is Change.UPDATE_PRICE]


@given(FIGURES, NEAR_CAPS, st.sampled_from([1, 2]))
def test_an_advised_price_is_always_inside_the_caps(
    figures: dict[str, Any], caps: PriceCaps, availability: int
) -> None:
    advised = prices(facts(figures, caps=caps, availability=availability))
    assert [caps.find_problem(figures["price_now"], each) for each in advised] == [None] * len(
        advised
    )
