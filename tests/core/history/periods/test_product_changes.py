"""What changed since yesterday, over 7 and over 30 days, as it is kept beside each observation."""

from datetime import date, timedelta
from math import log
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.history.observation import Availability, Flag, Outcome, Seen
from core.history.periods.change_period import ChangePeriod
from tests.factories.observations import (
    NOON,
    make_change,
    make_observation,
    make_price_observation,
    make_ranks,
    store_observation,
    store_observations,
)
from tests.factories.products import add_product
from tests.factories.tables import fetch_change

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def changes_of(session: Session, name: str) -> list[Any]:
    """Return the lamp's change over each period."""
    kept = fetch_change(session, add_product(session))
    return [kept[f"{period}_{name}"] for period in ChangePeriod]


def store_days(session: Session, **values: list[Any]) -> None:
    """Store an observation 31, 8, 1 and 0 days before noon; each value has four of them."""
    for number, days in enumerate((31, 8, 1, 0)):
        each = {name: of_days[number] for name, of_days in values.items()}
        store_observation(session, NOON - days * DAY, **each)


def test_each_period_compares_with_its_own_close(session: Session) -> None:
    store_days(
        session,
        price=[1000, 1600, 2500, 2000],
        rank=[100, 200, 400, 200],
        rating=[40, 42, 44, 43],
        ratings_count=[1000, 1010, 1020, 1019],
        buy_box_seller=["Other", "Bright Shop", "Other", "Bright Shop"],
    )
    assert changes_of(session, "price") == [2500, 1600, 1000]
    assert changes_of(session, "price_change") == pytest.approx([-0.2, 0.25, 1.0])
    assert changes_of(session, "rank_change") == pytest.approx([log(0.5), 0, log(2)])
    assert changes_of(session, "rating_change") == [-1, 1, 3]
    assert changes_of(session, "ratings_change") == [-1, 9, 19]
    assert changes_of(session, "seller_changed") == [True, False, True]
    assert changes_of(session, "seller") == ["Other", "Bright Shop", "Other"]
    assert fetch_change(session, add_product(session))["day"] == date(2026, 3, 2)


def test_an_unchanged_value_is_zero_and_an_unknown_one_is_not(session: Session) -> None:
    store_days(session, price=[None, None, 2000, 2000])
    assert changes_of(session, "price_change") == [0, None, None]
    assert changes_of(session, "rating_change") == [0, 0, 0]


def test_a_value_that_is_not_there_now_has_no_change(session: Session) -> None:
    store_days(session, price=[2000, 2000, 2000, None])
    assert changes_of(session, "price_change") == [None, None, None]
    assert changes_of(session, "price") == [2000, 2000, 2000]


def test_a_close_may_be_seven_days_older_and_no_more(session: Session) -> None:
    store_observation(session, NOON - 8 * DAY, price=1000)
    store_observation(session, NOON, price=2000)
    assert changes_of(session, "price_change") == [1, 1, None]
    store_observation(session, NOON + DAY, price=4000)
    assert changes_of(session, "price_change") == [1, 3, None]
    store_observation(session, NOON + 10 * DAY, price=4000)
    assert changes_of(session, "price_change") == [None, 0, None]


def test_each_value_has_the_newest_close_with_one(session: Session) -> None:
    store_observation(session, NOON - 3 * DAY, price=1000, rank=100)
    store_observations(session, make_price_observation(at=NOON - DAY, price=1500), now=NOON)
    store_observation(session, NOON, price=3000, rank=200)
    assert changes_of(session, "price_change")[0] == 1
    assert changes_of(session, "rank_change")[0] == pytest.approx(log(2))


def test_ranks_of_two_categories_are_not_compared(session: Session) -> None:
    store_observation(session, NOON - DAY, **make_ranks("Lamps", 500))
    store_observation(session, NOON, **make_ranks("Desks", 5))
    assert changes_of(session, "rank_change") == [None, None, None]


def test_what_was_not_observed_since_the_close_is_unknown(session: Session) -> None:
    store_observation(session, NOON - DAY, price=1000)
    store_observations(session, make_price_observation(at=NOON, price=1000), now=NOON)
    kept = fetch_change(session, add_product(session))
    assert (kept["day_price_change"], kept["day_rating_change"]) == (0, None)


def test_a_later_observation_of_the_day_replaces_the_change(session: Session) -> None:
    store_observation(session, NOON - DAY, price=1000)
    store_observation(session, NOON, price=1500)
    store_observation(session, NOON + MINUTE, price=1200)
    assert changes_of(session, "price_change")[0] == pytest.approx(0.2)


def test_a_late_observation_changes_what_is_compared_with(session: Session) -> None:
    store_observation(session, NOON - 2 * DAY, price=1000)
    store_observation(session, NOON, price=1500)
    late = make_observation(at=NOON - DAY, price=1200)
    store_observations(session, late, now=NOON + MINUTE)
    assert changes_of(session, "price") == [1200, None, None]
    assert changes_of(session, "price_change")[0] == pytest.approx(0.25)


