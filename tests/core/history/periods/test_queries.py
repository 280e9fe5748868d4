"""Products by what changed over a period: only those that are tracked, filtered as lists are."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import MovedValue, find_movers
from core.tracking.list_filter import ListFilter, ListScope
from core.tracking.rules import Role
from tests.factories.observations import NOON, store_observation
from tests.factories.people import add_stranger
from tests.factories.products import KETTLE, LAMP, track_products

DESK = "B0TEST0003"


@pytest.fixture
def ids(session: Session, principal: Principal) -> list[int]:
    """A lamp whose price rose, a kettle whose price fell by more and a desk that stayed."""
    lamp = track_products(session, principal, [LAMP], role=Role.OWN, tags=("best",))
    kettle = track_products(session, principal, [KETTLE], "DE", role=Role.COMPETITOR)
    desk = track_products(session, principal, [DESK], role=Role.OWN)
    for asin, marketplace, price in ((LAMP, "US", 2200), (KETTLE, "DE", 1500), (DESK, "US", 2000)):
        store_observation(session, NOON - timedelta(days=1), asin, marketplace)
        store_observation(session, NOON, asin, marketplace, price=price)
    return lamp + kettle + desk


def movers(session: Session, who: Principal, *, skipped: int = 0, **asked: Any) -> list[int]:
    found = find_movers(
        session,
        who,
        ListFilter(scope=ListScope.TEAM, **asked),
        ChangePeriod.DAY,
        MovedValue.PRICE,
        is_descending=True,
        skipped=skipped,
        size=1,
    )
    return [*found.product_ids, found.total]


def test_only_changed_products_are_listed_a_page_at_a_time(
    session: Session, principal: Principal, ids: list[int]
) -> None:
    lamp, kettle, _ = ids
    assert movers(session, principal) == [lamp, 2]
    assert movers(session, principal, skipped=1) == [kettle, 2]
    assert movers(session, principal, skipped=2) == [2]


@pytest.mark.parametrize(
    "asked", [{"roles": (Role.COMPETITOR,)}, {"marketplaces": ("DE",)}, {"search": KETTLE}]
)
def test_a_filter_applies_as_in_lists(
    session: Session, principal: Principal, ids: list[int], asked: dict[str, Any]
) -> None:
    assert movers(session, principal, **asked) == [ids[1], 1]


def test_a_tag_is_a_filter(session: Session, principal: Principal, ids: list[int]) -> None:
    assert movers(session, principal, tags=("best",)) == [ids[0], 1]
    assert movers(session, principal, tags=("other",)) == [0]


def test_larger_changes_of_products_that_others_track_hide_nothing(
    session: Session, principal: Principal, ids: list[int]
) -> None:
    for number in range(6):
        asin = f"B0OTHER{number:03d}"
        store_observation(session, NOON - timedelta(days=1), asin)
        store_observation(session, NOON, asin, price=9000)
    assert movers(session, principal) == [ids[0], 2]


def test_another_team_sees_nothing(session: Session, ids: list[int]) -> None:
    assert movers(session, add_stranger(session)) == [0]


def test_every_value_of_every_period_is_a_column(session: Session) -> None:
    for period in ChangePeriod:
        for value in MovedValue:
            session.execute(text(f"SELECT {period}_{value} FROM product_change"))
