"""What a name that is being typed may become."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.tracking.lists import autocomplete
from core.tracking.lists.autocomplete import complete_asin, complete_name
from tests.core.tracking.conftest import Track
from tests.factories.people import add_colleague
from tests.factories.products import add_product, track_products
from tests.hypothesis_runs import examples

MOST = 3


def names(session: Session, principal: Principal, typed: str) -> list[str]:
    found = complete_name(session, principal, typed, MOST)
    return [f"{marketplace}:{asin}" for marketplace, asin in found.products]


def test_a_product_that_several_users_track_is_offered_once(
    session: Session, principal: Principal
) -> None:
    track_products(session, principal, ["B0TEST0001"])
    other = add_colleague(session, principal)
    track_products(session, other, ["B0TEST0001", "B0TEST0002"])
    assert names(session, principal, "b0") == ["US:B0TEST0001", "US:B0TEST0002"]


def test_a_product_that_the_team_does_not_track_is_not_offered(
    session: Session, principal: Principal
) -> None:
    add_product(session, "B0TEST0001")
    assert names(session, principal, "B0TEST0001") == []


def test_words_of_a_title_find_it_in_any_marketplace(
    session: Session, principal: Principal, track: Track
) -> None:
    track("B0TEST0001", "Reading lamp", marketplace="DE")
    assert names(session, principal, "lamp rea") == ["DE:B0TEST0001"]
    assert names(session, principal, "DE:") == ["DE:B0TEST0001"]
    assert names(session, principal, "US:") == []


def test_counting_stops_at_a_cap_and_returns_no_total(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    track_products(session, principal, [f"B0TEST{number:04}" for number in range(6)])
    found = complete_asin(session, principal, "B0", None, MOST)
    assert (len(found.products), found.total, found.has_more) == (MOST, 6, True)
    exactly = complete_asin(session, principal, "B0", "US", 6)
    assert (len(exactly.products), exactly.total, exactly.has_more) == (6, 6, False)
    monkeypatch.setattr(autocomplete, "COUNTED", 5)
    found = complete_asin(session, principal, "B0", None, MOST)
    assert (found.total, found.has_more) == (None, True)


@settings(max_examples=examples(30))
@given(typed=st.text(max_size=300))
def test_no_typed_text_is_an_error(session: Session, principal: Principal, typed: str) -> None:
    complete_name(session, principal, typed, MOST)
    complete_asin(session, principal, typed, "US", MOST)
