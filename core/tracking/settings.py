"""How a followed product is set: role, cadence, tags, note, thresholds. Never commits."""

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.errors import InvalidInputError
from core.thresholds import NO_THRESHOLD, is_threshold, kept
from core.tracking.editable_rows import row_to_change
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
    """What a person sets for one followed product."""

    role: Role
    cadence: Cadence
    tags: tuple[str, ...]
    note: str | None
    is_primary: bool
    price_change_percent: Decimal | None
    rank_change_percent: Decimal | None


class Unset(Enum):
    """Says of a setting that it stays as it is: None is a value of its own."""

    KEEP = "keep"


KEEP = Unset.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingPatch:
    """What is to change of a product's settings; None clears a note or a threshold."""

    role: Role | Unset = KEEP
    cadence: Cadence | Unset = KEEP
    tags: tuple[str, ...] | Unset = KEEP
    note: str | Unset | None = KEEP
    is_primary: bool | Unset = KEEP
    price_change_percent: Decimal | Unset | None = KEEP
    rank_change_percent: Decimal | Unset | None = KEEP

    def given(self) -> dict[str, Any]:
        """Return the settings that are to change, by name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value is not KEEP}


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """The settings of a product before and after; the same where nothing was new."""

    before: TrackingSettings
    after: TrackingSettings
    is_mine: bool  # False: a teammate's


@requires(Permission.TRACK)
def change_settings(
    session: Session,
    principal: Principal,
    product_id: int,
    settings: TrackingSettings,
    whose: ListScope = ListScope.MINE,
) -> None:
    """Replace the settings for a followed product; for a manager also a teammate's."""
    _change(session, principal, row_to_change(session, principal, product_id, whose), settings)


@requires(Permission.TRACK)
def patch_settings(
    session: Session,
    principal: Principal,
    product_id: int,
    changes: TrackingPatch,
    whose: ListScope = ListScope.MINE,
) -> SettingsChange:
    """Change only what is named of a product's settings; what others set meanwhile stays.

    Raises InvalidInputError when nothing is named, or for a value that can't be.
    """
    given = changes.given()
    if not given:
        raise InvalidInputError("Name at least one setting to change.")
    tracking = row_to_change(session, principal, product_id, whose)
    before = _settings_of(tracking)
    _change(session, principal, tracking, replace(before, **given))
    is_mine = tracking.person_id == principal.person_id
    return SettingsChange(before, _settings_of(tracking), is_mine)


def _change(
    session: Session, principal: Principal, tracking: Tracking, wanted: TrackingSettings
) -> None:
    _check(wanted)
    before = _audited(tracking)
    tracking.role, tracking.cadence = wanted.role.value, wanted.cadence.value
    tracking.tags = clean_tags(wanted.tags)
    tracking.note = (wanted.note or "").replace("\x00", "").strip() or None
    tracking.is_primary = wanted.is_primary
    tracking.price_change_percent = kept(wanted.price_change_percent)
    tracking.rank_change_percent = kept(wanted.rank_change_percent)
    session.flush()
    sync_schedule(session, [tracking.product_id])
    after = _audited(tracking)
    if before != after:
        thing = f"product:{tracking.product_id}"
        audit.record(session, principal, "changed settings", thing, before, after)


def _check(wanted: TrackingSettings) -> None:
    if wanted.note is not None and len(wanted.note) > LONGEST_NOTE:
        raise InvalidInputError(f"A note has at most {LONGEST_NOTE} characters.")
    for share in (wanted.price_change_percent, wanted.rank_change_percent):
        if share is not None and not is_threshold(share):
            raise InvalidInputError(NO_THRESHOLD)


def _settings_of(tracking: Tracking) -> TrackingSettings:
    return TrackingSettings(
        role=Role(tracking.role),
        cadence=Cadence(tracking.cadence),
        tags=tuple(tracking.tags),
        note=tracking.note,
        is_primary=tracking.is_primary,
        price_change_percent=tracking.price_change_percent,
        rank_change_percent=tracking.rank_change_percent,
    )


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
