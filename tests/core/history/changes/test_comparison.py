"""Differences of two states of a product, and the user's thresholds."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.accepted_values import AcceptedValues
from core.history.changes.comparison import (
    ChangedProduct,
    availability_of_day,
    find_notable_change,
)
from core.history.observation import Availability
from core.history.periods.change_detection import ChangeKind
from core.thresholds import Thresholds
from core.tracking.change_sentiment import Sentiment, exceeds_threshold
from core.tracking.rules import Role

USUAL = AcceptedValues(2000, 500, 1, 45, 1000, Availability.IN_STOCK, "Bright Shop")
FIVE_AND_FIFTY = Thresholds(Decimal(5), Decimal(50))


def changed(
    then: AcceptedValues, now: AcceptedValues, kind: ChangeKind, **more: object
) -> ChangedProduct:
    usual: dict[str, object] = {
        "product_id": 1,
        "marketplace": "US",
        "asin": "B0TEST0001",
        "title": "Lamp",
        "is_demo": False,
        "role": Role.OWN,
        "tags": (),
        "captured_at": datetime(2026, 3, 2, tzinfo=UTC),
        "bsr_category": "Lamps",
        "then_day": date(2026, 3, 1),
        "then": then,
        "now": now,
        "kind": kind,
        "is_exact": True,
    }
    return ChangedProduct(**(usual | more))  # type: ignore[arg-type]


def test_every_value_that_differs_and_is_known_at_both_times_is_listed() -> None:
    now = AcceptedValues(2200, 400, 1, 46, 1010, None, None)
    found = changed(USUAL, now, ChangeKind.PRICE_MOVED).list_value_changes()
    assert [(change.field, change.before, change.after, change.text) for change in found] == [
        ("price", 2000, 2200, "+10\u202f%"),
        ("rank", 500, 400, "▲ 100 (−20\u202f%)"),
        ("rating", 45, 46, "+0.1"),
        ("ratings_count", 1000, 1010, "+10"),
    ]


@pytest.mark.parametrize("gone", ["price", "bsr", "rating", "ratings_count"])
def test_an_unknown_value_is_no_change(gone: str) -> None:
    now = USUAL._replace(**{gone: None})
    assert changed(USUAL, now, ChangeKind.PRICE_MOVED).list_value_changes() == []
    assert changed(now, USUAL, ChangeKind.PRICE_MOVED).list_value_changes() == []


def test_a_rank_in_another_category_is_no_change() -> None:
    now = AcceptedValues(2000, 9, 2, 45, 1000)
    assert changed(USUAL, now, ChangeKind.RANK_IMPROVED).list_value_changes() == []


@pytest.mark.parametrize(
    ("share", "now", "then"),
    [
        (1.0, Availability.GONE, Availability.IN_STOCK),
        (0.1, Availability.UNAVAILABLE, Availability.IN_STOCK),
        (0.0, Availability.IN_STOCK, Availability.UNAVAILABLE),
        (0.0, Availability.GONE, None),  # gone already, or only sold out: not known
        (None, Availability.GONE, None),
        (1.0, None, None),
    ],
)
def test_a_share_of_a_day_is_compared_as_an_availability(
    share: float | None, now: Availability | None, then: Availability | None
) -> None:
    assert availability_of_day(share, now) == then


def test_a_change_since_a_day_is_written_without_the_exact_state() -> None:
    then = AcceptedValues(availability=Availability.IN_STOCK)
    now = AcceptedValues(availability=Availability.GONE)
    lost = changed(then, now, ChangeKind.GONE, is_exact=False)
    assert lost.format_change() == "for sale → page gone"
    assert changed(then, now, ChangeKind.GONE).format_change() == "in stock → page gone"
    back = changed(
        AcceptedValues(availability=Availability.UNAVAILABLE),
        AcceptedValues(availability=Availability.LIMITED),
        ChangeKind.BACK_IN_STOCK,
        is_exact=False,
    )
    assert back.format_change() == "not for sale → only a few left"


def test_a_setback_of_a_competitor_is_better_for_the_user() -> None:
    assert changed(USUAL, USUAL, ChangeKind.OUT_OF_STOCK).sentiment is Sentiment.WORSE
    rival = changed(USUAL, USUAL, ChangeKind.OUT_OF_STOCK, role=Role.COMPETITOR)
    assert rival.sentiment is Sentiment.BETTER


def test_the_worst_change_is_found_as_for_a_day() -> None:
    worse = AcceptedValues(2400, 1000, 1, 45, 1000, Availability.IN_STOCK, "Bright Shop")
    found = find_notable_change(USUAL, worse, False, FIVE_AND_FIFTY)
    assert found is not None
    assert found[0] is ChangeKind.RANK_WORSENED
    assert find_notable_change(USUAL, USUAL, False, FIVE_AND_FIFTY) is None
    assert find_notable_change(USUAL, USUAL, True, FIVE_AND_FIFTY) == (
        ChangeKind.LISTING_CHANGED,
        30.0,
    )


def with_price(percent: int) -> Thresholds:
    return FIVE_AND_FIFTY.with_own(Decimal(percent), None)


def with_rank(percent: int) -> Thresholds:
    return FIVE_AND_FIFTY.with_own(None, Decimal(percent))


def test_a_change_too_small_for_a_threshold_does_not_hide_a_lesser_one() -> None:
    both = AcceptedValues(2400, 800, 1, 45, 1000)
    found = find_notable_change(USUAL, both, False, with_rank(100))
    assert found is not None
    assert found[0] is ChangeKind.PRICE_MOVED
    assert find_notable_change(USUAL, both, False, FIVE_AND_FIFTY)[0] is ChangeKind.RANK_WORSENED  # type: ignore[index]


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.decimals("0.01", 500, places=2))
def test_exactly_at_a_threshold_a_change_is_found(
    before: int, after: int, percent: Decimal
) -> None:
    """The rule, which computes in floats, leaves out nothing that the threshold allows."""
    thresholds = Thresholds(percent, percent)
    for then, now, kind in (
        (AcceptedValues(before), AcceptedValues(after), "price_moved"),
        (AcceptedValues(None, before, 1), AcceptedValues(None, after, 1), "rank_worsened"),
    ):
        is_enough = before != after and exceeds_threshold(kind, before, after, thresholds)
        assert (find_notable_change(then, now, False, thresholds) is not None) is is_enough


def test_a_change_below_the_users_own_threshold_is_left_out() -> None:
    dearer = AcceptedValues(2400, 500, 1, 45, 1000)
    assert find_notable_change(USUAL, dearer, False, with_price(20)) is not None
    assert find_notable_change(USUAL, dearer, False, with_price(21)) is None
    better = AcceptedValues(2000, 250, 1, 45, 1000)
    assert find_notable_change(USUAL, better, False, with_rank(100)) is not None
    assert find_notable_change(USUAL, better, False, with_rank(101)) is None


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.decimals(1, 500, places=2))
def test_a_rank_is_as_far_better_as_worse(before: int, after: int, percent: Decimal) -> None:
    thresholds = Thresholds(Decimal(5), percent)
    there = exceeds_threshold("rank_worsened", before, after, thresholds)
    back = exceeds_threshold("rank_improved", after, before, thresholds)
    assert there == back
