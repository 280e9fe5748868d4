"""What an administrator sets for the team; what was never set is as the process says. No commits.

Only what opens nothing wider than the operator allowed by hand: names, clocks, who may
join. Limits of attempts, lifetimes of sign-ins, keys and budgets stay with the operator.
"""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.accounts import audit
from core.accounts.models import Team, TeamSetting
from core.accounts.rules import Acting, Right, clean_name, time_zones
from core.accounts.verbs import verb
from core.errors import InvalidInputError

REGISTRATIONS = ("invitation", "open", "closed")
_REGISTRATION = "registration"


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """What holds for the whole team."""

    name: str
    time_zone: str  # of everybody who chose none
    registration: str  # of REGISTRATIONS


@verb(Right.ADMIN)
def get_team_settings(session: Session, acting: Acting, registration: str) -> TeamSettings:
    """Return the team's settings. `registration`: what the process says of it."""
    return _settings_of(session, acting.team_id, registration)


def _settings_of(session: Session, team_id: int, registration: str) -> TeamSettings:
    team = session.get_one(Team, team_id, populate_existing=True)
    stored = session.get(TeamSetting, (team_id, _REGISTRATION), populate_existing=True)
    return TeamSettings(
        team.name, team.time_zone, str(stored.value) if stored is not None else registration
    )


@verb(Right.ADMIN)
def change_team_settings(
    session: Session, acting: Acting, wanted: TeamSettings, registration: str
) -> bool:
    """Change the team's settings; return whether anything differed. Raises InvalidInputError.

    `registration`: what the process says of it. It stays unstored until it is changed,
    so that the operator's word goes on counting where nobody here said otherwise.
    """
    _check(wanted)
    team = session.get_one(Team, acting.team_id, with_for_update=True)
    before = asdict(_settings_of(session, acting.team_id, registration))
    after = asdict(wanted) | {"name": clean_name(wanted.name)}
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return False
    team.name, team.time_zone = after["name"], wanted.time_zone
    if _REGISTRATION in changed:
        _store(session, acting.team_id, _REGISTRATION, wanted.registration)
    session.flush()
    audit.note(
        session,
        acting,
        "changed team settings",
        f"team:{team.id}",
        {name: before[name] for name in changed},
        {name: after[name] for name in changed},
    )
    return True


def _check(wanted: TeamSettings) -> None:
    if wanted.time_zone not in time_zones():
        raise InvalidInputError("There is no such time zone. Choose one of the list.")
    if wanted.registration not in REGISTRATIONS:
        raise InvalidInputError("Choose invitation, open or closed.")


def _store(session: Session, team_id: int, name: str, value: Any) -> None:
    made = insert(TeamSetting).values(team_id=team_id, name=name, value=value)
    session.execute(
        made.on_conflict_do_update(
            index_elements=[TeamSetting.team_id, TeamSetting.name],
            set_={"value": value, "version": TeamSetting.version + 1},
        )
    )


def registration_mode(session: Session, registration: str) -> str:
    """Return who may join the deployment's team: what was stored, else what the process says.

    Asked before anybody is signed in, so it takes nobody's right.
    """
    stored = session.scalars(
        select(TeamSetting.value)
        .join(Team, Team.id == TeamSetting.team_id)
        .where(TeamSetting.name == _REGISTRATION)
        .order_by(Team.id)
        .limit(1)
    ).first()
    return registration if stored is None else str(stored)
