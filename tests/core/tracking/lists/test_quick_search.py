"""What the search of every page finds."""

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.tracking.lists.quick_search import FoundProduct, QuickSearch, search_products
from tests.core.tracking.conftest import Track
from tests.factories.people import add_colleague
from tests.factories.products import add_product, track_products

MOST = 3


def test_words_a_link_and_an_asin_find_a_product(
    session: Session, principal: Principal, track: Track
) -> None:
    track("B0TEST0001", "Reading lamp", marketplace="DE")
    lamp = FoundProduct("DE", "B0TEST0001", "Reading lamp")
    for typed in (
        "lamp rea",
        "b0test0001",
        "B0TEST00",
        "DE:B0TEST0001",
        "https://www.amazon.de/Reading-lamp/dp/B0TEST0001/ref=sr_1_1?keywords=lamp",
    ):
        assert search_products(session, principal, typed, MOST).products == (lamp,), typed


def test_an_asin_of_several_marketplaces_finds_all_of_them_once(
    session: Session, principal: Principal, track: Track
) -> None:
    track("B0TEST0001", "Lamp", marketplace="DE")
    track("B0TEST0001", "Lampe", marketplace="FR")
    track_products(session, add_colleague(session, principal), ["B0TEST0001"])
    found = search_products(session, principal, "B0TEST0001", MOST)
    assert [each.marketplace for each in found.products] == ["DE", "FR", "US"]
    only = search_products(session, principal, "amazon.fr/dp/B0TEST0001", MOST)
    assert [each.title for each in only.products] == ["Lampe"]


def test_a_product_that_the_team_does_not_track_is_named(
    session: Session, principal: Principal
) -> None:
    add_product(session, "B0TEST0001")
    found = search_products(session, principal, "https://amazon.co.jp/dp/B0TEST0001", MOST)
    assert found.products == ()
    assert found.untracked is not None
    assert (found.untracked.marketplace, found.untracked.asin) == ("JP", "B0TEST0001")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "%",
        "' OR 1=1 --",
        "\x00",
        "\ud800",
        "a" * 5000,
        "https://example.com/dp/",
        "B0 B0",
    ],
)
def test_any_text_is_an_answer(session: Session, principal: Principal, typed: str) -> None:
    found = search_products(session, principal, typed, MOST)
    assert found == QuickSearch()


def test_more_matches_than_are_shown_are_announced(
    session: Session, principal: Principal, track: Track
) -> None:
    for number in range(MOST + 1):
        track(f"B0TEST000{number}", f"Lamp {number}")
    found = search_products(session, principal, "lamp", MOST)
    assert len(found.products) == MOST
    assert found.has_more
