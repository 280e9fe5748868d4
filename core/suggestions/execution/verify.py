"""Verifies applied changes: an accepted observation shows the new value. Never commits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.catalog.listing_versions import as_listing
from core.catalog.models import ListingVersion
from core.history.expected.rules import EXPECTED_FOR
from core.history.ingest.quality_gate import PRICE_FLAGS
from core.history.models import Snapshot
from core.suggestions.changes.publication import ListingChange, OfferChange
from core.suggestions.changes.registry import get_published_spec
from core.suggestions.lifecycle import BY_ITSELF, LockedAction, lock_action, transition
from core.suggestions.models import Suggestion, SuggestionAction
from core.suggestions.rules import ActionState

LATE = EXPECTED_FOR  # after this time applied changes are no longer checked
_UNCONFIRMED = (ActionState.APPLIED, ActionState.UNSEEN)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The first observation that shows a new value, as the key of its product's snapshot."""

    captured_at: datetime
    source: int


def verify_action(session: Session, action_id: int, now: datetime) -> ActionState | None:
    """Mark an applied change as verified or not confirmed, and return its new state.

    None: the state stays as it is. Raises NotFoundError for an action that was deleted with
    its product.
    """
    locked = lock_action(session, action_id)
    if locked.state not in _UNCONFIRMED:
        return None  # another transaction was faster
    confirmation = find_confirmation(session, locked)
    if confirmation is not None:
        return ActionState.VERIFIED if _mark_verified(session, locked, confirmation, now) else None
    if locked.state is ActionState.APPLIED and _is_overdue(locked, now):
        return ActionState.UNSEEN if _mark_not_confirmed(session, locked, now) else None
    return None


def list_unconfirmed_actions(
    session: Session, now: datetime, product_ids: Collection[int] | None = None
) -> list[int]:
    """Return the applied changes that no observation confirms yet, oldest first.

    `product_ids`: only of these products; None: of all.
    """
    unconfirmed = (
        select(SuggestionAction.id)
        .where(
            # Not IN: PostgreSQL must see that the partial index fits.
            or_(*(SuggestionAction.state == state.value for state in _UNCONFIRMED)),
            SuggestionAction.verify_until.is_not(None),
            SuggestionAction.applied_at > now - LATE,
        )
        .order_by(SuggestionAction.id)
    )
    if product_ids is not None:
        unconfirmed = unconfirmed.join(
            Suggestion, Suggestion.id == SuggestionAction.suggestion_id
        ).where(Suggestion.product_id.in_(product_ids))
    return list(session.scalars(unconfirmed))


def find_confirmation(session: Session, locked: LockedAction) -> Confirmation | None:
    """Return the first accepted observation since the application that shows the new value."""
    spec, applied_at = get_published_spec(locked.change), locked.action.applied_at
    if applied_at is None or not spec.is_on_page:
        return None
    if isinstance(spec, OfferChange):
        return _find_in_offers(session, locked, spec, applied_at)
    if isinstance(spec, ListingChange):
        return _find_in_listings(session, locked, spec, applied_at)
    return None


def _find_in_offers(
    session: Session, locked: LockedAction, spec: OfferChange, applied_at: datetime
) -> Confirmation | None:
    fields = spec.offer_fields(locked.new_values).items()
    shows = [getattr(Snapshot, field) == value for field, value in fields if value is not None]
    snapshots = (
        select(Snapshot)
        .where(
            Snapshot.product_id == locked.product.id,
            Snapshot.captured_at > applied_at,
            Snapshot.flags.op("&")(PRICE_FLAGS) == 0,
            *shows,
        )
        .order_by(Snapshot.captured_at)
        .limit(1)
    )
    for each in session.scalars(snapshots):
        if spec.is_confirmed_by(spec.of_offer(each), locked.new_values):
            return Confirmation(each.captured_at, each.source)
    return None


def _find_in_listings(
    session: Session, locked: LockedAction, spec: ListingChange, applied_at: datetime
) -> Confirmation | None:
    versions = (
        select(ListingVersion)
        .where(
            ListingVersion.product_id == locked.product.id,
            ListingVersion.first_seen_at > applied_at,
        )
        .order_by(ListingVersion.first_seen_at)
    )
    for version in session.scalars(versions):
        shown = spec.of_listing(as_listing(version))
        if spec.is_confirmed_by(shown, locked.new_values):
            return Confirmation(version.first_seen_at, version.source)
    return None


def _mark_verified(
    session: Session, locked: LockedAction, confirmation: Confirmation, now: datetime
) -> bool:
    values = {
        "verified_at": now,
        "seen_at": confirmation.captured_at,
        "seen_source": confirmation.source,
        "trouble": None,
    }
    why = "A check shows the new value."
    return transition(session, locked, ActionState.VERIFIED, now, BY_ITSELF, why, **values)


def _is_overdue(locked: LockedAction, now: datetime) -> bool:
    until = locked.action.verify_until
    return until is not None and until <= now


def _mark_not_confirmed(session: Session, locked: LockedAction, now: datetime) -> bool:
    applied_at, until = locked.action.applied_at, locked.action.verify_until
    days = (until - applied_at).days if applied_at and until else 0
    why = (
        "No page shows this value, so no check can confirm it."
        if not get_published_spec(locked.change).is_on_page
        else f"No check has shown the new value within {days} days. Was it published?"
    )
    return transition(session, locked, ActionState.UNSEEN, now, BY_ITSELF, why, trouble=why)
