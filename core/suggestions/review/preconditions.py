"""Checks before an approval: price caps, listing rules, the current value. Reads only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.marketplaces import get_marketplace
from core.catalog.models import Product
from core.history.observation import Availability
from core.suggestions.advisors.listing_policies import lint_change
from core.suggestions.changes.current_values import (
    find_latest,
    find_team_tracking,
)
from core.suggestions.changes.registry import format_stored, get_spec, read_current_values
from core.suggestions.changes.values import are_equal
from core.suggestions.evidence.queries import read_listing_facts
from core.suggestions.lifecycle import LockedAction
from core.suggestions.models import Suggestion, SuggestionAction
from core.suggestions.rules import ActionState, Kind
from core.tracking.price_caps.queries import read_price_caps

_ON_ITS_WAY = (ActionState.APPROVED, ActionState.APPLIED)


def find_problem(
    session: Session, locked: LockedAction, new_values: Mapping[str, Any], now: datetime
) -> str | None:
    """Return why the new values may not be approved; None: they may."""
    if not locked.change.is_setting and (under_way := _find_open_change(session, locked)):
        return under_way
    match locked.change.kind:
        case Kind.PRICING:
            return _price_problem(session, locked, new_values)
        case Kind.CONTENT:
            return _listing_problem(session, locked, new_values, now)
        case _:
            return None


def _find_open_change(session: Session, locked: LockedAction) -> str | None:
    """Return a text about another approved or applied change of the same part; None: no other.

    Amazon shows the reviewed value until that change is published, so the comparison of
    values doesn't find it.
    """
    # One decision at a time per product: two at once would not see each other.
    row = select(Product.id).where(Product.id == locked.product.id)
    session.execute(row.with_for_update(key_share=True))
    other = session.scalars(
        select(SuggestionAction)
        .join(Suggestion, Suggestion.id == SuggestionAction.suggestion_id)
        .where(
            Suggestion.team_id == locked.suggestion.team_id,
            Suggestion.product_id == locked.product.id,
            SuggestionAction.id != locked.action.id,
            SuggestionAction.change == locked.change.value,
            SuggestionAction.state.in_([state.value for state in _ON_ITS_WAY]),
        )
        .order_by(SuggestionAction.id.desc())
    ).first()
    if other is None:
        return None
    new_values = LockedAction(other, locked.suggestion, locked.product).new_values
    value = format_stored(locked, new_values)
    return (
        f"Another change of the same is approved or to be published: {value} "
        f"(suggestion {other.suggestion_id}). Wait until a check confirms it, or undo it."
    )


def _price_problem(
    session: Session, locked: LockedAction, new_values: Mapping[str, Any]
) -> str | None:
    caps = read_price_caps(session, locked.suggestion.team_id, locked.product.id)
    latest = find_latest(session, locked.product.id)
    price = None if latest is None else latest.price
    return get_spec(locked.change).find_cap_problem(caps, locked.action.current, price, new_values)


def _listing_problem(
    session: Session, locked: LockedAction, new_values: Mapping[str, Any], now: datetime
) -> str | None:
    """Return which listing rules the new text would break."""
    marketplace = locked.product.marketplace
    on = now.astimezone(ZoneInfo(get_marketplace(marketplace).time_zone)).date()
    listing = read_listing_facts(session, locked.product.id)
    found = lint_change(listing, marketplace, on, locked.change, new_values)
    return " ".join(finding.detail for finding in found) or None


def find_stale_reason(session: Session, locked: LockedAction) -> str | None:
    """Return why the reviewed value is out of date, with both values; None: it is current."""
    if find_team_tracking(session, locked.suggestion.team_id, locked.product.id) is None:
        return "No one in the team tracks this product any more."
    latest = find_latest(session, locked.product.id)
    is_gone = latest is not None and latest.availability == Availability.GONE
    if is_gone and not locked.change.is_setting:
        return "The product's page is gone."
    reviewed, now = locked.action.current, read_current_values(session, locked)
    if are_equal(reviewed, now):
        return None
    was, is_now = (format_stored(locked, each) for each in (reviewed, now))
    return f"The value changed since: reviewed was {was}; now it is {is_now}."
