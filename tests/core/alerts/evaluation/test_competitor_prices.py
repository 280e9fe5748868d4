"""A product's price beside its cheapest competitor's."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.rules.rule import Comparison, Condition, Subject
from core.history.observation import Availability
from core.tracking.competitors.service import add_competitor
from core.tracking.rules import Role
from tests.factories.evaluation import (
    add_tracked_rule,
    list_incidents,
    observe,
    switch_rules_off,
)
from tests.factories.observations import NOON
from tests.factories.products import KETTLE, LAMP, track_products

HOUR = timedelta(hours=1)
OTHER = "B0TEST0003"
UNDERCUT = Condition(Subject.CHEAPEST_COMPETITOR, Comparison.BELOW, target=950, clear_at=980)


@pytest.fixture(autouse=True)
def lamp(session: Session, principal: Principal) -> int:
    """The lamp, with two competitors."""
    switch_rules_off(session)
    [lamp, kettle, other] = track_products(session, principal, [LAMP, KETTLE, OTHER])
    for each in (kettle, other):
        add_competitor(session, principal, lamp, each, NOON)
    add_tracked_rule(session, principal, UNDERCUT)
    return lamp


def test_it_is_undercut_until_it_is_nearly_as_cheap(session: Session) -> None:
    observe(session, 0, KETTLE, price=1990)
    observe(session, 0.5, OTHER, price=1850)
    observe(session, 1, price=2000)
    [incident] = list_incidents(session)
    [[share, _, target, _]] = incident.findings
    assert (share, target) == (925, 950)
    observe(session, 2, OTHER, price=1950)
    observe(session, 3, price=2000)
    assert list_incidents(session)[0].ended_at is None, "975 is below where it clears"
    observe(session, 4, OTHER, price=1960)
    observe(session, 5, price=2000)
    assert list_incidents(session)[0].ended_at == NOON + 5 * HOUR


@pytest.mark.parametrize(
    "values",
    [
        {"price": None, "availability": Availability.UNAVAILABLE},
        {"price": 2000},
        {"price": 19},  # ×100 too cheap: flagged
    ],
)
def test_a_competitor_without_a_lower_accepted_price_undercuts_no_product(
    session: Session, values: dict[str, Any]
) -> None:
    observe(session, 0, KETTLE, price=1990)
    observe(session, 1, KETTLE, **values)
    observe(session, 2, price=2000)
    assert list_incidents(session) == []


def test_an_old_price_is_not_compared(session: Session) -> None:
    observe(session, 0, KETTLE, price=1500)
    observe(session, 7 * 24 + 1, price=2000)
    assert list_incidents(session) == []


def test_only_chosen_competitors_count(session: Session, principal: Principal) -> None:
    track_products(session, principal, ["B0TEST0009"], role=Role.COMPETITOR)
    observe(session, 0, "B0TEST0009", price=100)
    observe(session, 1, price=2000)
    assert list_incidents(session) == []
