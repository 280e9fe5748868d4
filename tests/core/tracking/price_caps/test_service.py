"""Between which prices a product may be moved."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.tracking.price_caps.queries import read_price_caps
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.price_caps.service import set_price_cap
from tests.factories.people import add_member, add_stranger
from tests.factories.suggestions import own_lamp
from tests.factories.tables import fetch_rows


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return own_lamp(session, principal)


def test_a_team_caps_only_what_it_tracks(session: Session, lamp: int) -> None:
    with pytest.raises(NotFoundError):
        set_price_cap(session, add_stranger(session), lamp, PriceCaps())


def test_caps_are_set_and_set_anew(session: Session, principal: Principal, lamp: int) -> None:
    assert read_price_caps(session, principal.team_id, lamp) == PriceCaps()
    for caps in (PriceCaps(1500, 2500, 10), PriceCaps(None, 3000, 25)):
        set_price_cap(session, principal, lamp, caps)
        assert read_price_caps(session, principal.team_id, lamp) == caps
    audited = fetch_rows(
        session, "SELECT old, new FROM audit_event WHERE new ? 'floor' ORDER BY id"
    )
    assert audited[1]["old"]["floor"] == 1500
    assert audited[1]["new"]["ceiling"] == 3000


def test_sellers_set_no_caps(session: Session, principal: Principal, lamp: int) -> None:
    with pytest.raises(NotAllowedError):
        set_price_cap(session, add_member(session, principal, Role.SELLER), lamp, PriceCaps())


@pytest.mark.parametrize(
    "caps",
    [
        {"floor": 0},
        {"ceiling": -1},
        {"floor": 2000, "ceiling": 1000},
        {"step_percent": 0.0},
        {"step_percent": 101.0},
        {"step_percent": float("nan")},
    ],
)
def test_caps_that_make_no_sense_are_refused(
    session: Session, principal: Principal, lamp: int, caps: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError):
        set_price_cap(session, principal, lamp, PriceCaps(**caps))
