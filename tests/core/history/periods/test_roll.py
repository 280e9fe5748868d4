"""Kept changes move to the next day at each marketplace's midnight."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.history.periods import roll
from tests.factories.observations import (
    NOON,
    make_observation,
    store_observation,
    store_observations,
)
from tests.factories.products import KETTLE, LAMP, add_product
from tests.factories.tables import fetch_change

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def roll_all(session: Session, now: datetime, limit: int = 100) -> int:
    """Roll as the job does and return how many products were moved."""
    count = 0
    for marketplace, day in roll.list_due_days(session, now).items():
        after = 0
        while ids := roll.roll_products(session, marketplace, day, after, limit):
            count, after = count + len(ids), ids[-1]
    return count


def kept(session: Session, *names: str, **product: str) -> list[Any]:
    """Return columns of a product's kept changes."""
    found = fetch_change(session, add_product(session, **product))
    return [found[name] for name in names]


def test_at_midnight_yesterday_is_what_was_today(session: Session) -> None:
    store_observation(session, NOON - DAY, price=1000)
    store_observation(session, NOON, price=1500)
    midnight = datetime(2026, 3, 3, 8, tzinfo=UTC)  # in Los Angeles
    assert roll_all(session, midnight - timedelta(seconds=1)) == 0
    assert roll_all(session, midnight) == 1
    names = ("day", "day_price", "day_price_change", "week_price", "week_price_change")
    assert kept(session, *names) == [date(2026, 3, 3), 1500, None, None, None]


def test_a_product_that_is_not_checked_moves_through_its_periods(session: Session) -> None:
    store_observation(session, NOON - 3 * DAY, price=1000)
    store_observation(session, NOON, price=1500)
    changes = {}
    for days in range(1, 40):
        assert roll_all(session, NOON + days * DAY) == 1
        changes[days] = kept(session, "week_price_change", "month_price_change")
    assert changes[3] == [None, None]
    assert changes[4] == [0.5, None]
    assert changes[6] == [0.5, None]
    assert changes[7] == [None, None], "it was not observed in the 7 days"
    assert changes[27] == [None, 0.5]
    assert changes[29] == [None, 0.5]
    assert changes[30] == [None, None]


def test_a_missed_roll_is_made_up_for_and_a_second_one_changes_nothing(session: Session) -> None:
    store_observation(session, NOON - DAY, price=1000)
    store_observation(session, NOON, price=1500)
    assert roll_all(session, NOON + 6 * DAY) == 1
    before = fetch_change(session, add_product(session))
    assert before["week_price_change"] == 0.5
    assert roll_all(session, NOON + 6 * DAY) == 0
    assert fetch_change(session, add_product(session)) == before


def test_each_marketplace_has_its_own_midnight(session: Session) -> None:
    for marketplace in ("US", "JP"):
        store_observation(session, NOON, marketplace=marketplace)
    assert roll_all(session, datetime(2026, 3, 2, 15, tzinfo=UTC)) == 1
    assert kept(session, "day", marketplace="JP") == [date(2026, 3, 3)]
    assert kept(session, "day", marketplace="US") == [date(2026, 3, 2)]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_a_day_lasts_as_long_as_the_marketplaces(session: Session, day: date, hours: int) -> None:
    begins = datetime(day.year, day.month, day.day, 23, tzinfo=UTC) - DAY
    begins -= timedelta(hours=day.month == 10)  # in summer time
    store_observation(session, begins - HOUR, marketplace="DE", price=1000)
    store_observation(session, begins, marketplace="DE", price=1500)
    assert kept(session, "day", "day_price_change", marketplace="DE") == [day, 0.5]
    end = begins + hours * HOUR
    assert roll_all(session, end - timedelta(seconds=1)) == 0
    assert roll_all(session, end) == 1
    assert kept(session, "day_price", marketplace="DE") == [1500]


def test_a_roll_that_was_interrupted_goes_on(session: Session) -> None:
    for asin in (LAMP, KETTLE):
        store_observation(session, NOON, asin)
    now = NOON + DAY
    [(marketplace, day)] = roll.list_due_days(session, now).items()
    assert len(roll.roll_products(session, marketplace, day, 0, limit=1)) == 1
    assert roll_all(session, now) == 1
    assert roll.list_due_days(session, now) == {}


def test_an_observation_after_midnight_moves_its_product_before_the_roll(session: Session) -> None:
    store_observation(session, NOON, price=1000)
    store_observation(session, NOON, KETTLE)
    store_observation(session, NOON + DAY, price=1500)
    assert kept(session, "day", "day_price_change") == [date(2026, 3, 3), 0.5]
    assert roll_all(session, NOON + DAY) == 1


def test_a_product_that_was_never_checked_has_no_changes(session: Session) -> None:
    add_product(session)
    assert roll_all(session, NOON) == 1
    assert kept(session, "day", "day_price", "day_price_change") == [date(2026, 3, 2), None, None]


def test_at_midnight_the_worst_change_is_no_longer_since_yesterday(session: Session) -> None:
    store_observation(session, NOON - DAY, price=1000)
    store_observation(session, NOON, price=1500)
    assert kept(session, "attention_kind") == ["price_moved"]
    roll_all(session, NOON + DAY)
    names = ("attention_kind", "attention", "changed_on")
    assert kept(session, *names) == [None, 0, date(2026, 3, 2)]


def test_an_observation_of_the_new_day_is_compared_by_the_roll(session: Session) -> None:
    store_observation(session, NOON - DAY, price=1000)
    midnight = datetime(2026, 3, 2, 8, tzinfo=UTC)  # in Los Angeles
    early = make_observation(at=midnight + timedelta(minutes=1), price=1500)
    store_observations(session, early, now=midnight - timedelta(minutes=1))
    assert kept(session, "day", "attention_kind") == [date(2026, 3, 1), None]
    roll_all(session, midnight + timedelta(minutes=2))
    names = ("day_price", "day_price_change", "attention_kind")
    assert kept(session, *names) == [1000, 0.5, "price_moved"]
