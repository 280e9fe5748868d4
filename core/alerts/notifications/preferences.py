"""Operations on what the user gets by which channel and when. Never commits."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.models import StoredRule
from core.alerts.notifications.models import AlertPreference, StoredDeliverySettings
from core.alerts.notifications.policy import DeliverySettings, Mode, get_default_mode
from core.alerts.notifications.recipients import make_settings, read_modes
from core.delivery.models import DeliveryChannel
from core.errors import InvalidInputError, NotFoundError

MOST_PER_HOUR: Final = 60  # messages of a channel that a user may allow
LONGEST_REMINDER: Final = 168  # hours


@requires(Permission.SELF)
def get_delivery_settings(session: Session, principal: Principal) -> DeliverySettings:
    """Return when and of what the user is notified."""
    stored = session.get(StoredDeliverySettings, principal.person_id, populate_existing=True)
    return make_settings(stored)


@requires(Permission.SELF)
def set_delivery_settings(session: Session, principal: Principal, wanted: DeliverySettings) -> None:
    """Set when and of what the user is notified from now on. Raises InvalidInputError."""
    _check(wanted)
    before = get_delivery_settings(session, principal)
    if wanted == before:
        return
    values = _dump(wanted)
    session.execute(
        insert(StoredDeliverySettings)
        .values(person_id=principal.person_id, **values)
        .on_conflict_do_update(index_elements=["person_id"], set_=values)
    )
    audit.record(
        session,
        principal,
        "changed notifications",
        f"person:{principal.person_id}",
        _describe(before),
        _describe(wanted),
    )


def _check(wanted: DeliverySettings) -> None:
    if (wanted.quiet_from is None) != (wanted.quiet_until is None):
        raise InvalidInputError("Quiet hours have a beginning and an end.")
    if wanted.quiet_from is not None and wanted.quiet_from == wanted.quiet_until:
        raise InvalidInputError("Quiet hours end at another time than they begin.")
    if not 0 <= wanted.digest_hour <= 23:
        raise InvalidInputError("The digest comes at an hour from 0 to 23.")
    hours = wanted.reminder_hours
    if hours is not None and not 1 <= hours <= LONGEST_REMINDER:
        raise InvalidInputError(f"Reminders come after 1 to {LONGEST_REMINDER} hours.")
    if not 1 <= wanted.most_per_hour <= MOST_PER_HOUR:
        raise InvalidInputError(f"A channel gets 1 to {MOST_PER_HOUR} messages an hour.")


def _dump(settings: DeliverySettings) -> dict[str, Any]:
    return asdict(settings) | {
        "scope": settings.scope.value,
        "lowest_severity": settings.lowest_severity.value,
    }


def _describe(settings: DeliverySettings) -> dict[str, Any]:
    """Return settings for the audit."""
    return {
        name: value.strftime("%H:%M") if hasattr(value, "strftime") else value
        for name, value in _dump(settings).items()
    }


Modes = Mapping[int, Mapping[IncidentKind, Mode]]


@requires(Permission.SELF)
def list_modes(session: Session, principal: Principal) -> Modes:
    """Return for each of the user's channels when it gets which kind of alerts."""
    numbers = session.scalars(
        select(DeliveryChannel.id).where(
            DeliveryChannel.person_id == principal.person_id, DeliveryChannel.state != "removed"
        )
    ).all()
    chosen = read_modes(session, numbers)
    return {
        number: {
            kind: chosen.get(number, {}).get((kind, None), get_default_mode(kind))
            for kind in IncidentKind
        }
        for number in numbers
    }


@requires(Permission.SELF)
def list_rule_modes(session: Session, principal: Principal, rule_id: int) -> Mapping[int, Mode]:
    """Return what the user chose for one rule, by channel; missing: as its kind."""
    numbers = session.scalars(
        select(DeliveryChannel.id).where(
            DeliveryChannel.person_id == principal.person_id, DeliveryChannel.state != "removed"
        )
    ).all()
    chosen = read_modes(session, numbers)
    return {
        number: mode
        for number in numbers
        if (mode := chosen.get(number, {}).get((None, rule_id))) is not None
    }


@requires(Permission.SELF)
def set_mode(
    session: Session, principal: Principal, channel_id: int, kind: IncidentKind, mode: Mode
) -> None:
    """Set when a channel of the user gets a kind of alerts. Raises NotFoundError."""
    _require_own(session, principal, channel_id)
    _store(session, {"channel_id": channel_id, "kind": kind.value, "rule_id": None}, mode)
    new = {"kind": kind.value, "mode": mode.value}
    audit.record(session, principal, "changed channel", f"channel:{channel_id}", new=new)


@requires(Permission.SELF)
def set_rule_mode(
    session: Session, principal: Principal, channel_id: int, rule_id: int, mode: Mode | None
) -> None:
    """Set when a channel of the user gets one rule's alerts; None: as its kind.

    Raises NotFoundError.
    """
    _require_own(session, principal, channel_id)
    rule = session.scalar(
        select(StoredRule.id).where(
            StoredRule.id == rule_id, StoredRule.team_id == principal.team_id
        )
    )
    if rule is None:
        raise NotFoundError("This alert rule does not exist (any more).")
    if mode is None:
        session.execute(
            delete(AlertPreference).where(
                AlertPreference.channel_id == channel_id, AlertPreference.rule_id == rule_id
            )
        )
    else:
        _store(session, {"channel_id": channel_id, "kind": None, "rule_id": rule_id}, mode)
    new = {"rule": rule_id, "mode": None if mode is None else mode.value}
    audit.record(session, principal, "changed channel", f"channel:{channel_id}", new=new)


def _store(session: Session, values: dict[str, Any], mode: Mode) -> None:
    session.execute(
        insert(AlertPreference)
        .values(**values, mode=mode.value)
        .on_conflict_do_update(
            index_elements=["channel_id", "kind", "rule_id"], set_={"mode": mode.value}
        )
    )


def _require_own(session: Session, principal: Principal, channel_id: int) -> None:
    found = session.scalar(
        select(DeliveryChannel.id).where(
            DeliveryChannel.id == channel_id,
            DeliveryChannel.person_id == principal.person_id,
            DeliveryChannel.state != "removed",
        )
    )
    if found is None:
        raise NotFoundError("This channel does not exist (any more).")
