"""Whom a product is compared with, and between which prices it may be moved."""

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.tracking.competitors.models import Competitor
from core.tracking.competitors.service import MOST_COMPETITORS, add_competitor, remove_competitor
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.price_caps.service import set_price_cap
from tests.factories.observations import NOON
from tests.factories.people import add_member, add_stranger
from tests.factories.products import add_product, track_products
from tests.factories.suggestions import kettle, own_lamp
from tests.factories.tables import fetch_rows


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return own_lamp(session, principal)


def test_a_seller_compares_two_products_once(
    session: Session, principal: Principal, lamp: int
) -> None:
    seller, other = add_member(session, principal, Role.SELLER), kettle(session, principal)
    assert add_competitor(session, seller, lamp, other, NOON)
    assert not add_competitor(session, seller, lamp, other, NOON)
    [kept] = session.query(Competitor)
    assert (kept.added_by, kept.added_at) == (seller.person_id, NOON)
    assert remove_competitor(session, seller, lamp, other)
    assert not remove_competitor(session, seller, lamp, other)
    audited = fetch_rows(
        session, "SELECT verb FROM audit_event WHERE verb LIKE '%competitor' ORDER BY id"
    )
    assert [row["verb"] for row in audited] == ["added competitor", "removed competitor"]


def test_viewers_compare_nothing(session: Session, principal: Principal, lamp: int) -> None:
    viewer, other = add_member(session, principal, Role.VIEWER), kettle(session, principal)
    with pytest.raises(NotAllowedError):
        add_competitor(session, viewer, lamp, other, NOON)
    with pytest.raises(NotAllowedError):
        remove_competitor(session, viewer, lamp, other)


def test_a_product_is_not_its_own_competitor(
    session: Session, principal: Principal, lamp: int
) -> None:
    with pytest.raises(InvalidInputError):
        add_competitor(session, principal, lamp, lamp, NOON)


def test_marketplaces_are_not_compared(session: Session, principal: Principal, lamp: int) -> None:
    [german] = track_products(session, principal, ["B0TEST0009"], "DE")
    with pytest.raises(InvalidInputError, match="marketplace"):
        add_competitor(session, principal, lamp, german, NOON)


def test_only_what_the_team_follows_is_compared(
    session: Session, principal: Principal, lamp: int
) -> None:
    unknown, outsider = add_product(session, "B0TEST0008"), add_stranger(session)
    with pytest.raises(NotFoundError):
        add_competitor(session, principal, lamp, unknown, NOON)
    with pytest.raises(NotFoundError):
        set_price_cap(session, outsider, lamp, PriceCaps())


def test_competitors_are_few(session: Session, principal: Principal, lamp: int) -> None:
    others = track_products(
        session, principal, [f"B0MANY{n:04d}" for n in range(MOST_COMPETITORS + 1)]
    )
    for other in others[:-1]:
        add_competitor(session, principal, lamp, other, NOON)
    with pytest.raises(InvalidInputError, match="at most"):
        add_competitor(session, principal, lamp, others[-1], NOON)
