"""How many messages a rule's alerts would have been for a user. SELECTs only."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.incidents.labels import SEVERITIES
from core.alerts.incidents.rule_preview import RulePreview
from core.alerts.notifications.message_times import list_message_times
from core.alerts.notifications.policy import Mode, is_severe_enough
from core.alerts.notifications.recipients import read_choices
from core.alerts.rules.queries import TeamRule
from core.alerts.rules.rule import Severity
from core.text.locale import localize_digits
from core.text.numbers import format_counted
from core.tracking.models import Tracking

_WEEK: Final = timedelta(days=7)
_UNSAVED: Final = 0  # no stored rule has this id


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """What would have come by the user's first active channel."""

    alerts: int  # of products that the user gets
    messages: int
    weeks: float
    is_mine: bool  # the user gets alerts of products that they track
    channel: str | None  # None: no channel is active
    mode: Mode
    lowest_severity: Severity | None = None  # if the channel gets none for being below it


@requires(Permission.READ)
def preview_messages(
    session: Session, principal: Principal, found: RulePreview, stored: TeamRule | None
) -> MessagePreview:
    """Return how many messages a rule's alerts would have been, by the user's choices now."""
    choices = read_choices(session, principal)
    openings = found.openings
    if not choices.gets_team:
        mine = _list_tracked(session, principal)
        openings = tuple(each for each in openings if each[1] in mine)
    weeks = (found.until - found.since) / _WEEK
    channel = next((each for each in choices.channels if each.state == "active"), None)
    if channel is None:
        return MessagePreview(len(openings), 0, weeks, not choices.gets_team, None, Mode.OFF)
    code, rule_id = (None, _UNSAVED) if stored is None else (stored.code, stored.rule_id)
    kind = IncidentKind.TEAM_RULE if code is None else IncidentKind(code)
    mode = choices.find_mode(channel.id, kind, rule_id)
    severity, settings = found.rule.severity, choices.settings
    times = list_message_times(
        (at for at, _ in openings), severity, mode, settings, ZoneInfo(principal.time_zone)
    )
    lowest = None if is_severe_enough(severity, settings) else settings.lowest_severity
    return MessagePreview(
        len(openings), len(times), weeks, not choices.gets_team, channel.name, mode, lowest
    )


def _list_tracked(session: Session, principal: Principal) -> set[int]:
    """Return the products that the user tracks."""
    return set(
        session.scalars(
            select(Tracking.product_id).where(
                Tracking.team_id == principal.team_id,
                Tracking.person_id == principal.person_id,
                Tracking.paused_at.is_(None),
            )
        )
    )


def describe_messages(found: MessagePreview) -> str | None:
    """Return the preview as a sentence; None without alerts."""
    if not found.alerts:
        return None
    if found.channel is None:
        return "They would come in the app only: none of your channels is active."
    if found.lowest_severity is not None:
        lowest = SEVERITIES[found.lowest_severity].lower()
        return f"They would come in the app only: your channels get alerts from {lowest} on."
    if found.mode is Mode.OFF:
        return f"They would come in the app only: {found.channel} gets none of this kind."
    what = " of products that you track" if found.is_mine else ""
    if found.alerts < found.weeks:
        alerts = format_counted(found.alerts, "alert")
        messages = format_counted(found.messages, "message")
        return f"{alerts}{what} would come in {messages} by {found.channel}."
    alerts = _format_rate(found.alerts / found.weeks, "alert")
    messages = _format_rate(found.messages / found.weeks, "message")
    return f"{alerts} a week{what} would come in {messages} a week by {found.channel}."


def _format_rate(rate: float, noun: str) -> str:
    """Return a rate with one decimal below ten unless it is a whole number."""
    if rate >= 9.95 or round(rate, 1) == round(rate):
        return format_counted(round(rate), noun)
    return f"{localize_digits(f'{rate:.1f}')} {noun}s"
