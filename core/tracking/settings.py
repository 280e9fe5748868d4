"""Settings of a tracked product: role, cadence, tags, note, thresholds. Never commits."""

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.errors import InvalidInputError
from core.thresholds import NO_THRESHOLD, is_threshold, round_threshold
from core.tracking.editable_rows import lock_editable_row
from core.tracking.list_filter import ListScope
from core.tracking.models import Tracking
from core.tracking.rules import (
    LONGEST_NOTE,
    Cadence,
    Role,
)
from core.tracking.service import clean_tags, sync_schedule


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """A user's settings for one tracked product."""

    role: Role
    cadence: Cadence
    tags: tuple[str, ...]
    note: str | None
    is_primary: bool
    price_change_percent: Decimal | None
    rank_change_percent: Decimal | None

    @classmethod
    def from_row(cls, row: Any) -> "TrackingSettings":
        """Return the settings in a row that has the columns of `tracking`."""
        return cls(
            role=Role(row.role),
            cadence=Cadence(row.cadence),
            tags=tuple(row.tags),
            note=row.note,
            is_primary=row.is_primary,
            price_change_percent=row.price_change_percent,
            rank_change_percent=row.rank_change_percent,
        )


class Unset(Enum):
    """The type of `KEEP`, which leaves a setting unchanged: None is a value of its own."""

    KEEP = "keep"


KEEP = Unset.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingPatch:
    """A change of some of a product's settings; None clears a note or a threshold."""

    role: Role | Unset = KEEP
    cadence: Cadence | Unset = KEEP
    tags: tuple[str, ...] | Unset = KEEP
    note: str | Unset | None = KEEP
    is_primary: bool | Unset = KEEP
    price_change_percent: Decimal | Unset | None = KEEP
    rank_change_percent: Decimal | Unset | None = KEEP

    def changed_values(self) -> dict[str, Any]:
        """Return the settings to change, by name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value is not KEEP}


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """The settings of a product before and after a change; equal if nothing changed."""

    before: TrackingSettings
    after: TrackingSettings
    is_mine: bool  # False: a teammate's


@requires(Permission.TRACK)
def change_settings(
    session: Session,
    principal: Principal,
    product_id: int,
    settings: TrackingSettings,
    scope: ListScope = ListScope.MINE,
) -> None:
    """Replace the settings of a tracked product; a manager may change a teammate's."""
    _change(session, principal, lock_editable_row(session, principal, product_id, scope), settings)


@requires(Permission.TRACK)
def patch_settings(
    session: Session,
    principal: Principal,
    product_id: int,
    changes: TrackingPatch,
    scope: ListScope = ListScope.MINE,
) -> SettingsChange:
    """Change some of a product's settings; the others stay, even if just changed by others.

    Raises InvalidInputError for an empty patch or an invalid value.
    """
    changed_values = changes.changed_values()
    if not changed_values:
        raise InvalidInputError("Name at least one setting to change.")
    tracking = lock_editable_row(session, principal, product_id, scope)
    before = TrackingSettings.from_row(tracking)
    _change(session, principal, tracking, replace(before, **changed_values))
    is_mine = tracking.person_id == principal.person_id
    return SettingsChange(before, TrackingSettings.from_row(tracking), is_mine)


def _change(
    session: Session, principal: Principal, tracking: Tracking, settings: TrackingSettings
) -> None:
    _check(settings)
    before = _audited(tracking)
    tracking.role, tracking.cadence = settings.role.value, settings.cadence.value
    tracking.tags = clean_tags(settings.tags)
    tracking.note = (settings.note or "").replace("\x00", "").strip() or None
    tracking.is_primary = settings.is_primary
    tracking.price_change_percent = round_threshold(settings.price_change_percent)
    tracking.rank_change_percent = round_threshold(settings.rank_change_percent)
    session.flush()
    sync_schedule(session, [tracking.product_id])
    after = _audited(tracking)
    if before != after:
        thing = f"product:{tracking.product_id}"
        audit.record(session, principal, "changed settings", thing, before, after)


def _check(settings: TrackingSettings) -> None:
    if settings.note is not None and len(settings.note) > LONGEST_NOTE:
        raise InvalidInputError(f"A note has at most {LONGEST_NOTE} characters.")
    for share in (settings.price_change_percent, settings.rank_change_percent):
        if share is not None and not is_threshold(share):
            raise InvalidInputError(NO_THRESHOLD)


def _audited(tracking: Tracking) -> dict[str, object]:
    return {
        "role": tracking.role,
        "cadence": tracking.cadence,
        "tags": list(tracking.tags),
        "note": tracking.note,
        "is_primary": tracking.is_primary,
        "price_change_percent": tracking.price_change_percent,
        "rank_change_percent": tracking.rank_change_percent,
    }
