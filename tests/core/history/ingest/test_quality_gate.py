"""Which values the gate flags, what confirms them, and when it has no opinion."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.ingest import quality_gate
from core.history.ingest.quality_gate import (
    COUNT_FLAGS,
    PRICE_FLAGS,
    GateResult,
    GateRule,
    Reference,
    UnconfirmedValue,
    without_zero_amounts,
)
from core.history.ingest.rejections import EARLIEST, check_storable
from core.history.observation import CategoryRank, Confirmed, Flag, Kind, Observation, Source
from tests.factories.observations import NOON, make_observation

NOTHING_KNOWN = Reference()
FACTOR = GateRule().jump_factor


def check(observation: Observation, reference: Reference, currency: str) -> GateResult:
    """Check an observation; a category's id is made of its name."""
    category = hash(observation.ranks[0].category) if observation.ranks else None
    return quality_gate.check_values(
        quality_gate.make_gated_values(observation, currency, category), reference, currency
    )


def flags_of(observation: Observation, reference: Reference = NOTHING_KNOWN) -> Flag:
    return Flag(check(observation, reference, "USD").flags)


def check_in_order(*observations: Observation) -> list[GateResult]:
    """Check observations in order, each against the accepted values of those before."""
    reference, results = NOTHING_KNOWN, []
    for observation in observations:
        results.append(check(observation, reference, "USD"))
        reference = results[-1].reference
    return results


def test_an_ordinary_observation_is_accepted() -> None:
    assert flags_of(make_observation(), Reference(price=1900, ratings_count=990)) == Flag.NONE


def test_without_history_there_is_no_opinion() -> None:
    assert flags_of(make_observation(price=10, rank=1, ratings_count=10**6)) == Flag.NONE


