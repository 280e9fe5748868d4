"""Only the importing team sees which file a value comes from."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.observation import Source
from core.history.product_summary import ProductSummary, find_product_summary
from core.history.provenance.provenance import Provenance
from core.history.provenance.queries import (
    HIDDEN_FILE,
    HIDDEN_PERSON,
    find_origin,
    find_origin_of_snapshot,
    find_origin_of_value,
)
from tests.core.history.observations import ASIN, make_sourced, store, this_hour, track_product
from tests.factories.imports import add_import
from tests.factories.people import add_stranger

HOUR = timedelta(hours=1)
Ways = dict[str, Callable[[Session, Principal, ProductSummary], Provenance | None]]
WAYS: Ways = {
    "newest": lambda session, principal, head: _newest(session, principal, head),
    "at a time": lambda session, principal, head: _at(session, principal, head),
    "of a snapshot": lambda session, principal, head: find_origin_of_snapshot(
        session, principal, head, "price", this_hour() - HOUR, int(Source.HISTORY_FILE)
    ),
    "of a value": lambda session, principal, head: find_origin_of_value(
        session, principal, head, "price", 1999, (this_hour() - 5 * HOUR, this_hour())
    ),
}


def _newest(session: Session, principal: Principal, head: ProductSummary) -> Provenance | None:
    found = find_origin(session, principal, head, "price", None)
    return found and found.provenance


def _at(session: Session, principal: Principal, head: ProductSummary) -> Provenance | None:
    found = find_origin(session, principal, head, "price", this_hour())
    return found and found.provenance


def imported_by(session: Session, owner: Principal) -> None:
    """Store an observation of the product from a user's file."""
    run = add_import(session, owner, "secret-margins.csv")
    product = track_product(session, owner)
    sourced = make_sourced(
        product, this_hour() - HOUR, source=Source.HISTORY_FILE, import_run_id=run
    )
    store(session, [sourced])


@pytest.mark.parametrize("way", WAYS)
def test_another_teams_file_and_person_are_not_named(
    session: Session, principal: Principal, way: str
) -> None:
    imported_by(session, add_stranger(session))
    head = find_product_summary(session, principal, "US", ASIN)
    assert head is not None
    found = WAYS[way](session, principal, head)
    assert found is not None
    assert found.imported is not None
    assert found.value == 1999
    assert (found.imported.name, found.imported.person) == (HIDDEN_FILE, HIDDEN_PERSON)
    assert found.imported.file_hash is None


@pytest.mark.parametrize("way", WAYS)
def test_a_teams_own_file_and_person_are_named(
    session: Session, principal: Principal, way: str
) -> None:
    imported_by(session, principal)
    head = find_product_summary(session, principal, "US", ASIN)
    assert head is not None
    found = WAYS[way](session, principal, head)
    assert found is not None
    assert found.imported is not None
    assert (found.imported.name, found.imported.person) == ("secret-margins.csv", principal.name)
    assert found.imported.file_hash == "ab" * 32
