"""Who may be notified in a team, by which channels and when. SELECTs only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Role
from core.accounts.models import Person, Team
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.notifications.models import AlertPreference, StoredDeliverySettings
from core.alerts.notifications.policy import (
    DeliverySettings,
    Mode,
    find_zone,
    get_default_mode,
)
from core.alerts.rules.rule import Severity
from core.delivery.models import DeliveryChannel
from core.tracking.list_filter import ListScope

# Whether the user `p` with the settings `s` gets the incident `i`: sellers those of products that
# they track themselves, others by their choice the team's or their own.
IS_RECIPIENT: Final = f"""(p.state = 'active' AND p.team_id = i.team_id AND EXISTS (
    SELECT 1 FROM tracking t
    WHERE t.product_id = i.product_id AND t.team_id = i.team_id AND t.paused_at IS NULL
        AND (t.person_id = p.id OR (p.role <> '{Role.SELLER.value}'
            AND coalesce(s.scope, '{ListScope.TEAM.value}') = '{ListScope.TEAM.value}'))))"""

Modes = Mapping[tuple[IncidentKind | None, int | None], Mode]


@dataclass(frozen=True, slots=True)
class RecipientChannel:
    """An active channel, and when it gets which alerts."""

    channel_id: int
    modes: Modes = field(default_factory=dict)  # by kind or rule; missing: the default

    def find_mode(self, kind: IncidentKind, rule_id: int) -> Mode:
        """Return when the channel gets the alerts of a rule."""
        chosen = self.modes.get((None, rule_id)) or self.modes.get((kind, None))
        return chosen or get_default_mode(kind)


@dataclass(frozen=True, slots=True)
class Recipient:
    """An active user of a team with settings and active channels."""

    person_id: int
    team_id: int
    zone: ZoneInfo
    settings: DeliverySettings
    channels: tuple[RecipientChannel, ...]


def read_recipients(session: Session, team_ids: Collection[int]) -> list[Recipient]:
    """Return the active users of teams, in the order of their ids."""
    people = session.execute(
        select(Person.id, Person.team_id, Person.time_zone, Team.time_zone, StoredDeliverySettings)
        .join(Team, Team.id == Person.team_id)
        .outerjoin(StoredDeliverySettings, StoredDeliverySettings.person_id == Person.id)
        .where(Person.team_id.in_(team_ids), Person.state == "active")
        .order_by(Person.id)
        .execution_options(populate_existing=True)
    ).all()
    channels = _read_channels(session, [row[0] for row in people])
    return [
        Recipient(
            person_id,
            team_id,
            find_zone((own_zone, team_zone)),
            make_settings(stored),
            tuple(channels.get(person_id, ())),
        )
        for person_id, team_id, own_zone, team_zone, stored in people
    ]


def _read_channels(
    session: Session, person_ids: Collection[int]
) -> dict[int, list[RecipientChannel]]:
    rows = session.execute(
        select(DeliveryChannel.person_id, DeliveryChannel.id)
        .where(DeliveryChannel.person_id.in_(person_ids), DeliveryChannel.state == "active")
        .order_by(DeliveryChannel.id)
    ).all()
    modes = read_modes(session, [number for _, number in rows])
    found: dict[int, list[RecipientChannel]] = {}
    for person_id, number in rows:
        found.setdefault(person_id, []).append(RecipientChannel(number, modes.get(number, {})))
    return found


def read_modes(session: Session, channel_ids: Collection[int]) -> dict[int, dict[Any, Mode]]:
    """Return what was chosen for channels: by kind or rule when it gets alerts."""
    found: dict[int, dict[Any, Mode]] = {}
    rows = session.execute(
        select(
            AlertPreference.channel_id,
            AlertPreference.kind,
            AlertPreference.rule_id,
            AlertPreference.mode,
        ).where(AlertPreference.channel_id.in_(channel_ids))
    )
    for number, kind, rule_id, mode in rows:
        key = (None if kind is None else IncidentKind(kind), rule_id)
        found.setdefault(number, {})[key] = Mode(mode)
    return found


@dataclass(frozen=True, slots=True)
class ReaderChoices:
    """A user's channels, also paused ones, and choices as they are now."""

    settings: DeliverySettings
    channels: Sequence[DeliveryChannel]
    modes: Mapping[int, Modes]  # by channel
    gets_team: bool  # True: alerts of the team's products, not only of those the user tracks

    def find_mode(self, channel_id: int, kind: IncidentKind, rule_id: int) -> Mode:
        """Return when a channel gets the alerts of a rule."""
        return RecipientChannel(channel_id, self.modes.get(channel_id, {})).find_mode(kind, rule_id)


@requires(Permission.READ)
def read_choices(session: Session, principal: Principal) -> ReaderChoices:
    """Return the user's channels in the order of their ids, with what they get."""
    settings = make_settings(
        session.get(StoredDeliverySettings, principal.person_id, populate_existing=True)
    )
    channels = session.scalars(
        select(DeliveryChannel)
        .where(DeliveryChannel.person_id == principal.person_id, DeliveryChannel.state != "removed")
        .order_by(DeliveryChannel.id)
        .execution_options(populate_existing=True)
    ).all()
    gets_team = settings.scope is ListScope.TEAM and principal.role is not Role.SELLER
    modes = read_modes(session, [each.id for each in channels])
    return ReaderChoices(settings, channels, modes, gets_team)


def make_settings(stored: StoredDeliverySettings | None) -> DeliverySettings:
    """Return a user's settings from their row, the defaults without one."""
    if stored is None:
        return DeliverySettings()
    return DeliverySettings(
        quiet_from=stored.quiet_from,
        quiet_until=stored.quiet_until,
        critical_passes_quiet=stored.critical_passes_quiet,
        digest_hour=stored.digest_hour,
        reminder_hours=stored.reminder_hours,
        most_per_hour=stored.most_per_hour,
        scope=ListScope(stored.scope),
        lowest_severity=Severity(stored.lowest_severity),
        sends_resolved=stored.sends_resolved,
    )