@pytest.mark.parametrize("price", [2000 * FACTOR, 200_000, 2000 // FACTOR, 20, 1])
def test_a_price_that_slipped_by_the_factor_is_flagged(price: int) -> None:
    assert flags_of(make_observation(price=price), Reference(price=2000)) == Flag.PRICE_JUMP


@pytest.mark.parametrize("price", [2000 * FACTOR - 1, 2000 // FACTOR + 1, 4000, 999])
def test_a_large_but_possible_price_step_is_accepted(price: int) -> None:
    assert flags_of(make_observation(price=price), Reference(price=2000)) == Flag.NONE


@pytest.mark.parametrize("rating", [0, -1, 51, 460])
def test_a_rating_outside_the_stars_is_flagged(rating: int) -> None:
    assert flags_of(make_observation(rating=rating)) == Flag.RATING_OUT_OF_RANGE


@pytest.mark.parametrize("rating", [None, 1, 50])
def test_a_rating_within_the_stars_is_accepted(rating: int | None) -> None:
    assert flags_of(make_observation(rating=rating)) == Flag.NONE


def test_a_rank_below_one_is_invalid() -> None:
    assert flags_of(make_observation(ranks=(CategoryRank("Lamps", 0),))) == Flag.RANK_INVALID


def test_a_list_price_of_nothing_is_invalid() -> None:
    assert flags_of(make_observation(list_price=0)) == Flag.LIST_PRICE_INVALID


def test_another_currency_than_the_marketplaces_is_a_mismatch() -> None:
    assert flags_of(make_observation(currency="EUR")) == Flag.CURRENCY_MISMATCH
    assert flags_of(make_observation(currency="USD")) == Flag.NONE


def test_an_amount_in_another_currency_is_never_compared() -> None:
    assert flags_of(make_observation(currency="JPY", price=200_000), Reference(2000)) == (
        Flag.CURRENCY_MISMATCH
    )


@pytest.mark.parametrize(
    ("known", "count", "flag"),
    [
        (1000, 799, Flag.RATINGS_COLLAPSED),
        (1000, 800, Flag.NONE),
        (4090, 135, Flag.RATINGS_COLLAPSED),
        (19, 0, Flag.NONE),
        (20, 15, Flag.RATINGS_COLLAPSED),
        (None, 0, Flag.NONE),
    ],
)
def test_losing_over_a_fifth_of_the_ratings_is_a_collapse(
    known: int | None, count: int, flag: Flag
) -> None:
    assert flags_of(make_observation(ratings_count=count), Reference(ratings_count=known)) == flag


def test_what_the_source_admits_is_kept() -> None:
    assert flags_of(make_observation(flags=Flag.STALE_VALUE)) == Flag.STALE_VALUE


def test_a_flagged_value_is_not_compared_with() -> None:
    result = check(make_observation(price=200_000, ratings_count=1), Reference(2000, 1000), "USD")
    assert (result.reference.price, result.reference.ratings_count) == (2000, 1000)


def test_a_second_observation_confirms_a_jump() -> None:
    _, flagged, confirming = check_in_order(
        make_observation(price=2000),
        make_observation(price=200_000),
        make_observation(price=205_000),
    )
    assert flagged.flags == Flag.PRICE_JUMP
    assert confirming.flags == Flag.NONE
    assert [each.value for each in confirming.confirmed] == [200_000]
    assert confirming.reference._replace(category=None) == Reference(205_000, 1000, 500)


def test_a_second_observation_confirms_a_collapse() -> None:
    *_, confirming = check_in_order(
        make_observation(ratings_count=4090),
        make_observation(ratings_count=135),
        make_observation(ratings_count=136),
    )
    assert confirming.flags == Flag.NONE
    assert confirming.reference.ratings_count == 136


def test_a_second_flagged_value_that_disagrees_confirms_nothing() -> None:
    *_, other = check_in_order(
        make_observation(price=2000),
        make_observation(price=200_000),
        make_observation(price=900_000),
    )
    assert other.flags == Flag.PRICE_JUMP
    assert other.confirmed == ()
    assert [each.value for each in other.reference.pending] == [900_000]


def test_a_usual_price_ends_a_pending_value() -> None:
    *_, again = check_in_order(
        make_observation(price=2000),
        make_observation(price=200_000),
        make_observation(price=2000),
        make_observation(price=200_000),
    )
    assert again.flags == Flag.PRICE_JUMP


def test_an_observation_without_a_price_leaves_the_value_pending() -> None:
    *_, confirming = check_in_order(
        make_observation(price=2000),
        make_observation(price=200_000),
        make_observation(price=None),
        make_observation(price=200_000),
    )
    assert confirming.flags == Flag.NONE


@pytest.mark.parametrize(
    "not_comparable",
    [
        make_observation(price=2000, flags=Flag.STALE_VALUE),
        make_observation(price=1800, currency="EUR"),
    ],
)
def test_a_price_that_can_not_be_compared_leaves_the_value_pending(
    not_comparable: Observation,
) -> None:
    *_, confirming = check_in_order(
        make_observation(price=2000),
        make_observation(price=200_000),
        not_comparable,
        make_observation(price=200_000),
    )
    assert confirming.flags == Flag.NONE
    assert [each.value for each in confirming.confirmed if each.flag == Flag.PRICE_JUMP] == [
        200_000
    ]


def test_a_fresh_observation_of_a_stale_price_confirms_it() -> None:
    _, stale, fresh = check_in_order(
        make_observation(price=2000),
        make_observation(price=2300, flags=Flag.STALE_VALUE),
        make_observation(price=2300),
    )
    assert stale.reference.price == 2000
    assert [each.flag for each in fresh.confirmed] == [Flag.STALE_VALUE]


def test_two_stale_observations_do_not_confirm_each_other() -> None:
    *_, second = check_in_order(
        make_observation(price=2300, flags=Flag.STALE_VALUE),
        make_observation(price=2300, flags=Flag.STALE_VALUE),
    )
    assert second.confirmed == ()
    assert second.reference.price is None


@pytest.mark.parametrize("price", [0, -5])
def test_a_price_of_zero_or_less_is_unknown_and_flagged(price: int) -> None:
    cleaned = without_zero_amounts(make_observation(price=price, buy_box_price=price))
    assert (cleaned.price, cleaned.price_basis, cleaned.buy_box_price) == (None, None, None)
    assert cleaned.flags == Flag.PRICE_ZERO


@pytest.mark.parametrize("price", [None, 1, 2000])
def test_other_prices_do_not_change(price: int | None) -> None:
    observation = make_observation(price=price)
    assert without_zero_amounts(observation) is observation


def test_an_observation_from_the_future_is_refused() -> None:
    assert "future" in (
        check_storable(make_observation(at=NOON + timedelta(minutes=11)), NOON) or ""
    )
    assert check_storable(make_observation(at=NOON + timedelta(minutes=9)), NOON) is None


def test_an_observation_from_before_amazon_is_refused() -> None:
    assert "before Amazon" in (
        check_storable(make_observation(at=EARLIEST - timedelta(seconds=1)), NOON) or ""
    )
    assert check_storable(make_observation(at=EARLIEST), NOON) is None


@pytest.mark.parametrize(
    "values",
    [
        {"price": 2**53 + 1},
        {"coupon_amount": -(2**54)},
        {"ratings_count": 2**31},
        {"rating": 2**15},
        {"ranks": (CategoryRank("Lamps", 1), CategoryRank("Desk lamps", 2**31))},
    ],
)
def test_a_number_without_room_is_refused(values: dict[str, object]) -> None:
    assert "number" in (check_storable(make_observation(**values), NOON) or "")


def test_an_unconfirmed_value_survives_storing() -> None:
    each = UnconfirmedValue(int(Flag.PRICE_JUMP), 200_000, datetime(2026, 1, 1, tzinfo=UTC), 1)
    assert UnconfirmedValue.from_json(each.as_json()) == each


prices = st.lists(st.none() | st.integers(1, 10**7), min_size=1, max_size=30)


@given(prices)
def test_the_accepted_price_never_jumps_without_two_observations_that_agree(
    seen: list[int | None],
) -> None:
    reference, last_flagged = NOTHING_KNOWN, None
    for price in seen:
        result = check(make_observation(price=price), reference, "USD")
        before, after = reference.price, result.reference.price
        if before and after and (after >= before * FACTOR or after * FACTOR <= before):
            assert last_flagged is not None
            assert abs(after - last_flagged) <= 0.1 * max(after, last_flagged)
        if price is not None:
            last_flagged = price if result.flags & PRICE_FLAGS else None
        reference = result.reference


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=30))
def test_a_collapsed_count_is_accepted_only_when_seen_again(counts: list[int]) -> None:
    reference = NOTHING_KNOWN
    for count in counts:
        result = check(make_observation(ratings_count=count), reference, "USD")
        known = reference.ratings_count
        if known is not None and known >= 20 and count < 0.8 * known:
            assert bool(result.flags & COUNT_FLAGS) != bool(result.confirmed)
        reference = result.reference


@given(prices)
def test_never_more_than_one_value_of_a_kind_is_pending(seen: list[int | None]) -> None:
    reference = NOTHING_KNOWN
    for price in seen:
        reference = check(make_observation(price=price), reference, "USD").reference
        kinds = [each.flag for each in reference.pending]
        assert len(kinds) == len(set(kinds))


# Both ways, and settled by the next observation


HOUR = timedelta(hours=1)


def find_flags(*observations: Observation) -> list[int]:
    """Return the flags of observations in order, without those that a later one lifted."""
    flags: list[int] = []
    reference = NOTHING_KNOWN
    at = {}
    for number, observation in enumerate(observations):
        timed = replace(observation, captured_at=NOON + number * HOUR)
        at[timed.captured_at] = number
        result = check(timed, reference, "USD")
        flags.append(result.flags)
        for each in result.confirmed:
            flags[at[each.captured_at]] = quality_gate.confirmed_flags(
                flags[at[each.captured_at]], each.flag
            )
        reference = result.reference
    return flags


@pytest.mark.parametrize(
    ("counts", "odd"),
    [
        ((52, 52, 1900, 50, 52), 2),  # a listing merged with another one for a night
        ((7300, 730_073_000, 7302, 7310), 1),  # digits doubled by a scraper
        ((910, 912, 120, 913), 2),
        ((1000, 1271, 1001), 1),
    ],
)
def test_a_count_that_the_next_one_contradicts_stays_flagged_and_the_next_is_accepted(
    counts: tuple[int, ...], odd: int
) -> None:
    flags = find_flags(*(make_observation(ratings_count=count) for count in counts))
    assert [number for number, each in enumerate(flags) if each] == [odd]


def test_a_count_that_stays_up_is_accepted_with_the_second_observation() -> None:
    flags = find_flags(
        *(make_observation(ratings_count=count) for count in (100, 1900, 1910, 1920))
    )
    assert flags == [0, Confirmed.RATINGS_COUNT, 0, 0]


def test_counts_that_rise_from_month_to_month_confirm_each_other() -> None:
    """Ratings only grow: a further rise agrees with the one before."""
    flags = find_flags(
        *(make_observation(ratings_count=n) for n in (3, 40, 120, 300, 800, 1500, 2500))
    )
    assert not any(flag & COUNT_FLAGS for flag in flags)


def test_the_count_of_a_product_that_sells_fast_is_confirmed_by_its_next_rise() -> None:
    flags = find_flags(*(make_observation(ratings_count=count) for count in (100, 160, 190)))
    assert flags == [0, Confirmed.RATINGS_COUNT, 0]


@pytest.mark.parametrize("odd", [1, 12, 900_000])
def test_a_rank_that_its_neighbours_do_not_confirm_stays_flagged(odd: int) -> None:
    flags = find_flags(*(make_observation(rank=rank) for rank in (1264, odd, 1270)))
    assert flags == [0, Flag.RANK_SPIKE, 0]


def test_a_rank_that_the_next_observation_confirms_is_accepted() -> None:
    flags = find_flags(*(make_observation(rank=rank) for rank in (200_000, 310, 450, 900)))
    assert flags == [0, Confirmed.RANK, 0, 0]


def test_a_sale_of_a_slow_product_is_no_spike() -> None:
    assert find_flags(
        make_observation(rank=900_000),
        make_observation(rank=60_000),
        make_observation(rank=140_000),
    ) == [0, 0, 0]


def test_ranks_of_two_categories_are_never_compared() -> None:
    other = make_observation(ranks=(CategoryRank("Garden", 3),))
    assert find_flags(make_observation(rank=90_000), other, make_observation(rank=91_000)) == [
        0,
        0,
        0,
    ]


def test_a_first_price_of_a_cent_needs_a_second_one() -> None:
    assert flags_of(make_observation(price=1)) == Flag.PRICE_IMPLAUSIBLE
    later = [make_observation(price=1999), make_observation(price=2005)]
    assert find_flags(make_observation(price=1), *later) == [Flag.PRICE_IMPLAUSIBLE, 0, 0]
    assert find_flags(make_observation(price=1), make_observation(price=1)) == [Confirmed.PRICE, 0]


@pytest.mark.parametrize(("price", "is_low"), [(6, True), (14, True), (15, False)])
def test_the_smallest_price_depends_on_the_currency(price: int, is_low: bool) -> None:
    seen = quality_gate.make_gated_values(
        make_observation(price=price, marketplace="JP"), "JPY", None
    )
    flags = quality_gate.check_values(seen, NOTHING_KNOWN, "JPY").flags
    assert bool(flags & Flag.PRICE_IMPLAUSIBLE) == is_low


@pytest.mark.parametrize(
    "amounts",
    [
        {"price": 5200, "buy_box_price": 5200, "new_price": 31},
        {"price": 45, "list_price": 4500},
        {"price": 9900, "amazon_price": 400},
    ],
)
def test_amounts_that_can_not_belong_together_are_flagged(amounts: dict[str, int]) -> None:
    first, second = find_flags(make_observation(**amounts), make_observation(**amounts))
    assert first & Flag.AMOUNTS_DISAGREE
    assert not first & Flag.PRICE_IMPLAUSIBLE  # the second observation has the same price
    assert second & Flag.AMOUNTS_DISAGREE
    assert flags_of(make_observation(**amounts)) & Flag.PRICE_IMPLAUSIBLE
    known = Reference(price=amounts["price"])
    assert not flags_of(make_observation(**amounts), known) & PRICE_FLAGS


def test_a_list_price_of_one_unit_does_not_flag_the_price() -> None:
    assert flags_of(make_observation(price=2699, list_price=17)) == Flag.LIST_PRICE_INVALID


def test_a_used_offer_for_a_cent_is_ordinary() -> None:
    assert flags_of(make_observation(price=3000, used_price=1)) == Flag.NONE


def change(hours: float, **values: int) -> Observation:
    return make_observation(
        at=NOON + hours * HOUR, kind=Kind.CHANGE, source=Source.KEEPA_API, **values
    )


def test_what_a_series_of_changes_only_repeats_confirms_nothing() -> None:
    """Every row of a series carries all values; only one of them changed."""
    results = check_in_order(
        change(0, rank=1264), change(5, rank=1), change(6, rank=1, price=2100),
        change(9, rank=1270),
    )  # fmt: skip
    assert [result.flags for result in results] == [0, Flag.RANK_SPIKE, Flag.RANK_SPIKE, 0]
    assert not any(result.confirmed for result in results)


def test_what_a_series_of_changes_held_for_a_day_is_confirmed() -> None:
    results = check_in_order(change(0, rank=1264), change(5, rank=1), change(30, rank=1270))
    assert [each.value for each in results[2].confirmed] == [1]
