"""A change that the team made and a check confirmed needs no attention."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.models import ProductLatest
from core.suggestions.changes.publication import ListingChange
from core.suggestions.changes.registry import SPECS
from core.suggestions.models import SuggestionAction
from core.suggestions.rules import ProposedAction
from core.thresholds import PRICE_CHANGE
from core.tracking.list_filter import ListFilter, State
from core.tracking.lists.list_filter_sql import LISTING_CHANGES
from core.tracking.lists.queries import count_products
from tests.factories.alerts import set_team_threshold
from tests.factories.products import add_product, set_changes
from tests.factories.suggestions import new_price, new_title, own_lamp, suggest

pytestmark = pytest.mark.dates  # what it stores is of today

MOVED = {"attention_kind": "price_moved", "attention": 25.0, "day_price": 2000, "price": 1900}
CHANGED = {"attention_kind": "listing_changed", "attention": 30.0}


def needing_attention(session: Session, principal: Principal) -> int:
    return count_products(session, principal, ListFilter(states=(State.ATTENTION,)))


def set_values(session: Session, **values: Any) -> None:
    """Set the lamp's newest values and changes directly."""
    set_changes(session, add_product(session), values)
    session.execute(update(ProductLatest).values(**values))


def made(
    session: Session, principal: Principal, found: dict[str, Any], *actions: ProposedAction
) -> None:
    """Store a lamp with `found` as today's changed values, and these actions as verified."""
    own_lamp(session, principal)
    set_team_threshold(session, principal, PRICE_CHANGE, 5)
    now = datetime.now(UTC)
    set_values(session, captured_at=now, **found)
    assert needing_attention(session, principal) == 1
    suggest(session, principal, *actions)
    session.execute(update(SuggestionAction).values(state="verified", verified_at=now))


@pytest.mark.parametrize(
    ("found", "action"), [(MOVED, new_price(1900)), (CHANGED, new_title())], ids=["price", "title"]
)
def test_an_own_verified_change_needs_no_attention(
    session: Session, principal: Principal, found: dict[str, Any], action: ProposedAction
) -> None:
    made(session, principal, found, action)
    assert needing_attention(session, principal) == 0


@pytest.mark.parametrize("state", ["approved", "applied", "declined", "unseen"])
def test_before_a_check_confirmed_it_a_change_needs_attention(
    session: Session, principal: Principal, state: str
) -> None:
    made(session, principal, MOVED, new_price(1900))
    session.execute(update(SuggestionAction).values(state=state))
    assert needing_attention(session, principal) == 1


def test_the_values_that_a_manager_edited_count_as_set(
    session: Session, principal: Principal
) -> None:
    made(session, principal, MOVED, new_price(1800))
    assert needing_attention(session, principal) == 1, "another price than the one proposed"
    session.execute(update(SuggestionAction).values(edited={"price": 1900}))
    assert needing_attention(session, principal) == 0


def test_another_change_or_an_old_one_explains_nothing(
    session: Session, principal: Principal
) -> None:
    made(session, principal, CHANGED, new_price(1900))
    assert needing_attention(session, principal) == 1
    session.execute(update(SuggestionAction).values(change="update_title"))
    assert needing_attention(session, principal) == 0
    set_values(session, price=1500, day_price=2000)
    assert needing_attention(session, principal) == 1, "the price moved besides"
    session.execute(update(ProductLatest).values(price=1999))
    long_ago = datetime.now(UTC) - timedelta(days=3)
    session.execute(update(SuggestionAction).values(verified_at=long_ago))
    assert needing_attention(session, principal) == 1


def test_a_rank_that_worsened_needs_attention_whatever_was_set(
    session: Session, principal: Principal
) -> None:
    worse = {"attention_kind": "rank_worsened", "attention": 45.0, "day_bsr": 100, "bsr": 200}
    made(session, principal, MOVED | worse, new_price(1900))
    assert needing_attention(session, principal) == 1


def test_the_list_repeats_the_changes_of_listings() -> None:
    on_a_page = {
        spec.change.value
        for spec in SPECS.values()
        if isinstance(spec, ListingChange) and spec.is_on_page
    }
    assert set(LISTING_CHANGES) == on_a_page
