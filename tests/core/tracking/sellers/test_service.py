"""A team sets which sellers it is, and is shown those that it may have forgotten."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.history.observation import Seen
from core.tracking.rules import Role as ProductRole
from core.tracking.sellers import service
from core.tracking.sellers.queries import (
    SeenSeller,
    list_own_sellers,
    list_seen_sellers,
    read_own_sellers,
)
from core.tracking.sellers.rules import OwnSeller
from core.tracking.sellers.service import add_own_seller, remove_own_seller
from tests.factories.observations import EVERYTHING, days_ago, store_observation
from tests.factories.people import add_member, add_stranger
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.tables import fetch_rows

OWN_ID = "A1DEMOSELLER"


def listed(session: Session, principal: Principal) -> list[tuple[str, str | None, str | None]]:
    found = list_own_sellers(session, principal)
    return [(each.marketplace, each.seller_id, each.name) for each in found]


def events(session: Session) -> list[dict[str, Any]]:
    return [
        {"verb": row["verb"], "old": row["old"], "new": row["new"]}
        for row in fetch_rows(
            session, "SELECT * FROM audit_event WHERE object LIKE 'own_seller:%' ORDER BY id"
        )
    ]


def test_a_seller_is_added_once_and_audited(session: Session, principal: Principal) -> None:
    assert add_own_seller(session, principal, "US", " a1demoseller ", " Bright  Shop ")
    assert not add_own_seller(session, principal, "US", OWN_ID, "BRIGHT SHOP")
    assert listed(session, principal) == [("US", OWN_ID, "Bright Shop")]
    assert events(session) == [
        {
            "verb": "added own seller",
            "old": None,
            "new": {"marketplace": "US", "id": OWN_ID, "name": "Bright Shop"},
        }
    ]


def test_a_name_gets_its_id_and_an_id_its_name(session: Session, principal: Principal) -> None:
    add_own_seller(session, principal, "US", "", "Bright Shop")
    assert not add_own_seller(session, principal, "US", "", "bright shop")
    assert add_own_seller(session, principal, "US", OWN_ID, "bright shop")
    assert listed(session, principal) == [("US", OWN_ID, "Bright Shop")]
    assert not add_own_seller(session, principal, "US", "", "bright shop")
    assert add_own_seller(session, principal, "US", OWN_ID, "Brighter")
    assert listed(session, principal) == [("US", OWN_ID, "Brighter")]
    assert events(session)[-1] == {
        "verb": "changed own seller",
        "old": {"id": OWN_ID, "name": "Bright Shop"},
        "new": {"id": OWN_ID, "name": "Brighter"},
    }


def test_two_ids_of_one_name_are_two_sellers(session: Session, principal: Principal) -> None:
    add_own_seller(session, principal, "US", OWN_ID, "Bright Shop")
    add_own_seller(session, principal, "US", "A2DEMOSELLER", "Bright Shop")
    add_own_seller(session, principal, "DE", OWN_ID, "")
    assert len(listed(session, principal)) == 3
    assert read_own_sellers(session, principal.team_id) == {
        "US": (OwnSeller(OWN_ID, "Bright Shop"), OwnSeller("A2DEMOSELLER", "Bright Shop")),
        "DE": (OwnSeller(OWN_ID, None),),
    }


@pytest.mark.parametrize(
    ("marketplace", "seller_id", "name"),
    [
        ("XX", OWN_ID, ""),
        ("US", "", "  "),
        ("US", "Bright Shop", ""),
        ("US", "A1", "Bright Shop"),
        ("US", "", "x" * 201),
        ("US", "", "Bright\0Shop"),
    ],
)
def test_what_names_no_seller_is_refused(
    session: Session, principal: Principal, marketplace: str, seller_id: str, name: str
) -> None:
    with pytest.raises(InvalidInputError):
        add_own_seller(session, principal, marketplace, seller_id, name)


def test_a_team_has_no_endless_list(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_OWN_SELLERS", 1)
    add_own_seller(session, principal, "US", OWN_ID, "")
    with pytest.raises(InvalidInputError, match="at most 1"):
        add_own_seller(session, principal, "DE", OWN_ID, "")
    assert add_own_seller(session, principal, "US", OWN_ID, "Bright Shop")


def test_a_removed_seller_is_gone_and_audited(session: Session, principal: Principal) -> None:
    add_own_seller(session, principal, "US", OWN_ID, "")
    [own] = list_own_sellers(session, principal)
    remove_own_seller(session, principal, own.id)
    assert listed(session, principal) == []
    assert [each["verb"] for each in events(session)] == ["added own seller", "removed own seller"]
    with pytest.raises(NotFoundError):
        remove_own_seller(session, principal, own.id)


def test_only_administrators_set_them_and_all_read_them(
    session: Session, principal: Principal
) -> None:
    add_own_seller(session, principal, "US", OWN_ID, "")
    manager = add_member(session, principal, Role.MANAGER)
    with pytest.raises(NotAllowedError):
        add_own_seller(session, manager, "US", "A2DEMOSELLER", "")
    viewer = add_member(session, principal, Role.VIEWER)
    assert listed(session, viewer) == [("US", OWN_ID, None)]
    assert list_own_sellers(session, add_stranger(session)) == []


def test_sellers_of_own_products_are_suggested_until_they_are_set(
    session: Session, principal: Principal
) -> None:
    own = ["B0TEST0011", "B0TEST0012", LAMP]
    track_products(session, principal, own, role=ProductRole.OWN)
    track_products(session, principal, [KETTLE], role=ProductRole.COMPETITOR)
    both = {"seen": EVERYTHING | Seen.SELLER_ID, "buy_box_seller_id": OWN_ID}
    for asin in own[:2]:
        store_observation(session, days_ago(1), asin, buy_box_seller="Lumo", **both)
    store_observation(session, days_ago(1), LAMP, buy_box_seller="Other")
    store_observation(session, days_ago(1), KETTLE, buy_box_seller="Rival")
    assert list_seen_sellers(session, principal) == [
        SeenSeller("US", OWN_ID, "Lumo", 2),
        SeenSeller("US", None, "Other", 1),
    ]
    add_own_seller(session, principal, "US", OWN_ID, "")
    assert [each.name for each in list_seen_sellers(session, principal)] == ["Other"]
    assert list_seen_sellers(session, add_stranger(session)) == []
