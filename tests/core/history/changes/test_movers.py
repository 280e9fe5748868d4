"""The products that moved most: both sides, their size, and the words for it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.changes.change_query import ORDER_VALUES, ChangeOrder, ChangeQuery
from core.history.changes.feed import find_changes
from core.history.changes.movers import Mover, list_extreme_movers
from core.history.changes.period_changes import list_worst_changes
from core.history.observation import Availability
from core.history.periods.change_period import ChangePeriod
from core.history.periods.queries import MovedValue
from core.tracking.change_sentiment import Sentiment
from core.tracking.rules import Role
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.products import track_products

ASINS = [f"B0TEST000{number}" for number in range(5)]
QUERY = ChangeQuery(NOON - timedelta(days=1), False, period=ChangePeriod.DAY)


@pytest.fixture
def ids(session: Session, principal: Principal) -> list[int]:
    """Own products: ranks ×2, ×1.2, ÷1.25, ÷4 and unchanged."""
    found = track_products(session, principal, ASINS, role=Role.OWN)
    for asin, rank in zip(ASINS, (1000, 600, 400, 125, 500), strict=True):
        for at, values in ((NOON - timedelta(days=1), {}), (NOON, {"rank": rank, "price": 1900})):
            store_observations(session, make_observation(asin, at, **values), now=NOON)
    return found


def movers(
    session: Session, who: Principal, ids: list[int], value: MovedValue, size: int = 9
) -> list[Mover]:
    return list_extreme_movers(session, who, QUERY, ids, value, size)


def test_the_worst_comes_first_the_best_last_and_half_is_as_far_as_double(
    session: Session, principal: Principal, ids: list[int]
) -> None:
    found = movers(session, principal, ids, MovedValue.RANK)
    assert [each.product.asin for each in found] == ASINS[:4]
    assert [round(each.size, 2) for each in found] == [-1.0, -0.26, 0.32, 2.0]
    assert [each.sentiment for each in found] == [Sentiment.WORSE] * 2 + [Sentiment.BETTER] * 2
    assert found[0].format_values() == "#500 → #1,000"
    assert found[0].format_step() == "▼ 500 (+100\u202f%)"
    assert found[3].format_step() == "▲ 375 (−75\u202f%)"
    assert found[3].format_share() == "▲ −75\u202f%"
    assert [each.product.asin for each in movers(session, principal, ids, MovedValue.RANK, 1)] == [
        ASINS[0],
        ASINS[3],
    ]
    assert movers(session, principal, ids[:1], MovedValue.RANK) == found[:1]


def test_a_price_is_neither_better_nor_worse_and_what_stayed_is_no_mover(
    session: Session, principal: Principal, ids: list[int]
) -> None:
    found = movers(session, principal, ids, MovedValue.PRICE)
    assert len(found) == 5
    assert {each.sentiment for each in found} == {Sentiment.NEUTRAL}
    assert found[0].format_values() == "$20.00 → $19.00"
    assert found[0].format_step() == "−5\u202f%"
    assert found[0].size < 0
    assert movers(session, principal, ids, MovedValue.RATINGS_COUNT) == []


@pytest.mark.dates
def test_the_worst_changes_are_sought_among_some_products_only(
    session: Session, principal: Principal
) -> None:
    found = track_products(session, principal, ASINS[:3], role=Role.OWN)
    now = datetime.now(UTC)
    gone = {"availability": Availability.UNAVAILABLE, "price": None}
    for asin, values in zip(ASINS, ({"rank": 1000}, {"rank": 125}, gone), strict=False):
        for at, seen in ((now - timedelta(days=1), {}), (now, values)):
            store_observations(session, make_observation(asin, at, **seen), now=now)

    def worst(of: list[int], size: int = 9) -> list[str]:
        return [each.asin for each in list_worst_changes(session, principal, QUERY, of, size)]

    assert worst(found) == [ASINS[2], ASINS[0], ASINS[1]]  # out of stock, worse, better
    assert worst(found, 1) == [ASINS[2]]
    assert worst(found[1:2]) == [ASINS[1]]
    assert worst([]) == []


@pytest.mark.dates
@pytest.mark.parametrize("order", [ChangeOrder.RANK, ChangeOrder.PRICE])
def test_the_movers_of_the_screen_are_those_that_agents_list(
    session: Session, principal: Principal, ids: list[int], order: ChangeOrder
) -> None:
    value = ORDER_VALUES[order]
    found = {each.product.asin: each.size for each in movers(session, principal, ids, value)}
    listed = []
    for is_descending in (True, False):
        asked = replace(QUERY, order=order, is_descending=is_descending)
        listed.append(find_changes(session, principal, asked, 0, 9).rows)
    rising, falling = listed
    assert {each.asin for each in rising} == found.keys()
    assert [each.asin for each in rising][::-1] == [each.asin for each in falling]
    if order is ChangeOrder.RANK:  # each other price moved by as much
        assert [each.asin for each in rising] == list(found)
