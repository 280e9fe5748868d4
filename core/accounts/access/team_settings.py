"""Settings that an admin changes for the team. Never commits.

Names, time zone, who may join, and required two-factor authentication. Limits of attempts,
session lifetimes, keys and budgets are set by the operator.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.confirmation import require_confirmed
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import Person, Team, TeamSetting
from core.accounts.profile_fields import clean_name, list_time_zones
from core.errors import InvalidInputError

REGISTRATION_MODES = ("invitation", "open", "closed")
_REGISTRATION = "registration"
_SECOND_FACTOR = "second_factor"

NEEDS_TWO_FACTOR_SQL = """(
    p.totp_confirmed_at IS NULL AND p.password_hash IS NOT NULL AND NOT p.is_demo
    AND EXISTS (
        SELECT FROM team_setting s2
        WHERE s2.team_id = p.team_id AND s2.name = 'second_factor' AND s2.value = 'true'
    )
)"""
"""SQL: whether user `p` must set up two-factor authentication first.

Users without a password are excepted: the provider of the single sign-on is responsible.
"""


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """Settings of the whole team."""

    name: str
    time_zone: str  # of users who chose none
    registration: str  # of REGISTRATION_MODES
    requires_second_factor: bool = False  # of users who sign in with a password


@requires(Permission.ADMIN)
def get_team_settings(session: Session, principal: Principal, registration: str) -> TeamSettings:
    """Return the team's settings. `registration`: the operator's setting."""
    return _load_settings(session, principal.team_id, registration)


def _load_settings(session: Session, team_id: int, registration: str) -> TeamSettings:
    team = session.get_one(Team, team_id, populate_existing=True)
    stored = session.get(TeamSetting, (team_id, _REGISTRATION), populate_existing=True)
    return TeamSettings(
        team.name,
        team.time_zone,
        str(stored.value) if stored is not None else registration,
        is_two_factor_required(session, team_id),
    )


def is_two_factor_required(session: Session, team_id: int) -> bool:
    """Return whether a team's users with a password must use two-factor authentication."""
    stored = session.get(TeamSetting, (team_id, _SECOND_FACTOR), populate_existing=True)
    return stored is not None and stored.value is True


@requires(Permission.ADMIN)
def update_team_settings(
    session: Session, principal: Principal, wanted: TeamSettings, registration: str, now: datetime
) -> bool:
    """Change the team's settings; return whether anything changed.

    Raises InvalidInputError, also for an admin who requires two-factor authentication without
    using it, and ConfirmationNeededError.

    `registration`: the operator's setting. Not stored until an admin changes it; until then
    the operator's setting applies.
    """
    _validate_settings(wanted)
    team = session.get_one(Team, principal.team_id, with_for_update=True)
    before = asdict(_load_settings(session, principal.team_id, registration))
    after = asdict(wanted) | {"name": clean_name(wanted.name)}
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return False
    if {_REGISTRATION, "requires_second_factor"} & set(changed):
        require_confirmed(session, principal, now)
    if wanted.requires_second_factor:
        _require_own_two_factor(session, principal)
    team.name, team.time_zone = after["name"], wanted.time_zone
    if _REGISTRATION in changed:
        _store_setting(session, principal.team_id, _REGISTRATION, wanted.registration)
    if "requires_second_factor" in changed:
        _store_setting(session, principal.team_id, _SECOND_FACTOR, wanted.requires_second_factor)
    session.flush()
    audit.record(
        session,
        principal,
        "changed team settings",
        f"team:{team.id}",
        {name: before[name] for name in changed},
        {name: after[name] for name in changed},
    )
    return True


def _validate_settings(wanted: TeamSettings) -> None:
    if wanted.time_zone not in list_time_zones():
        raise InvalidInputError("Unknown time zone. Choose one from the list.")
    if wanted.registration not in REGISTRATION_MODES:
        raise InvalidInputError("Choose invitation, open or closed.")


def _require_own_two_factor(session: Session, principal: Principal) -> None:
    person = session.get_one(Person, principal.person_id, populate_existing=True)
    is_exempt = person.is_demo or person.password_hash is None
    if person.totp_confirmed_at is None and not is_exempt:
        raise InvalidInputError("Set up your own two-factor authentication first.")


def _store_setting(session: Session, team_id: int, name: str, value: Any) -> None:
    made = insert(TeamSetting).values(team_id=team_id, name=name, value=value)
    session.execute(
        made.on_conflict_do_update(
            index_elements=[TeamSetting.team_id, TeamSetting.name],
            set_={"value": value, "version": TeamSetting.version + 1},
        )
    )


def get_registration_mode(session: Session, registration: str) -> str:
    """Return who may join the team: the stored setting, else the operator's.

    Needs no permission: it is read before a sign-in.
    """
    stored = session.scalars(
        select(TeamSetting.value)
        .join(Team, Team.id == TeamSetting.team_id)
        .where(TeamSetting.name == _REGISTRATION)
        .order_by(Team.id)
        .limit(1)
    ).first()
    return registration if stored is None else str(stored)
