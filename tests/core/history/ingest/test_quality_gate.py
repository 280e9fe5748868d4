"""What the gate doubts, what confirms it, and where it has no opinion."""

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


def judge(look: Observation, reference: Reference, currency: str) -> GateResult:
    """Judge a look; a category's id is made of its name."""
    category = hash(look.ranks[0].category) if look.ranks else None
    return quality_gate.check_values(
        quality_gate.make_gated_values(look, currency, category), reference, currency
    )


def flags_of(look: Observation, reference: Reference = NOTHING_KNOWN) -> Flag:
    return Flag(judge(look, reference, "USD").flags)


def judged(*looks: Observation) -> list[GateResult]:
    """Judge looks one after the other, each against the past of those before."""
    reference, answers = NOTHING_KNOWN, []
    for look in looks:
        answers.append(judge(look, reference, "USD"))
        reference = answers[-1].reference
    return answers


def test_an_ordinary_look_is_accepted() -> None:
    assert flags_of(make_observation(), Reference(price=1900, ratings_count=990)) == Flag.NONE


def test_without_history_there_is_no_opinion() -> None:
    assert flags_of(make_observation(price=10, rank=1, ratings_count=10**6)) == Flag.NONE


@pytest.mark.parametrize("price", [2000 * FACTOR, 200_000, 2000 // FACTOR, 20, 1])
def test_a_price_that_slipped_by_the_factor_is_doubtful(price: int) -> None:
    assert flags_of(make_observation(price=price), Reference(price=2000)) == Flag.PRICE_JUMP


@pytest.mark.parametrize("price", [2000 * FACTOR - 1, 2000 // FACTOR + 1, 4000, 999])
def test_a_large_but_possible_price_step_is_accepted(price: int) -> None:
    assert flags_of(make_observation(price=price), Reference(price=2000)) == Flag.NONE


@pytest.mark.parametrize("rating", [0, -1, 51, 460])
def test_a_rating_outside_the_stars_is_doubtful(rating: int) -> None:
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


def test_a_doubtful_value_does_not_become_the_past() -> None:
    judgement = judge(
        make_observation(price=200_000, ratings_count=1), Reference(2000, 1000), "USD"
    )
    assert (judgement.reference.price, judgement.reference.ratings_count) == (2000, 1000)


def test_a_second_look_confirms_a_jump() -> None:
    _, doubtful, confirming = judged(
        make_observation(price=2000),
        make_observation(price=200_000),
        make_observation(price=205_000),
    )
    assert doubtful.flags == Flag.PRICE_JUMP
    assert confirming.flags == Flag.NONE
    assert [doubt.value for doubt in confirming.confirmed] == [200_000]
    assert confirming.reference._replace(category=None) == Reference(205_000, 1000, 500)


def test_a_second_look_confirms_a_collapse() -> None:
    *_, confirming = judged(
        make_observation(ratings_count=4090),
        make_observation(ratings_count=135),
        make_observation(ratings_count=136),
    )
    assert confirming.flags == Flag.NONE
    assert confirming.reference.ratings_count == 136


def test_a_second_doubtful_value_that_disagrees_confirms_nothing() -> None:
    *_, other = judged(
        make_observation(price=2000),
        make_observation(price=200_000),
        make_observation(price=900_000),
    )
    assert other.flags == Flag.PRICE_JUMP
    assert other.confirmed == ()
    assert [doubt.value for doubt in other.reference.pending] == [900_000]


def test_a_usual_price_settles_a_doubt() -> None:
    *_, again = judged(
        make_observation(price=2000),
        make_observation(price=200_000),
        make_observation(price=2000),
        make_observation(price=200_000),
    )
    assert again.flags == Flag.PRICE_JUMP


def test_a_look_without_a_price_leaves_the_doubt_waiting() -> None:
    *_, confirming = judged(
        make_observation(price=2000),
        make_observation(price=200_000),
        make_observation(price=None),
        make_observation(price=200_000),
    )
    assert confirming.flags == Flag.NONE


@pytest.mark.parametrize(
    "says_nothing",
    [
        make_observation(price=2000, flags=Flag.STALE_VALUE),
        make_observation(price=1800, currency="EUR"),
    ],
)
def test_a_price_that_can_not_be_compared_leaves_the_doubt_waiting(
    says_nothing: Observation,
) -> None:
    *_, confirming = judged(
        make_observation(price=2000),
        make_observation(price=200_000),
        says_nothing,
        make_observation(price=200_000),
    )
    assert confirming.flags == Flag.NONE
    assert [doubt.value for doubt in confirming.confirmed if doubt.flag == Flag.PRICE_JUMP] == [
        200_000
    ]


def test_a_fresh_look_at_a_stale_price_confirms_it() -> None:
    _, stale, fresh = judged(
        make_observation(price=2000),
        make_observation(price=2300, flags=Flag.STALE_VALUE),
        make_observation(price=2300),
    )
    assert stale.reference.price == 2000
    assert [doubt.flag for doubt in fresh.confirmed] == [Flag.STALE_VALUE]


def test_two_stale_looks_do_not_confirm_each_other() -> None:
    *_, second = judged(
        make_observation(price=2300, flags=Flag.STALE_VALUE),
        make_observation(price=2300, flags=Flag.STALE_VALUE),
    )
    assert second.confirmed == ()
    assert second.reference.price is None


@pytest.mark.parametrize("price", [0, -5])
def test_a_price_of_nothing_is_unknown_and_flagged(price: int) -> None:
    cleaned = without_zero_amounts(make_observation(price=price, buy_box_price=price))
    assert (cleaned.price, cleaned.price_basis, cleaned.buy_box_price) == (None, None, None)
    assert cleaned.flags == Flag.PRICE_ZERO


@pytest.mark.parametrize("price", [None, 1, 2000])
def test_any_other_price_stays_as_it_is(price: int | None) -> None:
    look = make_observation(price=price)
    assert without_zero_amounts(look) is look


def test_a_look_from_the_future_is_refused() -> None:
    assert "future" in (
        check_storable(make_observation(at=NOON + timedelta(minutes=11)), NOON) or ""
    )
    assert check_storable(make_observation(at=NOON + timedelta(minutes=9)), NOON) is None


def test_a_look_from_before_amazon_is_refused() -> None:
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


def test_a_waiting_doubt_survives_storing() -> None:
    doubt = UnconfirmedValue(int(Flag.PRICE_JUMP), 200_000, datetime(2026, 1, 1, tzinfo=UTC), 1)
    assert UnconfirmedValue.from_json(doubt.as_json()) == doubt


prices = st.lists(st.none() | st.integers(1, 10**7), min_size=1, max_size=30)


@given(prices)
def test_the_accepted_price_never_jumps_without_two_looks_that_agree(
    seen: list[int | None],
) -> None:
    reference, last_doubt = NOTHING_KNOWN, None
    for price in seen:
        judgement = judge(make_observation(price=price), reference, "USD")
        before, after = reference.price, judgement.reference.price
        if before and after and (after >= before * FACTOR or after * FACTOR <= before):
            assert last_doubt is not None
            assert abs(after - last_doubt) <= 0.1 * max(after, last_doubt)
        if price is not None:
            last_doubt = price if judgement.flags & PRICE_FLAGS else None
        reference = judgement.reference


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=30))
def test_a_collapsed_count_is_accepted_only_when_seen_again(counts: list[int]) -> None:
    reference = NOTHING_KNOWN
    for count in counts:
        judgement = judge(make_observation(ratings_count=count), reference, "USD")
        known = reference.ratings_count
        if known is not None and known >= 20 and count < 0.8 * known:
            assert bool(judgement.flags & COUNT_FLAGS) != bool(judgement.confirmed)
        reference = judgement.reference


@given(prices)
def test_judging_never_keeps_more_than_one_doubt_of_a_kind(seen: list[int | None]) -> None:
    reference = NOTHING_KNOWN
    for price in seen:
        reference = judge(make_observation(price=price), reference, "USD").reference
        kinds = [doubt.flag for doubt in reference.pending]
        assert len(kinds) == len(set(kinds))


# Both ways, and settled by the next observation


HOUR = timedelta(hours=1)


def settled(*looks: Observation) -> list[int]:
    """Return the flags of looks in a row, those that a later one confirmed taken back."""
    flags: list[int] = []
    reference = NOTHING_KNOWN
    at = {}
    for number, look in enumerate(looks):
        timed = replace(look, captured_at=NOON + number * HOUR)
        at[timed.captured_at] = number
        judgement = judge(timed, reference, "USD")
        flags.append(judgement.flags)
        for doubt in judgement.confirmed:
            flags[at[doubt.captured_at]] = quality_gate.confirmed_flags(
                flags[at[doubt.captured_at]], doubt.flag
            )
        reference = judgement.reference
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
def test_a_count_that_the_next_look_contradicts_stays_flagged_and_its_reversal_is_accepted(
    counts: tuple[int, ...], odd: int
) -> None:
    flags = settled(*(make_observation(ratings_count=count) for count in counts))
    assert [number for number, each in enumerate(flags) if each] == [odd]


def test_a_count_that_stays_up_is_accepted_with_the_second_look() -> None:
    flags = settled(*(make_observation(ratings_count=count) for count in (100, 1900, 1910, 1920)))
    assert flags == [0, Confirmed.RATINGS_COUNT, 0, 0]


def test_counts_that_rise_from_month_to_month_confirm_each_other() -> None:
    """Ratings only grow: a further rise agrees with the one before."""
    flags = settled(
        *(make_observation(ratings_count=n) for n in (3, 40, 120, 300, 800, 1500, 2500))
    )
    assert not any(flag & COUNT_FLAGS for flag in flags)


def test_the_count_of_a_product_that_sells_fast_is_confirmed_by_its_next_rise() -> None:
    flags = settled(*(make_observation(ratings_count=count) for count in (100, 160, 190)))
    assert flags == [0, Confirmed.RATINGS_COUNT, 0]


@pytest.mark.parametrize("odd", [1, 12, 900_000])
def test_a_rank_that_its_neighbours_do_not_confirm_stays_flagged(odd: int) -> None:
    flags = settled(*(make_observation(rank=rank) for rank in (1264, odd, 1270)))
    assert flags == [0, Flag.RANK_SPIKE, 0]


def test_a_rank_that_the_next_look_confirms_is_accepted() -> None:
    flags = settled(*(make_observation(rank=rank) for rank in (200_000, 310, 450, 900)))
    assert flags == [0, Confirmed.RANK, 0, 0]


def test_a_sale_of_a_slow_product_is_no_spike() -> None:
    assert settled(
        make_observation(rank=900_000),
        make_observation(rank=60_000),
        make_observation(rank=140_000),
    ) == [0, 0, 0]


def test_ranks_of_two_categories_are_never_compared() -> None:
    other = make_observation(ranks=(CategoryRank("Garden", 3),))
    assert settled(make_observation(rank=90_000), other, make_observation(rank=91_000)) == [0, 0, 0]


def test_a_first_price_of_a_cent_waits_for_a_second_one() -> None:
    assert flags_of(make_observation(price=1)) == Flag.PRICE_IMPLAUSIBLE
    later = [make_observation(price=1999), make_observation(price=2005)]
    assert settled(make_observation(price=1), *later) == [Flag.PRICE_IMPLAUSIBLE, 0, 0]
    assert settled(make_observation(price=1), make_observation(price=1)) == [Confirmed.PRICE, 0]


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
    first, second = settled(make_observation(**amounts), make_observation(**amounts))
    assert first & Flag.AMOUNTS_DISAGREE
    assert not first & Flag.PRICE_IMPLAUSIBLE  # the second look says the same price
    assert second & Flag.AMOUNTS_DISAGREE
    assert flags_of(make_observation(**amounts)) & Flag.PRICE_IMPLAUSIBLE
    known = Reference(price=amounts["price"])
    assert not flags_of(make_observation(**amounts), known) & PRICE_FLAGS


def test_a_list_price_of_one_unit_casts_no_doubt_on_the_price() -> None:
    assert flags_of(make_observation(price=2699, list_price=17)) == Flag.LIST_PRICE_INVALID


def test_a_used_offer_for_a_cent_is_ordinary() -> None:
    assert flags_of(make_observation(price=3000, used_price=1)) == Flag.NONE


def change(hours: float, **values: int) -> Observation:
    return make_observation(
        at=NOON + hours * HOUR, kind=Kind.CHANGE, source=Source.KEEPA_API, **values
    )


def test_what_a_series_of_changes_only_repeats_confirms_nothing() -> None:
    """Every row of a series carries all values; only one of them changed."""
    answers = judged(
        change(0, rank=1264), change(5, rank=1), change(6, rank=1, price=2100),
        change(9, rank=1270),
    )  # fmt: skip
    assert [answer.flags for answer in answers] == [0, Flag.RANK_SPIKE, Flag.RANK_SPIKE, 0]
    assert not any(answer.confirmed for answer in answers)


def test_what_a_series_of_changes_held_for_a_day_is_confirmed() -> None:
    answers = judged(change(0, rank=1264), change(5, rank=1), change(30, rank=1270))
    assert [doubt.value for doubt in answers[2].confirmed] == [1]
