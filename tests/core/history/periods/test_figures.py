"""Figures of a set of products: unknown is None, shares are of what is known."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.observation import Availability
from core.history.periods import figures
from core.history.periods.change_period import ChangePeriod
from core.history.periods.figures import Average, PeriodFigures, Share, is_won
from core.history.periods.team_days import compute_day
from core.tracking.list_filter import ListFilter, ListScope
from core.tracking.rules import Role
from core.tracking.sellers.rules import OwnSeller
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.people import add_stranger
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.tables import fetch_rows

DESK = "B0TEST0003"
DAY = timedelta(days=1)
OWN = {"US": (OwnSeller(None, "Bright Shop"),)}
OURS = ListFilter(roles=(Role.OWN,), scope=ListScope.TEAM)


def read(session: Session, who: Principal, ids: list[int], own: Any = OWN) -> PeriodFigures:
    return figures.read_period_figures(session, who, ids, own, ChangePeriod.DAY)


@pytest.fixture
def ids(session: Session, principal: Principal) -> list[int]:
    """A lamp that lost its Buy Box, a kettle out of stock, and a desk never checked."""
    found = track_products(session, principal, [LAMP, KETTLE, DESK], role=Role.OWN)
    lost = {"rank": 1000, "rating": 43, "buy_box_seller": "Other Shop"}
    gone = {"availability": Availability.UNAVAILABLE, "price": None, "buy_box_seller": None}
    for asin, now in ((LAMP, lost), (KETTLE, gone)):
        store_observations(session, make_observation(asin, NOON - DAY), now=NOON)
        store_observations(session, make_observation(asin, NOON, **now), now=NOON)
    return found


def test_figures_are_shares_of_what_is_known(
    session: Session, principal: Principal, ids: list[int]
) -> None:
    assert figures.list_product_ids(session, principal, OURS) == ids
    assert figures.list_product_ids(session, principal, OURS, 1) == ids[:1]
    assert figures.list_product_ids(session, add_stranger(session), OURS) == []
    found = read(session, principal, ids)
    assert (found.products, found.observed, found.since) == (3, 2, date(2026, 3, 1))
    assert found.rank_change == pytest.approx(2**0.5)  # the median of doubled and unchanged
    assert found.ranked == 2
    assert found.in_stock == Share(1, 2, -0.5)
    assert found.buy_box == Share(0, 1, -1.0)  # the kettle has none to win
    assert found.rating == Average(44.0, 2, -1.0)


def test_what_is_not_known_is_none_and_never_zero(
    session: Session, principal: Principal, ids: list[int]
) -> None:
    assert read(session, principal, ids, {}).buy_box is None
    for asked in ([], ids[2:]):
        found = read(session, principal, asked)
        assert (found.rank_change, found.since, found.in_stock.value) == (None, None, None)
        assert found.rating == Average(None, 0, None)
    found = figures.list_figure_days(session, principal, OURS, OWN, date(2026, 2, 1))
    assert (found.days, found.observed) == ([], {})


def days(session: Session, who: Principal, **asked: Any) -> figures.FigureDays:
    wanted = ListFilter(scope=ListScope.TEAM, **({"roles": (Role.OWN,)} | asked))
    return figures.list_figure_days(session, who, wanted, OWN, date(2026, 2, 1))


def count(session: Session, *dates: date) -> None:
    for each in dates:
        compute_day(session, each, {"US": each, "DE": each})


MARCH = [date(2026, 3, number) for number in range(1, 4)]


def test_each_closed_day_has_its_own_figures(
    session: Session, principal: Principal, ids: list[int]
) -> None:
    count(session, *MARCH[:2])
    first, second = days(session, principal).days
    assert (first.day, first.buy_box, first.in_stock, first.rating) == (MARCH[0], 1.0, 1.0, 45.0)
    assert (second.buy_box, second.in_stock, second.rating) == (0.0, 0.5, 44.0)
    assert days(session, principal).observed == {"US": frozenset(MARCH[:2])}
    assert days(session, principal, roles=(Role.COMPETITOR,)).days == []
    assert days(session, principal, marketplaces=("DE",)).days == []
    assert len(days(session, principal, roles=()).days) == 2
    assert days(session, add_stranger(session)).days == []


def test_a_day_on_which_few_were_checked_has_no_figures(
    session: Session, principal: Principal, ids: list[int]
) -> None:
    track_products(session, principal, ["B0TEST0004"], role=Role.OWN)
    store_observations(session, make_observation("B0TEST0004", NOON), now=NOON)
    late = NOON + DAY
    store_observations(session, make_observation(LAMP, late), now=late)
    count(session, *MARCH)
    assert [each.day for each in days(session, principal).days] == MARCH[:2]
    assert days(session, principal).observed == {"US": frozenset(MARCH)}


def test_a_seller_of_a_competitor_is_not_counted(session: Session, principal: Principal) -> None:
    track_products(session, principal, [LAMP], role=Role.COMPETITOR)
    store_observations(session, make_observation(LAMP, NOON), now=NOON)
    count(session, MARCH[1])
    [row] = fetch_rows(session, "SELECT * FROM team_figure_day")
    assert (row["seller"], row["products"], row["rated"], row["ratings_sum"]) == ("", 1, 1, 45)


@pytest.mark.parametrize(
    ("marketplace", "seller", "availability", "answer"),
    [
        ("US", "bright shop", 1, True),
        ("US", "Other", 1, False),
        ("US", None, 1, None),
        ("US", None, Availability.BUY_BOX_SUPPRESSED, False),
        ("US", "Bright Shop", Availability.UNAVAILABLE, None),
        ("DE", "Bright Shop", 1, None),
    ],
)
def test_a_buy_box_is_won_by_an_own_seller_of_the_marketplace(
    marketplace: str, seller: str | None, availability: int, answer: bool | None
) -> None:
    assert is_won(OWN, marketplace, None, seller, availability) is answer
