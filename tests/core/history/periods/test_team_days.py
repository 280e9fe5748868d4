"""What changed by team and day, computed at midnight and again after late values."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.ingest.quality_gate import PRICE_FLAGS
from core.history.observation import Availability, Observation
from core.history.periods.queries import list_change_counts, list_index_days
from core.history.periods.team_days import compute_day, find_due_days, finish_days
from core.thresholds import PRICE_CHANGE
from core.tracking.rules import Role
from tests.factories.alerts import set_team_threshold
from tests.factories.observations import (
    NOON,
    make_observation,
    make_ranks,
    store_observation,
    store_observations,
)
from tests.factories.people import add_stranger
from tests.factories.products import add_product, make_listing, track_products
from tests.factories.tables import fetch_change, fetch_rows

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TODAY = date(2026, 3, 2)
ASINS = [f"B0TEST00{number:02d}" for number in range(7)]


def compute(session: Session, now: datetime) -> list[date]:
    """Compute the days that are due, as the job does; return them."""
    due = find_due_days(session, now)
    for day in due.days:
        compute_day(session, day, due.closed)
    finish_days(session, due)
    return due.days


def store_two_days(session: Session, prices: list[int], **values: Any) -> None:
    """Store each product at 20.00 yesterday and with its new price today."""
    for asin, price in zip(ASINS, prices, strict=False):
        store_observation(session, NOON - DAY, asin)
        store_observation(session, NOON, asin, price=price, **values)


def counts(session: Session, who: Principal) -> list[tuple[Any, ...]]:
    found = list_change_counts(session, who, TODAY - 5 * DAY)
    return [(each.day, each.marketplace, each.role, each.kind, each.products) for each in found]


def indexes(session: Session, who: Principal, since: date = TODAY) -> dict[Any, Any]:
    found = list_index_days(session, who, since)
    return {(each.day, each.role): (each.price_index, each.rank_index) for each in found}


def test_changes_are_counted_by_kind_role_and_marketplace(
    session: Session, principal: Principal
) -> None:
    track_products(session, principal, ASINS[:3], role=Role.OWN)
    track_products(session, principal, ASINS[3:5], role=Role.COMPETITOR)
    track_products(session, principal, ASINS[:1], "DE", role=Role.OWN)
    store_two_days(session, [3000, 1000, 2000, 3000, 2000])
    gone = {"price": None, "availability": Availability.GONE}
    store_observation(session, NOON - DAY, ASINS[0], "DE")
    store_observation(session, NOON, ASINS[0], "DE", **gone)
    assert compute(session, NOON + DAY) == [TODAY]
    assert counts(session, principal) == [
        (TODAY, "DE", "own", "gone", 1),
        (TODAY, "US", "competitor", "price_moved", 1),
        (TODAY, "US", "own", "price_moved", 2),
    ]
    assert counts(session, add_stranger(session)) == []


def test_a_teams_thresholds_decide_what_it_counts(session: Session, principal: Principal) -> None:
    stranger = add_stranger(session)
    for who in (principal, stranger):
        track_products(session, who, ASINS[:2], role=Role.OWN)
    track_products(session, stranger, ASINS[:1], price_change_percent=Decimal(2))
    set_team_threshold(session, principal, PRICE_CHANGE, 3)
    store_two_days(session, [2050, 2070])  # 2.5 and 3.5 %
    compute(session, NOON + DAY)
    for who in (principal, stranger):
        assert counts(session, who) == [(TODAY, "US", "own", "price_moved", 1)]


def test_a_listing_that_changed_is_counted_on_its_day(
    session: Session, principal: Principal
) -> None:
    track_products(session, principal, ASINS[:1], role=Role.OWN)
    store_observation(session, NOON - DAY, ASINS[0], listing=make_listing("Lamp"))
    store_observation(session, NOON, ASINS[0], listing=make_listing("Brass lamp"))
    compute(session, NOON + DAY)
    assert counts(session, principal) == [(TODAY, "US", "own", "listing_changed", 1)]


def test_a_day_that_is_not_over_is_not_counted(session: Session, principal: Principal) -> None:
    track_products(session, principal, ASINS[:1], role=Role.OWN)
    store_two_days(session, [3000])
    compute(session, NOON)
    assert compute(session, NOON + HOUR) == [TODAY], "it is over in Sydney"
    assert counts(session, principal) == []
    assert compute(session, NOON + HOUR) == []
    compute(session, NOON + 20 * HOUR)
    assert counts(session, principal) == [(TODAY, "US", "own", "price_moved", 1)]


def test_missed_days_are_made_up_for_and_a_second_time_changes_nothing(
    session: Session, principal: Principal
) -> None:
    track_products(session, principal, ASINS[:1], role=Role.OWN)
    compute(session, NOON - 2 * DAY)
    store_two_days(session, [3000])
    days = compute(session, NOON + 3 * DAY)
    assert TODAY in days
    assert len(days) >= 4
    before = counts(session, principal)
    assert before == [(TODAY, "US", "own", "price_moved", 1)]
    assert compute(session, NOON + 3 * DAY) == []
    due = find_due_days(session, NOON + 3 * DAY)
    compute_day(session, TODAY, due.closed)
    assert counts(session, principal) == before


def test_the_index_is_the_median_of_ratios(session: Session, principal: Principal) -> None:
    track_products(session, principal, ASINS[:5], role=Role.OWN)
    track_products(session, principal, ASINS[5:], role=Role.COMPETITOR)
    store_two_days(session, [1000, 1800, 2200, 2400, 4000, 2000, 2000], rank=1000)
    compute(session, NOON + DAY)
    found = indexes(session, principal)
    assert found[TODAY, Role.OWN] == pytest.approx((110, 200))
    assert found[TODAY, Role.COMPETITOR] == (None, None), "of two products"


def test_products_that_join_or_leave_do_not_move_the_index(
    session: Session, principal: Principal
) -> None:
    track_products(session, principal, ASINS, role=Role.OWN)
    for asin in ASINS[:6]:
        store_observation(session, NOON - DAY, asin)
    for asin in ASINS[1:6]:
        store_observation(session, NOON, asin, price=2200)
    store_observation(session, NOON, ASINS[6], price=900_000)
    compute(session, NOON + DAY)
    assert indexes(session, principal)[TODAY, Role.OWN] == pytest.approx((110, 100))


def test_ranks_in_another_category_are_no_ratio(session: Session, principal: Principal) -> None:
    track_products(session, principal, ASINS[:5], role=Role.OWN)
    store_two_days(session, [2000] * 5, **make_ranks("Desks", 5))
    compute(session, NOON + DAY)
    assert indexes(session, principal)[TODAY, Role.OWN] == (100, None)


def test_a_late_value_is_counted_again(session: Session, principal: Principal) -> None:
    [lamp] = track_products(session, principal, ASINS[:1], role=Role.OWN)
    store_two_days(session, [3000])
    compute(session, NOON + DAY)
    assert len(counts(session, principal)) == 1
    late = make_observation(ASINS[0], NOON + HOUR, price=2000)
    store_observations(session, late, now=NOON + DAY)
    assert fetch_change(session, lamp)["late_since"] == TODAY
    assert compute(session, NOON + DAY) == [TODAY]
    assert counts(session, principal) == []
    assert fetch_change(session, lamp)["late_since"] is None


def test_a_flag_that_is_lifted_is_counted_again(session: Session, principal: Principal) -> None:
    track_products(session, principal, ASINS[:1], role=Role.OWN)
    store_two_days(session, [200_000])
    [flags] = fetch_rows(session, "SELECT flags FROM snapshot WHERE price = 200000")
    assert flags["flags"] & PRICE_FLAGS
    compute(session, NOON + DAY)
    assert counts(session, principal) == []
    store_observation(session, NOON + DAY, ASINS[0], price=200_000)
    compute(session, NOON + DAY)
    assert counts(session, principal) == [(TODAY, "US", "own", "price_moved", 1)]


def test_what_changes_while_days_are_computed_stays_due(
    session: Session, principal: Principal
) -> None:
    [lamp] = track_products(session, principal, ASINS[:1], role=Role.OWN)
    store_two_days(session, [3000])

    def store_late(hours: int) -> Observation:
        late = make_observation(ASINS[0], NOON + hours * HOUR, price=2000)
        store_observations(session, late, now=NOON + DAY)
        return late

    store_late(1)
    due = find_due_days(session, NOON + DAY)
    store_late(2)
    finish_days(session, due)
    assert fetch_change(session, lamp)["late_since"] == TODAY
    assert compute(session, NOON + DAY) == [TODAY]


def test_untracked_products_are_not_counted(session: Session, principal: Principal) -> None:
    add_product(session, ASINS[0])
    store_two_days(session, [3000])
    compute(session, NOON + DAY)
    assert counts(session, principal) == []
