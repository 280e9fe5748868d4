"""To whom a Buy Box was lost, and at which price."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.incidents import queries
from core.alerts.incidents.incident_filter import IncidentFilter
from core.history.models import Snapshot
from core.text.numbers import THIN_SPACE
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role
from core.tracking.sellers.models import OwnSellerRow
from tests.factories.alerts import add_rule
from tests.factories.evaluation import evaluate_new, switch_rules_off
from tests.factories.observations import NOON, store_observation
from tests.factories.products import LAMP, track_products

ALL = IncidentFilter(ListScope.TEAM)
HOUR = timedelta(hours=1)
NOW = NOON + timedelta(days=3)


@pytest.fixture(autouse=True)
def own_lamp(session: Session, principal: Principal) -> None:
    """An own lamp, sold by the team's own shop."""
    track_products(session, principal, [LAMP], role=Role.OWN)
    switch_rules_off(session)
    add_rule(session, principal, code="buy_box_lost", is_on=True, active_from=NOON - 24 * HOUR,
             started_at=NOON - 24 * HOUR)  # fmt: skip
    session.add(OwnSellerRow(team_id=principal.team_id, marketplace="US", name="Bright Shop"))
    session.flush()


def observe(session: Session, at: datetime, **values: Any) -> None:
    store_observation(session, at, **values)
    evaluate_new(session, at + timedelta(minutes=1))


def describe(session: Session, principal: Principal) -> str:
    [found] = queries.find_open_issues(session, principal, ALL, NOW).rows
    return found.describe("UTC", NOW).split(" since")[0]


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (1900, "Buy Box lost to Rival Deals, 5 % below your last price"),
        (2100, "Buy Box lost to Rival Deals, 5 % above your last price"),
        (2000, "Buy Box lost to Rival Deals, at your last price"),
        (20, "Buy Box lost to Rival Deals"),  # ×100 too low: flagged
    ],
)
def test_the_new_holder_and_its_price_are_named(
    session: Session, principal: Principal, price: int, words: str
) -> None:
    observe(session, NOON, price=2000)
    observe(session, NOON + HOUR, price=price, buy_box_seller="Rival Deals")
    assert describe(session, principal).replace(THIN_SPACE, " ") == words


def test_prices_more_than_a_day_apart_explain_nothing(
    session: Session, principal: Principal
) -> None:
    observe(session, NOON, price=2000)
    observe(session, NOON + 25 * HOUR, price=1900, buy_box_seller="Rival Deals")
    assert describe(session, principal) == "Buy Box lost to Rival Deals"


def test_without_its_snapshot_no_seller_is_named(session: Session, principal: Principal) -> None:
    observe(session, NOON, price=2000)
    observe(session, NOON + HOUR, price=1900, buy_box_seller="Rival Deals")
    session.execute(delete(Snapshot))
    assert describe(session, principal) == "Buy Box lost"
