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
from core.suggestions.competitors.queries import read_price_caps
from core.suggestions.evidence.queries import read_listing_facts
from core.suggestions.lifecycle import LockedAction
from core.suggestions.models import Suggestion, SuggestionAction
from core.suggestions.rules import ActionState, Kind

_ON_ITS_WAY = (ActionState.APPROVED, ActionState.APPLIED)


def find_problem(
    session: Session, held: LockedAction, wanted: Mapping[str, Any], now: datetime
) -> str | None:
    """Return why the wanted values may not be approved; None: they may."""
    if not held.change.is_setting and (under_way := _under_way(session, held)):
        return under_way
    match held.change.kind:
        case Kind.PRICING:
            return _price_problem(session, held, wanted)
        case Kind.CONTENT:
            return _listing_problem(session, held, wanted, now)
        case _:
            return None


def _under_way(session: Session, held: LockedAction) -> str | None:
    """Return a text about another approved or applied change of the same part; None: no other.

    Amazon shows the reviewed value until that change is published, so the comparison of
    values doesn't find it.
    """
    # One decision at a time per product: two at once would not see each other.
    locked = select(Product.id).where(Product.id == held.product.id)
    session.execute(locked.with_for_update(key_share=True))
    other = session.scalars(
        select(SuggestionAction)
        .join(Suggestion, Suggestion.id == SuggestionAction.suggestion_id)
        .where(
            Suggestion.team_id == held.suggestion.team_id,
            Suggestion.product_id == held.product.id,
            SuggestionAction.id != held.action.id,
            SuggestionAction.change == held.change.value,
            SuggestionAction.state.in_([state.value for state in _ON_ITS_WAY]),
        )
        .order_by(SuggestionAction.id.desc())
    ).first()
    if other is None:
        return None
    wanted = LockedAction(other, held.suggestion, held.product).wanted
    value = format_stored(held, wanted)
    return (
        f"Another change of the same is approved or to be published: {value} "
        f"(suggestion {other.suggestion_id}). Wait until a check confirms it, or undo it."
    )


def _price_problem(session: Session, held: LockedAction, wanted: Mapping[str, Any]) -> str | None:
    caps = read_price_caps(session, held.suggestion.team_id, held.product.id)
    latest = find_latest(session, held.product.id)
    price = None if latest is None else latest.price
    return get_spec(held.change).find_cap_problem(caps, held.action.current, price, wanted)


def _listing_problem(
    session: Session, held: LockedAction, wanted: Mapping[str, Any], now: datetime
) -> str | None:
    """Return which listing rules the wanted text would break."""
    marketplace = held.product.marketplace
    on = now.astimezone(ZoneInfo(get_marketplace(marketplace).time_zone)).date()
    listing = read_listing_facts(session, held.product.id)
    found = lint_change(listing, marketplace, on, held.change, wanted)
    return " ".join(finding.detail for finding in found) or None


def find_stale_reason(session: Session, held: LockedAction) -> str | None:
    """Return why the reviewed value is out of date, with both values; None: it is current."""
    if find_team_tracking(session, held.suggestion.team_id, held.product.id) is None:
        return "No one in the team tracks this product any more."
    latest = find_latest(session, held.product.id)
    is_gone = latest is not None and latest.availability == Availability.GONE
    if is_gone and not held.change.is_setting:
        return "The product's page is gone."
    reviewed, now = held.action.current, read_current_values(session, held)
    if are_equal(reviewed, now):
        return None
    was, is_now = (format_stored(held, each) for each in (reviewed, now))
    return f"The value changed since: reviewed was {was}; now it is {is_now}."
