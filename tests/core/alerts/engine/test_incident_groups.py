"""Which incidents have one cause."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.models import IncidentGroup
from core.alerts.rules.rule import Comparison, Condition, Subject
from core.alerts.rules.templates import TEMPLATES
from tests.factories.evaluation import (
    add_tracked_rule,
    evaluate_new,
    list_incidents,
    switch_rules_off,
)
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.products import KETTLE, LAMP, track_products

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def tracked(session: Session, principal: Principal) -> None:
    switch_rules_off(session)
    track_products(session, principal, [LAMP, KETTLE])
    track_products(session, principal, [LAMP], "DE")
    condition = Condition(Subject.PRICE, Comparison.CHANGED, percent=10)
    add_tracked_rule(session, principal, condition)
    for marketplace in ("US", "DE"):
        for asin in (LAMP, KETTLE):
            change(session, -24, asin, 2000, marketplace=marketplace)


def change(
    session: Session, hour: float, asin: str, price: int, marketplace: str = "US",
    run: int | None = None,
) -> None:  # fmt: skip
    """Store a price, and evaluate it at once."""
    at = NOON + hour * HOUR
    made = make_observation(asin, at, price=price, marketplace=marketplace)
    store_observations(session, made, fetch_run_id=run)
    evaluate_new(session, at + timedelta(minutes=1))


def groups(session: Session) -> list[int | None]:
    """Return the group of each incident, in the order of their openings."""
    return [each.group_id for each in list_incidents(session)]


def test_one_run_is_one_group_however_long_it_takes(session: Session) -> None:
    change(session, 0, LAMP, 1000, run=7)
    change(session, 3, KETTLE, 1000, run=7)
    first, second = groups(session)
    assert first == second
    [group] = session.scalars(select(IncidentGroup))
    assert (group.first_opened_at, group.last_opened_at) == (NOON, NOON + 3 * HOUR)


def test_an_hour_of_a_marketplace_is_one_group(session: Session) -> None:
    change(session, 0, LAMP, 1000, run=7)
    change(session, 1, KETTLE, 1000, run=8)
    change(session, 2.1, KETTLE, 2000, run=9)
    first, second, third = groups(session)
    assert first == second != third


def test_marketplaces_are_groups_of_their_own(session: Session) -> None:
    change(session, 0, LAMP, 1000)
    change(session, 0.1, LAMP, 1000, marketplace="DE")
    first, second = groups(session)
    assert first != second


def test_a_purge_of_ratings_is_one_group(session: Session, principal: Principal) -> None:
    asins = [f"B0PURGE{number:03d}" for number in range(32)]
    track_products(session, principal, asins)
    [lost] = [each.rule for each in TEMPLATES if each.code == "ratings_lost"]
    add_tracked_rule(session, principal, *lost.conditions)
    for hour, share in enumerate((1.0, 1.0, 0.64, 0.64)):  # the second one confirms the purge
        observed = [
            make_observation(each, NOON + hour * HOUR, ratings_count=int(1000 * share) + place)
            for place, each in enumerate(asins)
        ]
        store_observations(session, *observed)
        evaluate_new(session, NOON + hour * HOUR + timedelta(minutes=1))
    assert len(groups(session)) == 32
    assert len(set(groups(session))) == 1


def test_hours_apart_are_groups_of_their_own_also_in_one_evaluation(session: Session) -> None:
    for hour, price in ((0, 1000), (5, 2000)):
        made = make_observation(LAMP, NOON + hour * HOUR, price=price)
        store_observations(session, made)
    evaluate_new(session, NOON + 6 * HOUR)
    first, second = groups(session)
    assert first != second