def test_a_flagged_value_is_compared_with_once_it_is_confirmed(session: Session) -> None:
    store_observation(session, NOON - 2 * DAY, price=1000)
    store_observation(session, NOON - DAY, price=120_000)
    kept = fetch_change(session, add_product(session))
    assert (kept["day_price"], kept["day_price_change"]) == (1000, None)
    store_observation(session, NOON, price=120_000)
    assert changes_of(session, "price_change")[0] == 0


def test_an_observation_flagged_by_its_source_is_not_compared_with(session: Session) -> None:
    store_observation(session, NOON - 2 * DAY, price=1000)
    store_observation(session, NOON - DAY, price=1500, flags=Flag.STALE_VALUE)
    store_observation(session, NOON, price=1100)
    assert changes_of(session, "price")[0] == 1000


def test_the_value_of_a_series_of_changes_holds_until_the_next(session: Session) -> None:
    series = [make_change(at=NOON - 31 * DAY, price=1000), make_change(at=NOON, price=1500)]
    store_observations(session, *series, now=NOON + MINUTE)
    assert changes_of(session, "price_change") == [0.5, 0.5, 0.5]
    assert changes_of(session, "seller") == ["Bright Shop"] * 3


def test_a_series_is_ended_by_a_late_observation(session: Session) -> None:
    series = [make_change(at=NOON - 31 * DAY, price=1000), make_change(at=NOON, price=1500)]
    store_observations(session, *series, now=NOON + MINUTE)
    late = make_observation(at=NOON - 20 * DAY, price=1000)
    store_observations(session, late, now=NOON + MINUTE)
    assert changes_of(session, "price_change") == [None, None, 0.5]


def test_a_row_never_goes_back_to_an_earlier_day(session: Session) -> None:
    store_observation(session, NOON - DAY, price=1000)
    store_observation(session, NOON, price=1500)
    yesterday = make_observation(at=NOON - DAY + MINUTE, price=1200)
    store_observations(session, yesterday, now=NOON - DAY + 2 * MINUTE)
    kept = fetch_change(session, add_product(session))
    assert (kept["day"], kept["day_price"]) == (date(2026, 3, 2), 1200)
    assert kept["day_price_change"] == pytest.approx(0.25)


def test_numbers_that_no_product_has_are_stored_without_a_change(session: Session) -> None:
    store_observation(session, NOON - DAY, ratings_count=-(2**31) + 1, price=-5, rank=1)
    store_observation(session, NOON, ratings_count=2**31 - 1, price=2**53, rank=2**31 - 1)
    store_observation(session, NOON + MINUTE, ratings_count=2**31 - 1, price=2**53, rank=2**31 - 1)
    assert changes_of(session, "ratings_change")[0] is None


def test_the_worst_change_since_yesterday_is_kept(session: Session) -> None:
    store_days(session, price=[2000, 2000, 2000, 3000], rank=[500, 500, 500, 2000])
    kept = fetch_change(session, add_product(session))
    assert (kept["attention_kind"], kept["changed_on"]) == ("rank_worsened", date(2026, 3, 2))
    assert kept["attention"] == pytest.approx(40 + 10 * log(4))
    store_observation(session, NOON + MINUTE, price=3000, rank=500)
    assert fetch_change(session, add_product(session))["attention_kind"] == "price_moved"
    store_observation(session, NOON + 2 * MINUTE)
    kept = fetch_change(session, add_product(session))
    assert (kept["attention_kind"], kept["attention"]) == (None, 0)


def test_yesterday_is_the_day_before_the_check_and_not_the_day_before_the_last(
    session: Session,
) -> None:
    store_observation(session, NOON - DAY, price=1000)
    late = make_observation(at=NOON, price=3000)
    store_observations(session, late, now=NOON + DAY)
    kept = fetch_change(session, add_product(session))
    assert (kept["day_price"], kept["attention_kind"]) == (3000, None)
    assert kept["week_price_change"] is None


def test_a_late_observation_withdraws_a_change(session: Session) -> None:
    store_observation(session, NOON - 2 * DAY, price=1000)
    store_observation(session, NOON, price=1500)
    assert fetch_change(session, add_product(session))["attention_kind"] == "price_moved"
    store_observations(session, make_observation(at=NOON - DAY, price=1500), now=NOON + MINUTE)
    assert fetch_change(session, add_product(session))["attention_kind"] is None


def test_a_removed_listing_has_no_share_of_the_buy_box_until_it_returns(session: Session) -> None:
    def share() -> list[Any]:
        kept = fetch_change(session, add_product(session))
        return [kept["seller_share"], kept["share_seller"]]

    store_observation(session, NOON - DAY, buy_box_seller="Bright Shop")
    store_observation(session, NOON, buy_box_seller="Bright Shop")
    assert share() == [1, "Bright Shop"]
    removed = {"seen": Seen.AVAILABILITY, "availability": Availability.GONE}
    gone = make_observation(at=NOON + MINUTE, outcome=Outcome.NOT_FOUND, **removed)
    store_observations(session, gone, now=NOON + MINUTE)
    assert share() == [None, None]
    store_observation(session, NOON + 2 * MINUTE, buy_box_seller="Bright Shop")
    assert share() == [1, "Bright Shop"]
