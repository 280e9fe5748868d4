"""The worst change between two days."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.accepted_values import AcceptedValues
from core.history.observation import Availability
from core.history.periods.change_detection import (
    ChangeKind,
    make_change_rule,
)
from core.history.periods.change_detection import find_change as find_change_by
from core.thresholds import Thresholds

USUAL = AcceptedValues(
    price=2000,
    bsr=500,
    bsr_category_id=1,
    ratings_count=1000,
    availability=Availability.IN_STOCK,
    seller="Bright Shop",
)
RULE = make_change_rule(Thresholds(Decimal(5), Decimal(50)))


def find_change(
    prior: AcceptedValues, now: AcceptedValues, listing_changed: bool
) -> tuple[ChangeKind | None, float]:
    return find_change_by(prior, now, listing_changed, RULE)


def day(**values: Any) -> AcceptedValues:
    return USUAL._replace(**values)


def kind(
    now: AcceptedValues, prior: AcceptedValues = USUAL, listing_changed: bool = False
) -> ChangeKind | None:
    return find_change(prior, now, listing_changed)[0]


def test_a_day_like_the_one_before_deserves_none() -> None:
    assert find_change(USUAL, USUAL, False) == (None, 0.0)


def test_unknown_values_deserve_none() -> None:
    assert kind(AcceptedValues()) is None
    assert kind(USUAL, AcceptedValues()) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"availability": Availability.GONE}, ChangeKind.GONE),
        ({"availability": Availability.UNAVAILABLE}, ChangeKind.OUT_OF_STOCK),
        ({"availability": Availability.NO_OFFERS}, ChangeKind.OUT_OF_STOCK),
        ({"availability": Availability.BUY_BOX_SUPPRESSED}, ChangeKind.BUY_BOX_SUPPRESSED),
        ({"availability": Availability.LIMITED}, None),
        ({"seller": "Somebody else"}, ChangeKind.BUY_BOX_MOVED),
        ({"seller": None}, None),
        ({"ratings_count": 950}, ChangeKind.RATINGS_LOST),
        ({"ratings_count": 951}, None),
        ({"ratings_count": None}, None),
        ({"bsr": 750}, ChangeKind.RANK_WORSENED),
        ({"bsr": 749}, None),
        ({"bsr": 334}, None),
        ({"bsr": 333}, ChangeKind.RANK_IMPROVED),
        ({"bsr": 9000, "bsr_category_id": 2}, None),
        ({"bsr": None}, None),
        ({"price": 2100}, ChangeKind.PRICE_MOVED),
        ({"price": 1900}, ChangeKind.PRICE_MOVED),
        ({"price": 2099}, None),
        ({"price": None}, None),
    ],
)
def test_a_change_is_found_from_its_threshold_on(
    values: dict[str, object], expected: ChangeKind | None
) -> None:
    assert kind(day(**values)) == expected


def test_a_product_that_was_unavailable_is_back_in_stock() -> None:
    assert kind(USUAL, day(availability=Availability.UNAVAILABLE)) == ChangeKind.BACK_IN_STOCK
    assert kind(USUAL, day(availability=Availability.GONE)) == ChangeKind.BACK_IN_STOCK


def test_one_absence_after_another_is_no_change() -> None:
    assert (
        kind(day(availability=Availability.NO_OFFERS), day(availability=Availability.UNAVAILABLE))
        is None
    )


def test_a_changed_listing_is_found() -> None:
    assert kind(USUAL, listing_changed=True) == ChangeKind.LISTING_CHANGED


def test_the_worst_finding_wins() -> None:
    everything = day(
        availability=Availability.UNAVAILABLE,
        price=9000,
        bsr=9000,
        ratings_count=1,
        seller="Somebody else",
    )
    assert kind(everything, listing_changed=True) == ChangeKind.OUT_OF_STOCK
    assert kind(day(price=9000, bsr=9000)) == ChangeKind.RANK_WORSENED


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (Availability.GONE, ChangeKind.GONE),
        (Availability.UNAVAILABLE, ChangeKind.OUT_OF_STOCK),
        (Availability.NO_OFFERS, ChangeKind.OUT_OF_STOCK),
        (Availability.BUY_BOX_SUPPRESSED, ChangeKind.BUY_BOX_SUPPRESSED),
    ],
)
def test_while_a_product_cannot_be_bought_that_is_the_headline(
    state: Availability, expected: ChangeKind
) -> None:
    was = day(availability=state)
    for suffering in ({"bsr": 9000}, {"ratings_count": 1}, {"bsr": 9000, "price": 4000}):
        assert kind(day(availability=state, **suffering), was) == expected
        unknown_before = day(availability=None)
        assert kind(day(availability=state, **suffering), unknown_before) == expected
    for calm in ({}, {"bsr": 10}, {"price": 500}, {"seller": "Somebody else"}):
        assert kind(day(availability=state, **calm), was) is None
    assert kind(day(availability=state, bsr=10), day(availability=None)) is None


def test_a_page_removed_after_its_stock_is_a_change_and_so_is_its_return() -> None:
    out, gone = day(availability=Availability.UNAVAILABLE), day(availability=Availability.GONE)
    assert kind(gone, out) == ChangeKind.GONE
    assert kind(out, gone) == ChangeKind.OUT_OF_STOCK


def test_changes_are_ordered_by_what_they_cost() -> None:
    worst_first = [
        day(availability=Availability.GONE),
        day(availability=Availability.UNAVAILABLE),
        day(seller="Somebody else"),
        day(availability=Availability.BUY_BOX_SUPPRESSED),
        day(ratings_count=0),
        day(bsr=10**9),
        day(price=10**6),
    ]
    scores = [find_change(USUAL, each, False)[1] for each in worst_first]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


@pytest.mark.parametrize(
    ("percent", "price", "bsr"), [("0.01", 2001, 501), ("2.5", 2050, 513), ("99.99", 4000, 1000)]
)
def test_a_threshold_may_be_of_any_size(percent: str, price: int, bsr: int) -> None:
    rule = make_change_rule(Thresholds(Decimal(percent), Decimal(percent)))
    assert find_change_by(USUAL, day(price=price), False, rule)[0] is ChangeKind.PRICE_MOVED
    assert find_change_by(USUAL, day(bsr=bsr), False, rule)[0] is ChangeKind.RANK_WORSENED
    for small in (day(price=price - 1), day(bsr=bsr - 1)):
        assert find_change_by(USUAL, small, False, rule)[0] is None


def test_a_worse_rank_scores_higher_and_never_passes_lost_ratings() -> None:
    scores = [find_change(USUAL, day(bsr=bsr), False)[1] for bsr in (750, 5000, 10**9)]
    assert scores == sorted(scores)
    assert scores[-1] < find_change(USUAL, day(ratings_count=950), False)[1]


LOSSES = st.integers(0, 950)  # ratings left of a thousand: a loss of 5 % or more
PRICES = st.integers(2100, 10**7)  # from 2,000: 5 % or more
RANKS = st.integers(750, 10**7)  # from 500: 1.5 times or more


@given(LOSSES, LOSSES, PRICES, PRICES, RANKS, RANKS)
def test_a_larger_change_never_scores_lower_and_kinds_keep_their_order(
    left: int, fewer: int, price: int, further: int, rank: int, worse: int
) -> None:
    def score(**values: int) -> float:
        return find_change(USUAL, day(**values), False)[1]

    ratings = [score(ratings_count=each) for each in sorted((left, fewer), reverse=True)]
    ranks = [score(bsr=each) for each in sorted((rank, worse))]
    prices = [score(price=each) for each in sorted((price, further))]
    assert ratings == sorted(ratings)
    assert ranks == sorted(ranks)
    assert prices == sorted(prices)
    assert 0 < max(prices) < min(ranks) <= max(ranks) < min(ratings)
    assert max(ratings) < score(availability=Availability.BUY_BOX_SUPPRESSED)


def test_as_far_better_is_as_notable_as_as_far_worse() -> None:
    assert kind(day(bsr=100), day(bsr=150)) == ChangeKind.RANK_IMPROVED
    assert kind(day(bsr=150), day(bsr=100)) == ChangeKind.RANK_WORSENED
