"""The specification of each kind of change. The only list of all kinds besides `Change`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from core.suggestions.changes import (
    add_competitor,
    add_images,
    pause_tracking,
    set_cadence,
    set_coupon,
    set_price_threshold,
    set_rank_threshold,
    update_brand,
    update_bullets,
    update_category,
    update_description,
    update_price,
    update_search_terms,
    update_title,
)
from core.suggestions.changes.current_values import ChangeTarget
from core.suggestions.changes.publication import PublishedChange
from core.suggestions.changes.spec import ChangeSpec
from core.suggestions.changes.tracking import TrackingChange
from core.suggestions.changes.values import Values
from core.suggestions.lifecycle import LockedAction
from core.suggestions.rules import Change

_ALL: tuple[ChangeSpec, ...] = (
    update_price.SPEC,
    set_coupon.SPEC,
    update_title.SPEC,
    update_bullets.SPEC,
    update_description.SPEC,
    update_search_terms.SPEC,
    add_images.SPEC,
    update_brand.SPEC,
    update_category.SPEC,
    set_price_threshold.SPEC,
    set_rank_threshold.SPEC,
    set_cadence.SPEC,
    add_competitor.SPEC,
    pause_tracking.SPEC,
)
SPECS: Mapping[Change, ChangeSpec] = {spec.change: spec for spec in _ALL}


def get_spec(change: Change) -> ChangeSpec:
    """Return the specification of a kind of change."""
    return SPECS[change]


def get_published_spec(change: Change) -> PublishedChange:
    """Return the specification of a price or listing change. Raises TypeError for tracking."""
    spec = SPECS[change]
    if not isinstance(spec, PublishedChange):
        raise TypeError(f"{change.value} is not published")
    return spec


def get_tracking_spec(change: Change) -> TrackingChange:
    """Return the specification of a change of tracking. Raises TypeError for another."""
    spec = SPECS[change]
    if not isinstance(spec, TrackingChange):
        raise TypeError(f"{change.value} is not a change of tracking")
    return spec


def read_current_values(session: Session, locked: LockedAction) -> dict[str, Any]:
    """Return the current values of what an action changes. None inside: unknown or none."""
    target = ChangeTarget(locked.suggestion.team_id, locked.product.id, locked.new_values)
    return get_spec(locked.change).read_current(session, target)


def format_stored(locked: LockedAction, values: Values) -> str:
    """Return an action's values as text for a stored sentence."""
    return get_spec(locked.change).format_stored(values, locked.product.marketplace)
