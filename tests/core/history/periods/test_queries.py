"""Products by what changed over a period: only those that are tracked, filtered as lists are."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import MovedValue, find_movers
from core.tracking.list_filter import CHANGE_DAYS, ListFilter, ListScope, Sort, SortBy
from core.tracking.lists import queries as lists
from core.tracking.lists.list_filter_sql import PERIODS
from core.tracking.rules import Role
from tests.factories.observations import NOON, store_observation
from tests.factories.people import add_stranger
from tests.factories.products import KETTLE, LAMP, set_changes, track_products

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


@pytest.mark.parametrize("short", [0, 50])
@pytest.mark.parametrize("is_descending", [False, True])
@pytest.mark.parametrize("value", [MovedValue.PRICE, MovedValue.RANK])
@pytest.mark.parametrize("period", ChangePeriod)
def test_a_list_sorted_by_a_change_agrees_with_its_movers(
    session: Session,
    principal: Principal,
    monkeypatch: pytest.MonkeyPatch,
    short: int,
    is_descending: bool,
    value: MovedValue,
    period: ChangePeriod,
) -> None:
    monkeypatch.setattr(lists, "SHORT_LIST", short)
    changes = (0.5, 0.5, None, -0.25, 0.0, -2.0, 0.125)
    ids = track_products(session, principal, [f"B0TEST{n:04d}" for n in range(len(changes))])
    for product_id, change in zip(ids, changes, strict=True):
        set_changes(session, product_id, {f"{period}_{value}": change})
    everything = ListFilter(scope=ListScope.TEAM)
    moved = find_movers(
        session,
        principal,
        everything,
        period,
        value,
        is_descending=is_descending,
        skipped=0,
        size=9,
    ).product_ids
    sort = Sort(SortBy(value.value), is_descending, period.days)
    pages = [lists.find_rows(session, principal, everything, sort, start, 3) for start in (0, 3, 6)]
    listed = [row["product_id"] for page in pages for row in page.rows]
    same, unknown = ids[4], ids[2]
    assert [each for each in listed if each not in (same, unknown)] == moved
    assert listed[-1] == unknown
    assert sorted(listed) == ids


def test_lists_name_the_periods_as_the_columns_do() -> None:
    assert {period.days: period.value for period in ChangePeriod} == PERIODS
    assert tuple(PERIODS) == CHANGE_DAYS


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
