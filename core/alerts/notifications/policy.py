"""When a channel gets an alert: modes, quiet hours, digests, caps, reminders. Pure.

Hours are of the user's clock. A local time that a clock change skips counts as the end of the
change; of one that occurs twice, a digest takes the first and quiet hours end with the second.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.rules.rule import Severity
from core.tracking.list_filter import ListScope

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
# Members that join a group within it after the group's message wait for its end.
GROUP_WINDOW: Final = timedelta(minutes=55)
USEFUL_FOR: Final = timedelta(hours=24)  # a message that is older is not sent any more
_SEVERITIES: Final = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


class Mode(StrEnum):
    """When a channel gets the alerts of a kind or rule. Stored as text."""

    OFF = "off"
    AT_ONCE = "at_once"
    HOURLY = "hourly"
    DAILY = "daily"


class HoldReason(StrEnum):
    """Why a notification is held. Stored as text."""

    DIGEST = "digest"
    QUIET = "quiet"
    GROUPED = "grouped"
    CAP = "cap"
    SNOOZED = "snoozed"
    SILENCED = "silenced"


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """When and of what a user is notified. Without quiet hours both are None."""

    quiet_from: time | None = None
    quiet_until: time | None = None
    critical_passes_quiet: bool = True
    digest_hour: int = 8
    reminder_hours: int | None = None
    most_per_hour: int = 10  # messages of one channel
    scope: ListScope = ListScope.TEAM
    lowest_severity: Severity = Severity.INFO
    sends_resolved: bool = False


class DueTime(NamedTuple):
    """When a notification is due, and why not at once. None: it is due at once."""

    at: datetime
    reason: HoldReason | None


def get_default_mode(kind: IncidentKind) -> Mode:
    """Return when a channel gets a kind of alerts until its owner chooses."""
    if kind in (IncidentKind.PRICE_CHANGE, IncidentKind.RANK_CHANGE):
        return Mode.DAILY
    return Mode.AT_ONCE


def is_severe_enough(severity: Severity, settings: DeliverySettings) -> bool:
    """Return whether an alert is not below the user's lowest severity."""
    return _SEVERITIES.index(severity) >= _SEVERITIES.index(settings.lowest_severity)


def passes_quiet(severity: Severity, settings: DeliverySettings) -> bool:
    """Return whether an alert comes in quiet hours, too."""
    return severity is Severity.CRITICAL and settings.critical_passes_quiet


def find_zone(names: Iterable[str | None]) -> ZoneInfo:
    """Return the first zone that there is: the user's, the team's; UTC if there is none."""
    for name in names:
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def find_due_time(
    mode: Mode, severity: Severity, settings: DeliverySettings, zone: ZoneInfo, now: datetime
) -> DueTime | None:
    """Return when an alert is due, None if it is switched off."""
    if mode is Mode.OFF:
        return None
    at = now
    if mode is Mode.HOURLY:
        at = find_next_hour(now, zone)
    elif mode is Mode.DAILY:
        at = find_next_time(now, zone, time(settings.digest_hour))
    reason = HoldReason.DIGEST if at > now else None
    end = None if passes_quiet(severity, settings) else find_quiet_end(at, settings, zone)
    return DueTime(at, reason) if end is None else DueTime(end, HoldReason.QUIET)


def find_next_hour(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the next full hour of a zone's clock, in UTC; it is at most an hour ahead."""
    offset = (now.astimezone(zone).utcoffset() or timedelta(0)) % HOUR
    past = (now.astimezone(UTC) - datetime(2000, 1, 1, tzinfo=UTC) + offset) % HOUR
    return now.astimezone(UTC) - past + HOUR


def find_next_time(now: datetime, zone: ZoneInfo, local: time) -> datetime:
    """Return when a zone's clock next shows a time, in UTC and after `now`."""
    today = now.astimezone(zone).date()
    for days in range(-1, 4):
        at = _to_utc(_add_days(today, days), local, zone)
        if at > now:
            return at
    return now.astimezone(UTC) + DAY


def find_quiet_end(at: datetime, settings: DeliverySettings, zone: ZoneInfo) -> datetime | None:
    """Return when the quiet hours end that a time is in, in UTC; None: it is in none."""
    begins, ends = settings.quiet_from, settings.quiet_until
    if begins is None or ends is None or begins == ends:
        return None
    day = at.astimezone(zone).date()
    for days in (-1, 0, 1):
        first = _add_days(day, days)
        last = first if begins < ends else _add_days(first, 1)
        begin, end = _to_utc(first, begins, zone), _to_utc(last, ends, zone, is_last=True)
        if begin <= at < end:
            return end
    return None


def _add_days(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return day


def _to_utc(day: date, local: time, zone: ZoneInfo, *, is_last: bool = False) -> datetime:
    """Return when a zone's clock shows a time on a day.

    `is_last`: the second time, if it occurs twice. A time that is skipped: when the clock skips it.
    """
    wall = datetime.combine(day, local, zone)
    first, last = (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= last:
        return last if is_last else first
    # The clock skips it: `last` is before the change and `first` after it.
    before, after = last, first
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def find_cap_end(
    messages_at: Sequence[datetime], settings: DeliverySettings, now: datetime
) -> datetime | None:
    """Return when a channel may get its next message, None: now.

    `messages_at`: when its messages of the last hour were made.
    """
    recent = sorted(each for each in messages_at if each > now - HOUR)
    if len(recent) < settings.most_per_hour:
        return None
    return recent[-settings.most_per_hour] + HOUR


def find_reminder_time(settings: DeliverySettings, now: datetime) -> datetime | None:
    """Return when to remind of an alert that was just sent, None: never."""
    if settings.reminder_hours is None:
        return None
    return now + timedelta(hours=settings.reminder_hours)
